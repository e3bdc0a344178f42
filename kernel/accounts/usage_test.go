package accounts_test

import (
	"context"
	"math"
	"testing"

	"github.com/sluicehq/sluice/kernel/accounts"
	"github.com/sluicehq/sluice/kernel/domain"
	"github.com/sluicehq/sluice/storage/storagetest"
)

func sets(up, down *int64) step {
	return func(b *bench) {
		b.t.Helper()
		if err := b.SetTraffic(b.t.Context(), "ALICE", up, down); err != nil {
			b.t.Fatal(err)
		}
	}
}

func resets(b *bench) {
	b.t.Helper()
	if err := b.ResetTraffic(b.t.Context(), "alice"); err != nil {
		b.t.Fatal(err)
	}
}

// What is set is exactly what is stored, whatever had moved before; what moves after it is added.
func TestSetTraffic(t *testing.T) {
	none := func(*accounts.NewUser) {}
	tell(t, []tale{
		{"both", none, []step{moves(1, 2), flush, moves(3, 4), sets(ptr(int64(10)), ptr(int64(20))), flush}, "active since 0d, used 10+20"},
		{"up only", none, []step{moves(1, 2), flush, moves(3, 4), sets(ptr(int64(10)), nil), flush}, "active since 0d, used 10+6"},
		{"down only", none, []step{moves(1, 2), flush, moves(3, 4), sets(nil, ptr(int64(0))), flush}, "active since 0d, used 4+0"},
		{"neither", none, []step{moves(1, 2), sets(nil, nil), flush}, "active since 0d, used 1+2"},
		{"then more", none, []step{moves(1, 2), sets(ptr(int64(10)), ptr(int64(20))), moves(1, 1), flush}, "active since 0d, used 11+21"},
		{"to the quota", quota, []step{pass(oneHour), sets(ptr(int64(60)), ptr(int64(40)))}, "limited since 1h, used 60+40"},
		{"back from the quota", quota, []step{moves(100, 0), seen(0), pass(oneHour), sets(ptr(int64(99)), nil)}, "active since 1h, used 99+0"},
		{"disabled stays", quota, []step{enable(false), sets(ptr(int64(100)), nil)}, "disabled since 0d, used 100+0"},
		{"as much as can be", quota, []step{sets(ptr(int64(1)<<61), ptr(int64(1)<<61)), moves(1, 1), flush}, "limited since 0d, used 2305843009213693953+2305843009213693953"},
	})
}

func TestResetTraffic(t *testing.T) {
	tell(t, []tale{
		{"the unflushed bytes too", quota, []step{moves(1, 2), flush, moves(10, 20), resets, flush}, "active since 0d, manual reset of 11+22 at 0d"},
		{"limited comes back", quota, []step{moves(100, 0), seen(0), pass(oneHour), resets}, "active since 1h, manual reset of 100+0 at 1h"},
		{"disabled stays", quota, []step{moves(100, 0), enable(false), resets}, "disabled since 0d, manual reset of 100+0 at 0d"},
		{"expired stays", expiring(0), []step{moves(100, 0), resets}, "expired since 0d, expires 0d, manual reset of 100+0 at 0d"},
		{"on hold stays", held(nil), []step{moves(100, 0), resets}, "on_hold since 0d, held since 0d, manual reset of 100+0 at 0d"},
		{"boundaries stay", every, []step{pass(3 * oneDay), moves(1, 0), resets}, "active since 0d, resets 10d, manual reset of 1+0 at 3d"},
		{"twice", quota, []step{moves(1, 2), resets, resets}, "active since 0d, manual reset of 1+2 at 0d, manual reset of 0+0 at 0d"},
	})
}

// Lifetime usage is never set back.
func TestLifetime(t *testing.T) {
	b := newBench(t)
	b.inbounds(1)
	b.create(b.user("alice"))
	moves(10, 20)(b)
	resets(b)
	moves(1, 2)(b)
	sets(ptr(int64(0)), ptr(int64(0)))(b)
	view, err := b.User(t.Context(), "alice")
	if want := (domain.Traffic{UserID: 1, LifetimeUp: 11, LifetimeDown: 22, OnlineAt: start}); err != nil || view.Traffic != want {
		t.Errorf("traffic %+v, %v", view.Traffic, err)
	}
	if c := b.core.has(1); c.Traffic != view.Traffic {
		t.Errorf("the core has %+v", c.Traffic)
	}
}

