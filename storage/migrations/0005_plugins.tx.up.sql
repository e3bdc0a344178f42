-- Plugins: what the operator says about them, what they keep, and the events that they are told of.

-- The outbox of before was never written to. There is a row per event and handler, so that one can fail and wait alone.
-- next_at is NULL while an older one of its handler and subject waits: only the head of each queue is looked at.
DROP TABLE outbox;
CREATE TABLE outbox (
  id           {{.ID}},
  handler      TEXT NOT NULL,
  type         TEXT NOT NULL,
  subject      TEXT NOT NULL,
  payload      TEXT NOT NULL,
  created_at   {{.Int}} NOT NULL,
  attempts     {{.Int}} NOT NULL,
  next_at      {{.Int}},
  delivered_at {{.Int}},
  dead_at      {{.Int}},
  last_error   TEXT NOT NULL
){{.Table}};
CREATE INDEX outbox_due ON outbox (handler, next_at, id)
  WHERE next_at IS NOT NULL AND delivered_at IS NULL AND dead_at IS NULL;
CREATE INDEX outbox_queue ON outbox (handler, subject, id) WHERE delivered_at IS NULL AND dead_at IS NULL;
CREATE INDEX outbox_dead ON outbox (id) WHERE dead_at IS NOT NULL;
CREATE INDEX outbox_delivered ON outbox (delivered_at) WHERE delivered_at IS NOT NULL;

-- Which process has which event items, and what they want. events is a JSON array of texts.
CREATE TABLE event_handlers (
  node    TEXT NOT NULL,
  handler TEXT NOT NULL,
  events  TEXT NOT NULL,
  seen_at {{.Int}} NOT NULL,
  PRIMARY KEY (node, handler)
){{.Table}};

-- grants is a JSON array, or null.
CREATE TABLE plugins (
  name     TEXT PRIMARY KEY,
  disabled {{.Bool}} NOT NULL,
  settings TEXT NOT NULL,
  replaces {{.Bool}} NOT NULL,
  grants   TEXT NOT NULL,
  trust    TEXT NOT NULL,
  trusted  TEXT NOT NULL,
  secret   TEXT NOT NULL,
  revision {{.Int}} NOT NULL
){{.Table}};

CREATE TABLE plugin_kv (
  plugin TEXT NOT NULL,
  key    TEXT NOT NULL,
  value  {{.Bytes}} NOT NULL,
  PRIMARY KEY (plugin, key)
){{.Table}};

-- How many keys each plugin has, and the bytes of its keys and values: a limit is checked without counting.
CREATE TABLE plugin_kv_totals (
  plugin TEXT PRIMARY KEY,
  keys   {{.Int}} NOT NULL,
  bytes  {{.Int}} NOT NULL
){{.Table}};
