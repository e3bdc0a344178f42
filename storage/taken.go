package storage

import (
	"context"

	"github.com/sluicehq/sluice/kernel/domain"
)

// uniques are the columns of users that no two rows share a value of, in the order in which they are looked through.
var uniques = []struct {
	column string
	key    string // what the index compares, in SQL
	of     func(u *domain.User) string
}{
	{"username_key", "username_key", func(u *domain.User) string { return domain.NameKey(u.Username) }},
	{"sub_id", "sub_id", func(u *domain.User) string { return u.SubID }},
	{"vless_id", "(substr(vless_id, 1, 14) || substr(vless_id, 19))", func(u *domain.User) string { return u.VLESSKey() }},
	{"vmess_id", "vmess_id", func(u *domain.User) string { return u.VMessID }},
	{"trojan_password", "trojan_password", func(u *domain.User) string { return u.TrojanPassword }},
	{"shadowsocks_password", "shadowsocks_password", func(u *domain.User) string { return u.ShadowsocksPassword }},
	{"hysteria_auth", "hysteria_auth", func(u *domain.User) string { return u.HysteriaAuth }},
}

// Taken says which of users (at most 5,000) could not be written as new ones because of those that are there, as
// index in users → the first column whose value is in use. Empty values are not looked for, nor are users compared
// with each other.
func (r *Reader) Taken(ctx context.Context, users []domain.User) (map[int]string, error) {
	taken := map[int]string{}
	for _, u := range uniques {
		keys, where := []string{}, map[string][]int{}
		for i := range users {
			if key := u.of(&users[i]); key != "" {
				keys, where[key] = append(keys, key), append(where[key], i)
			}
		}
		if len(keys) == 0 {
			continue
		}
		var key string
		keep := func() {
			for _, i := range where[key] {
				if taken[i] == "" {
					taken[i] = u.column
				}
			}
		}
		if err := r.scan(ctx, []any{&key}, keep, takenKeys(u.key), r.engine.list(keys)); err != nil {
			return nil, fail(ctx, r.engine, "look for taken values", err)
		}
	}
	return taken, nil
}

// takenKeys is the query of Taken: its expression must be that of the index, which is not used otherwise.
func takenKeys(key string) string {
	return "SELECT " + key + " FROM users WHERE " + key + " " + isListed
}
