-- Times are ms UTC, amounts bytes. NULL means "none" (no quota, no expiry); everything else is NOT NULL.
-- Unique indexes are called table_column_unique: errors are named after them.

CREATE TABLE IF NOT EXISTS admins (
  id            {{.ID}},
  username      TEXT NOT NULL,
  username_key  TEXT NOT NULL,
  password_hash TEXT NOT NULL,
  sudo          {{.Bool}} NOT NULL,
  enabled       {{.Bool}} NOT NULL,
  revision      {{.Int}} NOT NULL,
  created_at    {{.Int}} NOT NULL
){{.Table}};
CREATE UNIQUE INDEX IF NOT EXISTS admins_username_key_unique ON admins (username_key);

CREATE TABLE IF NOT EXISTS tokens (
  id         {{.ID}},
  name       TEXT NOT NULL,
  hash       TEXT NOT NULL,
  admin_id   {{.Int}} NOT NULL REFERENCES admins (id) ON DELETE CASCADE,
  scope      TEXT NOT NULL,
  enabled    {{.Bool}} NOT NULL,
  expires_at {{.Int}},
  created_at {{.Int}} NOT NULL
){{.Table}};
CREATE UNIQUE INDEX IF NOT EXISTS tokens_name_unique ON tokens (name);
CREATE UNIQUE INDEX IF NOT EXISTS tokens_hash_unique ON tokens (hash);

-- Wide and rarely written.
CREATE TABLE IF NOT EXISTS users (
  id                   {{.ID}},
  username             TEXT NOT NULL,
  username_key         TEXT NOT NULL,
  sub_id               TEXT NOT NULL,
  vless_id             TEXT NOT NULL,
  vmess_id             TEXT NOT NULL,
  trojan_password      TEXT NOT NULL,
  shadowsocks_password TEXT NOT NULL,
  hysteria_auth        TEXT NOT NULL,
  flow                 TEXT NOT NULL,
  vmess_security       TEXT NOT NULL,
  method               TEXT,
  enabled              {{.Bool}} NOT NULL,
  hold_since           {{.Int}},
  hold_duration        {{.Int}} NOT NULL,
  hold_timeout         {{.Int}},
  expire_at            {{.Int}},
  quota                {{.Int}},
  reset_policy         TEXT NOT NULL,
  reset_params         TEXT NOT NULL,
  reset_anchor         {{.Int}} NOT NULL,
  next_reset_at        {{.Int}},
  reset_retry_at       {{.Int}},
  renew_days           {{.Int}} NOT NULL,
  renew_day            {{.Int}} NOT NULL,
  renew_max            {{.Int}} NOT NULL,
  renew_count          {{.Int}} NOT NULL,
  limit_ip             {{.Int}} NOT NULL,
  note                 TEXT NOT NULL,
  tg_id                {{.Int}} NOT NULL,
  admin_id             {{.Int}} NOT NULL REFERENCES admins (id),
  auto_delete          {{.Int}},
  revision             {{.Int}} NOT NULL,
  created_at           {{.Int}} NOT NULL,
  updated_at           {{.Int}} NOT NULL,
  sub_fetch_at         {{.Int}} NOT NULL,
  sub_agent            TEXT NOT NULL
){{.Table}};
CREATE UNIQUE INDEX IF NOT EXISTS users_username_key_unique ON users (username_key);
CREATE UNIQUE INDEX IF NOT EXISTS users_sub_id_unique ON users (sub_id);
-- The core ignores bytes 6 and 7 of a vless id, the characters 15 to 18 of its text.
CREATE UNIQUE INDEX IF NOT EXISTS users_vless_id_unique ON users ((substr(vless_id, 1, 14) || substr(vless_id, 19)));
CREATE UNIQUE INDEX IF NOT EXISTS users_vmess_id_unique ON users (vmess_id);
CREATE UNIQUE INDEX IF NOT EXISTS users_trojan_password_unique ON users (trojan_password);
CREATE UNIQUE INDEX IF NOT EXISTS users_shadowsocks_password_unique ON users (shadowsocks_password);
CREATE UNIQUE INDEX IF NOT EXISTS users_hysteria_auth_unique ON users (hysteria_auth);
CREATE INDEX IF NOT EXISTS users_expire_at ON users (expire_at) WHERE expire_at IS NOT NULL;
CREATE INDEX IF NOT EXISTS users_next_reset_at ON users (next_reset_at) WHERE next_reset_at IS NOT NULL;
CREATE INDEX IF NOT EXISTS users_admin_id ON users (admin_id);

