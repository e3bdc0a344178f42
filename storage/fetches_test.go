package storage_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/sluicehq/sluice/kernel/domain"
	"github.com/sluicehq/sluice/storage"
)

// noted stores fetches, which must succeed.
func noted(t testing.TB, db *storage.DB, fetches ...domain.Fetch) {
	t.Helper()
	if err := db.NoteFetches(context.Background(), fetches); err != nil {
		t.Fatal(err)
	}
}

func TestNoteFetchesIsNoChange(t *testing.T) {
	each(t, func(t *testing.T, db *storage.DB) {
		ctx := context.Background()
		admin := addAdmin(t, db, "root").ID
		u, v := addUser(t, db, admin, "u"), addUser(t, db, admin, "v")
		last := must(db.LastChange(ctx))(t)
		noted(t, db, domain.Fetch{UserID: 999, At: 4, Agent: "gone"}, domain.Fetch{UserID: v.ID, At: 6, Agent: "b"},
			domain.Fetch{UserID: u.ID, At: 5, Agent: "a"})
		u.SubFetchAt, u.SubAgent, v.SubFetchAt, v.SubAgent = 5, "a", 6, "b"
		equal(t, "user", must(db.UserByID(ctx, u.ID))(t), u)
		equal(t, "the other", must(db.UserByID(ctx, v.ID))(t), v)
		equal(t, "last change", must(db.LastChange(ctx))(t), last)
	})
}

// The last ten of each user stay, whatever others fetch.
func TestSubFetches(t *testing.T) {
	each(t, func(t *testing.T, db *storage.DB) {
		ctx := context.Background()
		admin := addAdmin(t, db, "root").ID
		u, v := addUser(t, db, admin, "u").ID, addUser(t, db, admin, "v").ID
		fetch := func(user int64, at int) domain.Fetch {
			return domain.Fetch{UserID: user, At: int64(at), Agent: fmt.Sprint("app/", at, " 'x' ?")}
		}
		newest := func(user int64, at, n int) []domain.Fetch {
			all := []domain.Fetch{}
			for i := range n {
				all = append(all, fetch(user, at-i))
			}
			return all
		}
		for at := 1; at <= 13; at++ {
			noted(t, db, fetch(u, at), fetch(99, at))
		}
		for at := 1; at <= 10; at++ {
			noted(t, db, fetch(v, at))
		}
		noted(t, db, domain.Fetch{UserID: v, At: 10, Agent: "another app at once"})
		noted(t, db)
		for _, test := range []struct {
			name          string
			user          int64
			offset, limit int
			want          []domain.Fetch
			total         int
		}{
			{"all", u, 0, 99, newest(u, 13, 10), 10},
			{"first", u, 0, 2, newest(u, 13, 2), 10},
			{"next", u, 2, 2, newest(u, 11, 2), 10},
			{"last", u, 9, 2, newest(u, 4, 1), 10},
			{"behind", u, 11, 2, []domain.Fetch{}, 10},
			{"none", u, 0, 0, []domain.Fetch{}, 10},
			{"nonsense", u, -1, -1, []domain.Fetch{}, 10},
			{"of another", v, 1, 99, newest(v, 9, 9), 10},
			{"in one millisecond", v, 0, 1, []domain.Fetch{{UserID: v, At: 10, Agent: "another app at once"}}, 10},
			{"of nobody", 99, 0, 9, []domain.Fetch{}, 0},
		} {
			got, total, err := db.SubFetches(ctx, test.user, test.offset, test.limit)
			equal(t, test.name+": error", err, nil)
			equal(t, test.name, got, test.want)
			equal(t, test.name+": total", total, test.total)
		}
		write(t, db, func(tx *storage.Tx) error { return tx.DeleteUser(ctx, u) })
		equal(t, "left", must(db.Count(ctx, "SELECT count(*) FROM sub_fetches"))(t), int64(10))
	})
}
