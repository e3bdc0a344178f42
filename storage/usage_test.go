package storage_test

import (
	"context"
	"math"
	"strings"
	"testing"

	"github.com/sluicehq/sluice/kernel/domain"
	"github.com/sluicehq/sluice/storage"
	"github.com/sluicehq/sluice/storage/storagetest"
)

// hour in ms; noonHour is the hour that noon lies in.
const (
	hour     int64 = 3_600_000
	noonHour       = noon - noon%hour
)

// moved is a delta at a time.
func moved(userID, at, up, down int64) domain.TrafficDelta {
	return domain.TrafficDelta{UserID: userID, OnlineAt: at, Up: up, Down: down}
}

func TestHourlyUsage(t *testing.T) {
	each(t, func(t *testing.T, db *storage.DB) {
		ctx := context.Background()
		admin := addAdmin(t, db, "root")
		u, v := addUser(t, db, admin.ID, "u").ID, addUser(t, db, admin.ID, "v").ID
		flush(t, db, chunk("n", 1, moved(u, noonHour, 1, 2), moved(v, noonHour, 100, 100), moved(999, noonHour, 1, 1)))
		flush(t, db, chunk("n", 2, moved(u, noonHour+hour-1, 10, 20), moved(v, noonHour+hour, 100, 100)))
		flush(t, db, chunk("n", 3, moved(u, noonHour+hour, 0, 0), moved(v, noonHour+2*hour, 100, 100))) // online only
		flush(t, db, chunk("n", 4, moved(u, noonHour+3*hour, 5, 0)))
		flush(t, db, chunk("n", 4, moved(u, noonHour+3*hour, 5, 0))) // the same again
		flush(t, db, chunk("n", 5, moved(u, noonHour+400*24*hour, 0, 7)))

		first := domain.HourUsage{Hour: noonHour, Up: 11, Down: 22}
		fourth := domain.HourUsage{Hour: noonHour + 3*hour, Up: 5}
		last := domain.HourUsage{Hour: noonHour + 400*24*hour, Down: 7}
		for _, test := range []struct {
			name     string
			from, to int64
			want     []domain.HourUsage
		}{
			{"all hours", noonHour, noonHour + 4*hour, []domain.HourUsage{first, fourth}},
			{"before its end", noonHour, noonHour + 3*hour, []domain.HourUsage{first}},
			{"from its start", noonHour + 3*hour, noonHour + 3*hour + 1, []domain.HourUsage{fourth}},
			{"after its start", noonHour + 1, noonHour + 3*hour, []domain.HourUsage{}},
			{"nothing", noonHour, noonHour, []domain.HourUsage{}},
			{"the last 366 days", 0, noonHour + 366*24*hour + hour, []domain.HourUsage{fourth}},
			{"no overflow", math.MinInt64, last.Hour + hour, []domain.HourUsage{last}},
			{"in the future", last.Hour + hour, last.Hour + 9*hour, []domain.HourUsage{}},
		} {
			equal(t, test.name, must(db.HourlyUsage(ctx, u, test.from, test.to))(t), test.want)
		}
		equal(t, "of nobody", must(db.HourlyUsage(ctx, 999, 0, noonHour+4*hour))(t), []domain.HourUsage{})

		write(t, db, func(tx *storage.Tx) error { return tx.ClearUsages(ctx, []int64{u}) })
		equal(t, "cleared", must(db.HourlyUsage(ctx, u, noonHour, last.Hour+hour))(t), []domain.HourUsage{})
		equal(t, "of v", len(must(db.HourlyUsage(ctx, v, noonHour, noonHour+9*hour))(t)), 3)
	})
}

