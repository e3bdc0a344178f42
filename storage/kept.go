package storage

import (
	"context"

	"github.com/sluicehq/sluice/kernel/domain"
)

const keepTraffic = "INSERT INTO kept_traffic (username_key, up, down, lifetime_up, lifetime_down, kept_at) " +
	"SELECT username_key, up, down, lifetime_up, lifetime_down, CAST($2 AS BIGINT) " +
	"FROM users JOIN user_traffic ON user_id = id WHERE id " + isListed + " " +
	"ON CONFLICT (username_key) DO UPDATE SET up = EXCLUDED.up, down = EXCLUDED.down, " +
	"lifetime_up = EXCLUDED.lifetime_up, lifetime_down = EXCLUDED.lifetime_down, kept_at = EXCLUDED.kept_at"

// KeepTraffic keeps what users (at most 5,000) have moved under their names, in place of what was kept before, for the
// next users of these names. It comes before their deletion. Unknown users have moved nothing.
func (tx *Tx) KeepTraffic(ctx context.Context, userIDs []int64) error {
	if len(userIDs) == 0 {
		return nil
	}
	_, err := tx.raw.exec(ctx, keepTraffic, tx.engine.list(userIDs), tx.now)
	return tx.fail(ctx, "keep traffic", err)
}

const keptTraffic = "SELECT username_key, up, down, lifetime_up, lifetime_down FROM kept_traffic " +
	"WHERE username_key " + isListed

// KeptTraffic returns what is kept for the next users of these names (at most 5,000), by domain.NameKey and without UserID
// and OnlineAt; nothing for a name under which nothing is kept.
func (r *Reader) KeptTraffic(ctx context.Context, usernames []string) (map[string]domain.Traffic, error) {
	kept := map[string]domain.Traffic{}
	var (
		key string
		t   domain.Traffic
	)
	err := r.scan(ctx, []any{&key, &t.Up, &t.Down, &t.LifetimeUp, &t.LifetimeDown}, func() { kept[key] = t },
		keptTraffic, r.engine.list(nameKeys(usernames)))
	return kept, fail(ctx, r.engine, "read kept traffic", err)
}

// DropKeptTraffic forgets what is kept for these names (at most 5,000), where there is something.
func (tx *Tx) DropKeptTraffic(ctx context.Context, usernames []string) error {
	_, err := tx.raw.exec(ctx, "DELETE FROM kept_traffic WHERE username_key "+isListed, tx.engine.list(nameKeys(usernames)))
	return tx.fail(ctx, "drop kept traffic", err)
}

func nameKeys(usernames []string) []string {
	keys := make([]string, len(usernames))
	for i, name := range usernames {
		keys[i] = domain.NameKey(name)
	}
	return keys
}
