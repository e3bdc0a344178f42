-- The life of a user. This step and its mark are one transaction: it runs once, so nothing here needs IF NOT EXISTS.

-- The status as it was last looked at, and since when (ms UTC). It follows from the facts, as domain.Facts has it.
ALTER TABLE users ADD COLUMN status TEXT NOT NULL DEFAULT '';
ALTER TABLE users ADD COLUMN status_since {{.Int}} NOT NULL DEFAULT 0;
UPDATE users SET status_since = updated_at, status = CASE
  WHEN NOT enabled THEN 'disabled'
  WHEN hold_since IS NOT NULL THEN 'on_hold'
  WHEN expire_at <= {{.Now}} THEN 'expired'
  WHEN quota <= (SELECT up + down FROM user_traffic WHERE user_id = users.id) THEN 'limited'
  ELSE 'active' END;

ALTER TABLE inbounds ADD COLUMN quota {{.Int}};
ALTER TABLE inbounds ADD COLUMN expire_at {{.Int}};
ALTER TABLE inbounds ADD COLUMN up {{.Int}} NOT NULL DEFAULT 0;
ALTER TABLE inbounds ADD COLUMN down {{.Int}} NOT NULL DEFAULT 0;

-- The hour comes first: the rows that one flush adds to stand together. hour is ms UTC of its start. user_id outlives
-- the user, so that deleting a user does not look for it in every hour; ids are never reused and retention clears it.
CREATE TABLE usage_hourly (
  hour    {{.Int}} NOT NULL,
  user_id {{.Int}} NOT NULL,
  up      {{.Int}} NOT NULL,
  down    {{.Int}} NOT NULL,
  PRIMARY KEY (hour, user_id)
){{.Pairs}};

-- What was used until each reset.
CREATE TABLE usage_resets (
  id      {{.ID}},
  user_id {{.Int}} NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  at      {{.Int}} NOT NULL,
  up      {{.Int}} NOT NULL,
  down    {{.Int}} NOT NULL,
  reason  TEXT NOT NULL
){{.Table}};
CREATE INDEX usage_resets_user_id ON usage_resets (user_id, at);

-- Where users came from.
CREATE TABLE user_ips (
  user_id {{.Int}} NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  ip      TEXT NOT NULL,
  node    TEXT NOT NULL,
  seen_at {{.Int}} NOT NULL,
  PRIMARY KEY (user_id, ip, node)
){{.Pairs}};