-- Narrow and written all the time: no index on what moves.
CREATE TABLE IF NOT EXISTS user_traffic (
  user_id       {{.Int}} PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
  up            {{.Int}} NOT NULL,
  down          {{.Int}} NOT NULL,
  lifetime_up   {{.Int}} NOT NULL,
  lifetime_down {{.Int}} NOT NULL,
  online_at     {{.Int}} NOT NULL
){{.Hot}};

CREATE TABLE IF NOT EXISTS inbounds (
  id              {{.ID}},
  tag             TEXT NOT NULL,
  remark          TEXT NOT NULL,
  protocol        TEXT NOT NULL,
  listen          TEXT NOT NULL,
  port            {{.Int}} NOT NULL,
  enabled         {{.Bool}} NOT NULL,
  anonymous       {{.Bool}} NOT NULL,
  share_address   TEXT NOT NULL,
  settings        TEXT NOT NULL,
  stream_settings TEXT NOT NULL,
  sniffing        TEXT NOT NULL,
  revision        {{.Int}} NOT NULL,
  created_at      {{.Int}} NOT NULL,
  updated_at      {{.Int}} NOT NULL
){{.Table}};
CREATE UNIQUE INDEX IF NOT EXISTS inbounds_tag_unique ON inbounds (tag);

CREATE TABLE IF NOT EXISTS user_inbounds (
  user_id    {{.Int}} NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  inbound_id {{.Int}} NOT NULL REFERENCES inbounds (id) ON DELETE CASCADE,
  PRIMARY KEY (user_id, inbound_id)
){{.Pairs}};
CREATE INDEX IF NOT EXISTS user_inbounds_inbound_id ON user_inbounds (inbound_id, user_id);

CREATE TABLE IF NOT EXISTS settings (
  key   TEXT PRIMARY KEY,
  value TEXT NOT NULL
){{.Table}};

CREATE TABLE IF NOT EXISTS cores (
  id       {{.Int}} PRIMARY KEY,
  config   TEXT NOT NULL,
  revision {{.Int}} NOT NULL
){{.Table}};

-- The log of commits: see DESIGN.md.
CREATE TABLE IF NOT EXISTS changes (
  seq  {{.ID}},
  kind TEXT NOT NULL,
  id   {{.Int}} NOT NULL,
  at   {{.Int}} NOT NULL
){{.Table}};

-- Events that wait to be delivered. user_id outlives the user; 0 = about no user.
CREATE TABLE IF NOT EXISTS outbox (
  id           {{.ID}},
  type         TEXT NOT NULL,
  user_id      {{.Int}} NOT NULL,
  payload      TEXT NOT NULL,
  created_at   {{.Int}} NOT NULL,
  attempts     {{.Int}} NOT NULL,
  next_at      {{.Int}} NOT NULL,
  delivered_at {{.Int}},
  dead_at      {{.Int}},
  last_error   TEXT NOT NULL
){{.Table}};
CREATE INDEX IF NOT EXISTS outbox_next_at ON outbox (next_at) WHERE delivered_at IS NULL AND dead_at IS NULL;

-- The chunks of traffic that are stored.
CREATE TABLE IF NOT EXISTS flushes (
  node TEXT NOT NULL,
  seq  {{.Int}} NOT NULL,
  at   {{.Int}} NOT NULL,
  PRIMARY KEY (node, seq)
){{.Pairs}};