func TestClearUsages(t *testing.T) {
	const n, hours = 50, 7
	each(t, func(t *testing.T, db *storage.DB) {
		ctx := context.Background()
		users := addUsers(t, db, addAdmin(t, db, "root").ID, n)
		cleared := []int64{999}
		for i := range int64(hours) {
			ds := []domain.TrafficDelta{}
			for _, u := range users {
				ds = append(ds, moved(u.ID, noonHour+i*i*hour, 1, 2))
			}
			flush(t, db, chunk("n", i+1, ds...))
		}
		for _, u := range users[5:] {
			cleared = append(cleared, u.ID)
		}
		last := must(db.LastChange(ctx))(t)
		write(t, db, func(tx *storage.Tx) error { return tx.ClearUsages(ctx, nil) })
		equal(t, "before", must(db.Count(ctx, "SELECT count(*) FROM usage_hourly"))(t), int64(n*hours))
		write(t, db, func(tx *storage.Tx) error { return tx.ClearUsages(ctx, cleared) })
		equal(t, "after", must(db.Count(ctx, "SELECT count(*) FROM usage_hourly"))(t), int64(5*hours))
		for i, want := range map[int]int{0: hours, 4: hours, 5: 0, n - 1: 0} {
			equal(t, "hours of one", len(must(db.HourlyUsage(ctx, users[i].ID, noonHour, noonHour+99*hour))(t)), want)
		}
		equal(t, "last change", must(db.LastChange(ctx))(t), last)
	})
}

// What was moved before is forgotten, what is moved after counts, also in the same hour.
func TestClearedUsageStaysAway(t *testing.T) {
	each(t, func(t *testing.T, db *storage.DB) {
		ctx := context.Background()
		admin := addAdmin(t, db, "root")
		u, v := addUser(t, db, admin.ID, "u").ID, addUser(t, db, admin.ID, "v").ID
		flush(t, db, chunk("n", 1, moved(u, noonHour-3*hour, 1, 1), moved(v, noonHour-3*hour, 1, 1)))
		flush(t, db, chunk("n", 2, moved(u, noon, 2, 2), moved(v, noon, 2, 2)))
		write(t, db, func(tx *storage.Tx) error { return tx.ClearUsages(ctx, []int64{u}) })
		equal(t, "nothing", must(db.HourlyUsage(ctx, u, 0, noonHour+hour))(t), []domain.HourUsage{})
		flush(t, db, chunk("n", 3, moved(u, noon, 3, 4)))
		equal(t, "of u", must(db.HourlyUsage(ctx, u, 0, noonHour+hour))(t), []domain.HourUsage{{Hour: noonHour, Up: 3, Down: 4}})
		equal(t, "of v", len(must(db.HourlyUsage(ctx, v, 0, noonHour+hour))(t)), 2)
	})
}

// The key of usage_hourly begins with the hour, so to look for a user's rows is to look into each hour, not at each row.
func TestHourlyUsageLooksAtNoOtherUser(t *testing.T) {
	db := storagetest.SQLite(t)
	for name, query := range storage.HourlyQueries {
		t.Run(name, func(t *testing.T) {
			plan := must(db.Plan(context.Background(), query, int64(0), noon, int64(1)))(t)
			sought := false
			for _, step := range plan {
				if strings.HasPrefix(step, "SCAN u") {
					t.Errorf("%q reads every row", step)
				}
				sought = sought || strings.HasSuffix(step, "USING PRIMARY KEY (hour=? AND user_id=?)")
			}
			if !sought {
				t.Errorf("the plan does not seek the user: %q", plan)
			}
		})
	}
}

func TestSetTraffic(t *testing.T) {
	each(t, func(t *testing.T, db *storage.DB) {
		ctx := context.Background()
		admin := addAdmin(t, db, "root")
		u, v := addUser(t, db, admin.ID, "u"), addUser(t, db, admin.ID, "v")
		flush(t, db, chunk("n", 1, moved(u.ID, 9, 5, 6), moved(v.ID, 9, 1, 1)))
		write(t, db, func(tx *storage.Tx) error { return tx.SetTraffic(ctx, u.ID, 70, 80) })
		equal(t, "set", must(db.Traffic(ctx, u.ID))(t),
			domain.Traffic{UserID: u.ID, Up: 70, Down: 80, LifetimeUp: 5, LifetimeDown: 6, OnlineAt: 9})
		equal(t, "other", must(db.Traffic(ctx, v.ID))(t),
			domain.Traffic{UserID: v.ID, Up: 1, Down: 1, LifetimeUp: 1, LifetimeDown: 1, OnlineAt: 9})
		equal(t, "last change", must(db.LastChange(ctx))(t), v.Revision)
	})
}