func TestSetTrafficRefuses(t *testing.T) {
	b := newBench(t)
	b.inbounds(1)
	b.create(b.user("alice"))
	for _, c := range []struct {
		name     string
		up, down *int64
		field    string
		want     string
	}{
		{"negative up", ptr(int64(-1)), nil, "up", "up must not be negative"},
		{"negative down", ptr(int64(1)), ptr(int64(-1)), "down", "down must not be negative"},
		{"both negative: the first is named", ptr(int64(-1)), ptr(int64(-1)), "up", "up must not be negative"},
		{"a sum that no number holds", ptr(int64(math.MaxInt64)), nil, "up", "up must be at most 2305843009213693952"},
	} {
		t.Run(c.name, func(t *testing.T) {
			b.t = t
			b.refused(domain.CodeInvalid, c.field, c.want, func(ctx context.Context) error { return b.SetTraffic(ctx, "alice", c.up, c.down) })
		})
	}
	b.t = t
	b.refused(domain.CodeNotFound, "", "client not found", func(ctx context.Context) error { return b.SetTraffic(ctx, "nobody", nil, nil) })
	b.refused(domain.CodeNotFound, "", "client not found", func(ctx context.Context) error { return b.ResetTraffic(ctx, "nobody") })
}

// Between a commit and the core's hearing of it no flush stores bytes: they would be in what the core is told and in its
// counters.
func TestNoFlushBeforeTheEffect(t *testing.T) {
	for name, do := range map[string]func(b *bench) error{
		"attached": func(b *bench) error {
			_, err := b.CreateUser(b.t.Context(), accounts.NewUser{Username: "alice", SubID: "sub", Inbounds: []int64{2}}, nil)
			return err
		},
		"detached": func(b *bench) error { return b.DeleteInbound(b.t.Context(), 1) },
		"updated": func(b *bench) error {
			_, err := b.UpdateUser(b.t.Context(), "alice", func(v *accounts.UserView) error { v.Inbounds = []int64{2}; return nil })
			return err
		},
		"followed": func(b *bench) error {
			b.behind("alice", func(u *domain.User) { u.Note = "new" })
			return b.Follow(b.t.Context())
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			b.inbounds(2)
			n := b.user("alice")
			n.SubID = "sub"
			id := b.create(n).ID
			b.FollowFrom(b.lastChange())
			flushed := make(chan error, 1)
			b.core.before = func(string) {
				b.core.before = nil
				b.counters.move(id, 10, 0)
				go func() { flushed <- b.flusher.Flush(t.Context()) }()
				for range 200 { // let the flush overtake, if it can
					if traffic, err := b.db.Traffic(t.Context(), id); err != nil || traffic.Up != 0 {
						t.Errorf("%d bytes are stored already, %v", traffic.Up, err)
						return
					}
				}
			}
			if err := do(b); err != nil {
				t.Fatal(err)
			}
			if err := <-flushed; err != nil {
				t.Fatal(err)
			}
			if r, _ := b.directory.ByID(id); b.core.has(id).Traffic.Up != 0 || r.Up != 10 {
				t.Errorf("the core was told of %d bytes, the directory has %d", b.core.has(id).Traffic.Up, r.Up)
			}
		})
	}
}

// Bytes that a failed change had in its hands are stored by the next flush, once.
func TestUsageWhenTheDiskIsFull(t *testing.T) {
	for name, do := range map[string]func(context.Context, *bench) error{
		"set":   func(ctx context.Context, b *bench) error { return b.SetTraffic(ctx, "alice", ptr(int64(1)), nil) },
		"reset": func(ctx context.Context, b *bench) error { return b.ResetTraffic(ctx, "alice") },
		"adjust": func(ctx context.Context, b *bench) error {
			_, err := b.BulkAdjust(ctx, []string{"alice"}, accounts.Adjustment{Bytes: 1}, accounts.How{})
			return err
		},
		"update": func(ctx context.Context, b *bench) error {
			_, err := b.UpdateUser(ctx, "alice", func(v *accounts.UserView) error { v.Note = "new"; return nil })
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			b.inbounds(1)
			n := b.user("alice")
			quota(&n)
			b.create(n)
			moves(5, 6)(b)
			makeRoom := storagetest.Full(t, b.db)
			b.refused(domain.CodeUnavailable, "", "the disk is full: nothing can be stored until there is room again",
				func(ctx context.Context) error { return do(ctx, b) })
			makeRoom()
			moves(10, 10)(b)
			flush(b)
			if got := b.story("alice"); got != "active since 0d, used 15+16" {
				t.Errorf("alice is %s", got)
			}
			b.agree()
		})
	}
}
