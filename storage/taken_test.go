package storage_test

import (
	"context"
	"regexp"
	"strings"
	"testing"

	"github.com/sluicehq/sluice/kernel/domain"
	"github.com/sluicehq/sluice/storage"
	"github.com/sluicehq/sluice/storage/storagetest"
)

func TestTaken(t *testing.T) {
	const uuid = "a4a9d503-90ef-4e3b-8263-81d189134136"
	each(t, func(t *testing.T, db *storage.DB) {
		ctx := context.Background()
		admin := addAdmin(t, db, "root").ID
		there, vless := addUser(t, db, admin, "Renée"), newUser(admin, "vless")
		vless.VLESSID = uuid
		addUser(t, db, admin, "it's ?")
		write(t, db, func(tx *storage.Tx) error { return tx.InsertUser(ctx, &vless, nil) })
		for _, test := range []struct {
			name, want string
			change     func(u *domain.User)
		}{
			{"nothing", "", func(*domain.User) {}},
			{"name in another spelling", "username_key", func(u *domain.User) { u.Username = "RENE\u0301E" }},
			{"name with signs", "username_key", func(u *domain.User) { u.Username = "it's ?" }},
			{"sub id", "sub_id", func(u *domain.User) { u.SubID = there.SubID }},
			{"sub id in another case", "", func(u *domain.User) { u.SubID = strings.ToUpper(there.SubID) }},
			{"vless id", "vless_id", func(u *domain.User) { u.VLESSID = there.VLESSID }},
			{"vless id to the core", "vless_id", func(u *domain.User) { u.VLESSID = strings.Replace(uuid, "4e3b", "0000", 1) }},
			{"another vless id", "", func(u *domain.User) { u.VLESSID = strings.Replace(uuid, "4e3b-8", "4e3b-9", 1) }},
			{"vmess id", "vmess_id", func(u *domain.User) { u.VMessID = there.VMessID }},
			{"trojan password", "trojan_password", func(u *domain.User) { u.TrojanPassword = there.TrojanPassword }},
			{"shadowsocks password", "shadowsocks_password", func(u *domain.User) { u.ShadowsocksPassword = there.ShadowsocksPassword }},
			{"hysteria auth", "hysteria_auth", func(u *domain.User) { u.HysteriaAuth = there.HysteriaAuth }},
			{"two, the first is told", "sub_id", func(u *domain.User) { u.SubID, u.HysteriaAuth = there.SubID, there.HysteriaAuth }},
			{"of two rows", "username_key", func(u *domain.User) { u.VLESSID, u.Username = vless.VLESSID, "renée" }},
			{"empty values", "", func(u *domain.User) { *u = domain.User{} }},
		} {
			t.Run(test.name, func(t *testing.T) {
				users := names(admin, 4)
				test.change(&users[1])
				users[3] = users[1] // as taken as the first one
				want := map[int]string{}
				if test.want != "" {
					want[1], want[3] = test.want, test.want
				}
				equal(t, "taken", must(db.Taken(ctx, users))(t), want)
			})
		}
		equal(t, "of none", must(db.Taken(ctx, nil))(t), map[int]string{})
	})
}

func TestTakenOfMany(t *testing.T) {
	const n = 5000
	each(t, func(t *testing.T, db *storage.DB) {
		admin := addAdmin(t, db, "root").ID
		addUsers(t, db, admin, 3)
		users := names(admin, n)
		want := map[int]string{0: "username_key", 1: "username_key", 2: "username_key", n - 1: "sub_id"}
		users[n-1].SubID = users[1].SubID
		write(t, db, func(tx *storage.Tx) error {
			equal(t, "taken", must(tx.Taken(context.Background(), users))(t), want)
			return nil
		})
	})
}

// brought are scans of what the query itself brings.
var brought = regexp.MustCompile("^SCAN (json_each|new|[0-9])")

// What is asked with every request must not read a table from end to end.
func TestSoughtQueries(t *testing.T) {
	db := storagetest.SQLite(t)
	for name, query := range storage.SoughtQueries() {
		args := make([]any, strings.Count(query, "$")+strings.Count(query, "?"))
		for i := range args {
			args[i] = "[]"
		}
		sought := false
		for _, step := range must(db.Plan(context.Background(), query, args...))(t) {
			sought = sought || strings.HasPrefix(step, "SEARCH ")
			if strings.HasPrefix(step, "SCAN ") && !brought.MatchString(step) {
				t.Errorf("%s: %s", name, step)
			}
		}
		if !sought {
			t.Errorf("%s: %q uses no index", name, query)
		}
	}
}
