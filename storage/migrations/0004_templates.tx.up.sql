-- Templates, and what they stand on: groups that let into inbounds, hosts, admins with limits.

CREATE TABLE templates (
  id           {{.ID}},
  name         TEXT NOT NULL,
  quota        {{.Int}},
  duration     {{.Int}} NOT NULL,
  prefix       TEXT,
  suffix       TEXT,
  has_extra    {{.Bool}} NOT NULL,
  flow         TEXT,
  method       TEXT,
  hold         {{.Bool}} NOT NULL,
  hold_timeout {{.Int}},
  reset_usage  {{.Bool}} NOT NULL,
  reset_policy TEXT NOT NULL,
  reset_params TEXT NOT NULL,
  disabled     {{.Bool}} NOT NULL,
  revision     {{.Int}} NOT NULL,
  created_at   {{.Int}} NOT NULL,
  updated_at   {{.Int}} NOT NULL
){{.Table}};
CREATE UNIQUE INDEX templates_name_unique ON templates (name);

-- position is the group's place among the template's, from 0.
CREATE TABLE template_groups (
  template_id {{.Int}} NOT NULL REFERENCES templates (id) ON DELETE CASCADE,
  group_id    {{.Int}} NOT NULL REFERENCES groups (id) ON DELETE CASCADE,
  position    {{.Int}} NOT NULL,
  PRIMARY KEY (template_id, group_id)
){{.Pairs}};
CREATE INDEX template_groups_group_id ON template_groups (group_id);

-- The next plan. Whoever deletes a template clears the plans that name it first: a plan without it is another plan.
ALTER TABLE users ADD COLUMN has_next_plan {{.Bool}} NOT NULL DEFAULT FALSE;
ALTER TABLE users ADD COLUMN next_template {{.Int}} REFERENCES templates (id);
ALTER TABLE users ADD COLUMN next_quota {{.Int}};
ALTER TABLE users ADD COLUMN next_duration {{.Int}} NOT NULL DEFAULT 0;
ALTER TABLE users ADD COLUMN next_carries_over {{.Bool}} NOT NULL DEFAULT FALSE;
CREATE INDEX users_next_template ON users (next_template) WHERE next_template IS NOT NULL;

ALTER TABLE groups ADD COLUMN disabled {{.Bool}} NOT NULL DEFAULT FALSE;
CREATE TABLE group_inbounds (
  group_id   {{.Int}} NOT NULL REFERENCES groups (id) ON DELETE CASCADE,
  inbound_id {{.Int}} NOT NULL REFERENCES inbounds (id) ON DELETE CASCADE,
  PRIMARY KEY (group_id, inbound_id)
){{.Pairs}};
CREATE INDEX group_inbounds_inbound_id ON group_inbounds (inbound_id, group_id);

ALTER TABLE admins ADD COLUMN password_at {{.Int}} NOT NULL DEFAULT 0;
ALTER TABLE admins ADD COLUMN user_limit {{.Int}};
ALTER TABLE admins ADD COLUMN profile TEXT NOT NULL DEFAULT '';
UPDATE admins SET password_at = created_at;

-- addresses, sni, hosts, alpn and statuses are JSON arrays of texts, or null.
CREATE TABLE hosts (
  id             {{.ID}},
  inbound_id     {{.Int}} NOT NULL REFERENCES inbounds (id) ON DELETE CASCADE,
  remark         TEXT NOT NULL,
  priority       {{.Int}} NOT NULL,
  addresses      TEXT NOT NULL,
  port           {{.Int}} NOT NULL,
  sni            TEXT NOT NULL,
  hosts          TEXT NOT NULL,
  path           TEXT NOT NULL,
  security       TEXT NOT NULL,
  alpn           TEXT NOT NULL,
  fingerprint    TEXT NOT NULL,
  allow_insecure {{.Bool}} NOT NULL,
  sni_as_host    {{.Bool}} NOT NULL,
  disabled       {{.Bool}} NOT NULL,
  statuses       TEXT NOT NULL,
  extra          TEXT NOT NULL,
  revision       {{.Int}} NOT NULL,
  created_at     {{.Int}} NOT NULL,
  updated_at     {{.Int}} NOT NULL
){{.Table}};
CREATE INDEX hosts_inbound_id ON hosts (inbound_id);

-- ms UTC of the first hour of usage_hourly that counts for the user: what is before it was cleared.
ALTER TABLE user_traffic ADD COLUMN history_from {{.Int}} NOT NULL DEFAULT 0;

-- Sessions ask too, and have no token: the caller is the id of a token, or below 0 that of the admin who is logged in.
CREATE TABLE answers (
  caller     {{.Int}} NOT NULL,
  route      TEXT NOT NULL,
  key        TEXT NOT NULL,
  body_hash  TEXT NOT NULL,
  result     TEXT NOT NULL,
  created_at {{.Int}} NOT NULL,
  PRIMARY KEY (caller, route, key)
){{.Table}};
INSERT INTO answers SELECT token_id, route, key, body_hash, result, created_at FROM idempotency;
DROP TABLE idempotency;

-- The last fetches of each user's subscription: few per user, so that nothing has to age.
CREATE TABLE sub_fetches (
  user_id {{.Int}} NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  at      {{.Int}} NOT NULL,
  agent   TEXT NOT NULL,
  PRIMARY KEY (user_id, at)
){{.Pairs}};

-- What is made once and never leaves.
CREATE TABLE secrets (
  key   TEXT PRIMARY KEY,
  value TEXT NOT NULL
){{.Table}};
