-- What the clients of a 3x-ui panel have besides a user.

-- Stored for scripts, not used.
ALTER TABLE users ADD COLUMN limit_hwid {{.Int}} NOT NULL DEFAULT 0;
ALTER TABLE users ADD COLUMN reverse TEXT NOT NULL DEFAULT '';
ALTER TABLE users ADD COLUMN ad_tag TEXT NOT NULL DEFAULT '';
ALTER TABLE users ADD COLUMN secret TEXT NOT NULL DEFAULT '';
CREATE INDEX users_tg_id ON users (tg_id) WHERE tg_id <> 0;

CREATE TABLE groups (
  id         {{.ID}},
  name       TEXT NOT NULL,
  base_up    {{.Int}} NOT NULL,
  base_down  {{.Int}} NOT NULL,
  revision   {{.Int}} NOT NULL,
  created_at {{.Int}} NOT NULL,
  updated_at {{.Int}} NOT NULL
){{.Table}};
CREATE UNIQUE INDEX groups_name_unique ON groups (name);

-- position is the group's place among the user's, from 0.
CREATE TABLE user_groups (
  user_id  {{.Int}} NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  group_id {{.Int}} NOT NULL REFERENCES groups (id) ON DELETE CASCADE,
  position {{.Int}} NOT NULL,
  PRIMARY KEY (user_id, group_id)
){{.Pairs}};
CREATE INDEX user_groups_group_id ON user_groups (group_id, user_id);

CREATE TABLE external_links (
  id          {{.ID}},
  user_id     {{.Int}} NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  position    {{.Int}} NOT NULL,
  kind        TEXT NOT NULL,
  value       TEXT NOT NULL,
  remark      TEXT NOT NULL,
  name_prefix TEXT NOT NULL,
  enabled     {{.Bool}} NOT NULL,
  expire_at   {{.Int}},
  created_at  {{.Int}} NOT NULL
){{.Table}};
CREATE INDEX external_links_user_id ON external_links (user_id, position);

-- What providers' subscriptions held last; links is one per line. No user owns a row: many may name one URL. url_key is
-- the hex SHA-256 of url: PostgreSQL has no index on texts as long as a URL may be.
CREATE TABLE external_contents (
  url_key    TEXT PRIMARY KEY,
  url        TEXT NOT NULL,
  links      TEXT NOT NULL,
  fetched_at {{.Int}} NOT NULL,
  tried_at   {{.Int}} NOT NULL,
  error      TEXT NOT NULL
){{.Table}};

-- The counters of deleted users, for the next one of the name.
CREATE TABLE kept_traffic (
  username_key  TEXT PRIMARY KEY,
  up            {{.Int}} NOT NULL,
  down          {{.Int}} NOT NULL,
  lifetime_up   {{.Int}} NOT NULL,
  lifetime_down {{.Int}} NOT NULL,
  kept_at       {{.Int}} NOT NULL
){{.Table}};

-- What requests with an Idempotency-Key were answered, so that the same request again does nothing again.
CREATE TABLE idempotency (
  token_id   {{.Int}} NOT NULL REFERENCES tokens (id) ON DELETE CASCADE,
  route      TEXT NOT NULL,
  key        TEXT NOT NULL,
  body_hash  TEXT NOT NULL,
  result     TEXT NOT NULL,
  created_at {{.Int}} NOT NULL,
  PRIMARY KEY (token_id, route, key)
){{.Table}};
