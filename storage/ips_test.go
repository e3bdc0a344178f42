package storage_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/sluicehq/sluice/kernel/domain"
	"github.com/sluicehq/sluice/storage"
)

func TestSightings(t *testing.T) {
	each(t, func(t *testing.T, db *storage.DB) {
		ctx := context.Background()
		admin := addAdmin(t, db, "root")
		u, v := addUser(t, db, admin.ID, "u"), addUser(t, db, admin.ID, "v")
		note := func(seen ...domain.Sighting) {
			t.Helper()
			if err := db.NoteSightings(ctx, seen); err != nil {
				t.Fatal(err)
			}
		}
		at := func(user domain.User, ip, node string, seen int64) domain.Sighting {
			return domain.Sighting{UserID: user.ID, IP: ip, Node: node, SeenAt: seen}
		}
		note()
		note(
			at(v, "10.0.0.1", "n1", 50), at(u, "10.0.0.1", "n1", 30), at(u, "10.0.0.1", "n1", 20), // the same twice
			at(domain.User{ID: 999}, "10.0.0.1", "n1", 1), // gone
			at(u, "2001:db8::1", "n1", 10), at(u, "10.0.0.1", "n'2?", 40),
		)
		note(at(u, "2001:db8::1", "n1", 60), at(u, "10.0.0.1", "n'2?", 39)) // one newer, one older
		want := []domain.Sighting{at(u, "2001:db8::1", "n1", 60), at(u, "10.0.0.1", "n'2?", 40), at(u, "10.0.0.1", "n1", 30)}
		equal(t, "of u", must(db.UserIPs(ctx, u.ID))(t), want)
		equal(t, "since 40", must(db.IPs(ctx, 40))(t), []domain.Sighting{want[1], want[0], at(v, "10.0.0.1", "n1", 50)})
		equal(t, "since 61", must(db.IPs(ctx, 61))(t), []domain.Sighting{})
		equal(t, "last change", must(db.LastChange(ctx))(t), v.Revision)

		write(t, db, func(tx *storage.Tx) error { return tx.ClearIPs(ctx, u.ID) })
		equal(t, "cleared", must(db.UserIPs(ctx, u.ID))(t), []domain.Sighting{})
		equal(t, "of v", len(must(db.UserIPs(ctx, v.ID))(t)), 1)
		write(t, db, func(tx *storage.Tx) error { return tx.DeleteUser(ctx, v.ID) })
		equal(t, "of the deleted", must(db.IPs(ctx, 0))(t), []domain.Sighting{})
	})
}

// More than one transaction notes, and more than one answer may hold.
func TestManySightings(t *testing.T) {
	const n = 2001
	each(t, func(t *testing.T, db *storage.DB) {
		ctx := context.Background()
		u := addUser(t, db, addAdmin(t, db, "root").ID, "u")
		seen := make([]domain.Sighting, n)
		for i := range seen {
			seen[i] = domain.Sighting{UserID: u.ID, IP: fmt.Sprint(i), Node: "n", SeenAt: int64(i)}
		}
		if err := db.NoteSightings(ctx, seen); err != nil {
			t.Fatal(err)
		}
		equal(t, "all", len(must(db.IPs(ctx, 0))(t)), n)
		newest := must(db.UserIPs(ctx, u.ID))(t)
		equal(t, "of u", len(newest), 1000)
		equal(t, "newest", newest[0], seen[n-1])
		equal(t, "oldest", newest[999], seen[n-1000])
	})
}