func TestResetTraffic(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, dsn string) {
		ctx := context.Background()
		clock := clockAt(noon)
		db := open(t, dsn, clock)
		admin := addAdmin(t, db, "root")
		u, v, w := addUser(t, db, admin.ID, "u").ID, addUser(t, db, admin.ID, "v").ID, addUser(t, db, admin.ID, "w").ID
		flush(t, db, chunk("n", 1, moved(u, 9, 5, 6), moved(v, 9, 7, 8), moved(w, 9, 1, 2)))

		// A boundary of two users, with what is not flushed yet.
		var both []domain.UsageReset
		write(t, db, func(tx *storage.Tx) (err error) {
			if err := tx.AddTraffic(ctx, chunk("n", 2, moved(u, 10, 100, 200))); err != nil {
				return err
			}
			both, err = tx.ResetTraffics(ctx, []int64{v, u}, domain.ResetByPeriod)
			return err
		})
		equal(t, "resets", both, []domain.UsageReset{
			{ID: 1, UserID: u, At: noon, Up: 105, Down: 206, Reason: domain.ResetByPeriod},
			{ID: 2, UserID: v, At: noon, Up: 7, Down: 8, Reason: domain.ResetByPeriod},
		})
		equal(t, "u", must(db.Traffic(ctx, u))(t),
			domain.Traffic{UserID: u, LifetimeUp: 105, LifetimeDown: 206, OnlineAt: 10})
		equal(t, "w", must(db.Traffic(ctx, w))(t).Used(), int64(3))

		clock.Advance(1)
		reset := func(reason domain.ResetReason) (one domain.UsageReset) {
			write(t, db, func(tx *storage.Tx) (err error) { one, err = tx.ResetTraffic(ctx, u, reason); return err })
			return one
		}
		second, third := reset(domain.ResetByOperator), reset(domain.ResetByRenewal)
		equal(t, "second", second, domain.UsageReset{ID: 3, UserID: u, At: second.At, Reason: domain.ResetByOperator})
		equal(t, "log", must(db.UsageResets(ctx, u, 9))(t), []domain.UsageReset{third, second, both[0]})
		equal(t, "newest", must(db.UsageResets(ctx, u, 1))(t), []domain.UsageReset{third})
		equal(t, "log of w", must(db.UsageResets(ctx, w, 9))(t), []domain.UsageReset{})

		write(t, db, func(tx *storage.Tx) error { return tx.DeleteUser(ctx, u) })
		equal(t, "log of the deleted", must(db.UsageResets(ctx, u, 9))(t), []domain.UsageReset{})
	})
}

// A reset that can not be whole is not at all.
func TestResetTrafficOfNobody(t *testing.T) {
	each(t, func(t *testing.T, db *storage.DB) {
		ctx := context.Background()
		u := addUser(t, db, addAdmin(t, db, "root").ID, "u").ID
		flush(t, db, chunk("n", 1, moved(u, 9, 5, 6)))
		missing := domain.NotFound("client not found")
		for name, do := range map[string]func(tx *storage.Tx) error{
			"one": func(tx *storage.Tx) error { _, err := tx.ResetTraffic(ctx, 99, domain.ResetByPeriod); return err },
			"some": func(tx *storage.Tx) error {
				_, err := tx.ResetTraffics(ctx, []int64{u, 99}, domain.ResetByPeriod)
				return err
			},
			"set": func(tx *storage.Tx) error { return tx.SetTraffic(ctx, 99, 1, 1) },
		} {
			t.Run(name, func(t *testing.T) { fails(t, db.Write(ctx, do), missing) })
		}
		write(t, db, func(tx *storage.Tx) error {
			equal(t, "none", must(tx.ResetTraffics(ctx, nil, domain.ResetByPeriod))(t), []domain.UsageReset{})
			return nil
		})
		equal(t, "used", must(db.Traffic(ctx, u))(t).Used(), int64(11))
		equal(t, "log", must(db.Count(ctx, "SELECT count(*) FROM usage_resets"))(t), int64(0))
	})
}
