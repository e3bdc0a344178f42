package accounts_test

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"testing"

	"github.com/google/uuid"

	"github.com/sluicehq/sluice/kernel/domain"
	"github.com/sluicehq/sluice/storage"
	"github.com/sluicehq/sluice/storage/storagetest"
)

// neighbour is another process on the same database.
type neighbour struct {
	t  *testing.T
	db *storage.DB
}

func (b *bench) neighbour() neighbour {
	b.t.Helper()
	return neighbour{b.t, storagetest.Open(b.t, storage.Options{DSN: b.file, Clock: b.clock})}
}

func (n neighbour) write(fn func(*storage.Tx) error) {
	n.t.Helper()
	if err := n.db.Write(n.t.Context(), fn); err != nil {
		n.t.Fatal(err)
	}
}

// create makes users in one transaction.
func (n neighbour) create(admin int64, names ...string) {
	n.t.Helper()
	n.write(func(tx *storage.Tx) error {
		for _, name := range names {
			id := uuid.NewString()
			u := domain.User{
				Username: name, SubID: name, Enabled: true, AdminID: admin, Status: domain.StatusActive, Credentials: domain.Credentials{
					VLESSID: id, VMessID: id, TrojanPassword: id, ShadowsocksPassword: id, HysteriaAuth: id,
				},
			}
			if err := tx.InsertUser(n.t.Context(), &u, []int64{1}); err != nil {
				return err
			}
		}
		return nil
	})
}

func (n neighbour) update(name string, change func(u *domain.User)) {
	n.t.Helper()
	n.write(func(tx *storage.Tx) error {
		u, err := tx.UserByName(n.t.Context(), name)
		if err != nil {
			return err
		}
		change(&u)
		return tx.UpdateUser(n.t.Context(), &u)
	})
}

func (b *bench) follow() {
	b.t.Helper()
	if err := b.Follow(b.t.Context()); err != nil {
		b.t.Fatal(err)
	}
}

// followed runs do of another process, and returns what the core was told when this one followed it.
func (b *bench) followed(do func(n neighbour)) []string {
	b.t.Helper()
	do(b.neighbour())
	before := len(b.core.told())
	b.follow()
	told := b.core.told()[before:]
	b.follow() // there is nothing more
	if more := b.core.told()[before+len(told):]; len(more) > 0 {
		b.t.Errorf("following again had the effects %q", more)
	}
	return told
}

func TestFollow(t *testing.T) {
	ctx := t.Context()
	moreUsers := make([]string, 1100)
	for i := range moreUsers {
		moreUsers[i] = fmt.Sprintf("more%d", i)
	}
	for _, c := range []struct {
		name string
		do   func(n neighbour)
		told []string // nil = it is not compared
	}{
		{"a new user", func(n neighbour) { n.create(1, "dave") }, []string{"user 4 [1]"}},
		{"an edit", func(n neighbour) { n.update("bob", func(u *domain.User) { u.Note = "new" }) }, []string{"user 2 [1]"}},
		{"a rename", func(n neighbour) { n.update("bob", func(u *domain.User) { u.Username = "Robert" }) }, []string{"user 2 [1]"}},
		{"two edits", func(n neighbour) {
			n.update("bob", func(u *domain.User) { u.Note = "new" })
			n.update("bob", func(u *domain.User) { u.Note = "newer" })
		}, []string{"user 2 [1]"}},
		{"a deletion", func(n neighbour) { n.write(func(tx *storage.Tx) error { return tx.DeleteUser(ctx, 2) }) }, []string{"no user 2"}},
		{"made and deleted", func(n neighbour) {
			n.create(1, "dave")
			n.write(func(tx *storage.Tx) error { return tx.DeleteUser(ctx, 4) })
		}, []string{"no user 4"}},
		{"inbounds of a user", func(n neighbour) {
			n.write(func(tx *storage.Tx) error {
				return tx.ReplaceInbounds(ctx, []domain.Account{{User: domain.User{ID: 2}, Direct: []int64{2}, Groups: []int64{}}})
			})
		}, []string{"user 2 [2]"}},
		{"a new inbound", func(n neighbour) {
			in := domain.Inbound{Tag: "new", Protocol: domain.VLESS, Port: 1, Enabled: true, Settings: "{}"}
			n.write(func(tx *storage.Tx) error { return tx.InsertInbound(ctx, &in) })
		}, []string{"inbound 3 new", "reload"}},
		{"an inbound that has expired", func(n neighbour) {
			n.write(func(tx *storage.Tx) error {
				in, err := tx.Inbound(ctx, 1)
				if err != nil {
					return err
				}
				in.ExpireAt = ptr(start)
				return tx.UpdateInbound(ctx, &in)
			})
		}, []string{"inbound 1 in1 shut", "reload"}},
		{"a deleted inbound", func(n neighbour) {
			n.write(func(tx *storage.Tx) error { _, err := tx.DeleteInbound(ctx, 2); return err })
		}, []string{"no inbound 2", "user 3 [1]", "reload"}},
		{"settings", func(n neighbour) {
			n.write(func(tx *storage.Tx) error { return tx.SaveSettings(ctx, domain.Settings{FlushSeconds: 9}) })
		}, []string{"reload"}},
		{"more than fit in one look", func(n neighbour) { n.create(1, moreUsers...) }, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBench(t)
			b.inbounds(2)
			for _, name := range []string{"alice", "bob", "carol"} {
				u := b.user(name)
				if name == "carol" {
					u.Inbounds = []int64{1, 2}
				}
				b.create(u)
			}
			b.FollowFrom(b.lastChange())
			if told := b.followed(c.do); c.told != nil && !slices.Equal(told, c.told) {
				t.Errorf("effects\n got %q\nwant %q", told, c.told)
			}
			b.agree()
			if c.name == "settings" && !reflect.DeepEqual(b.told, []domain.Settings{{FlushSeconds: 9}}) {
				t.Errorf("told of the settings %+v", b.told)
			}
		})
	}
}

// What this process commits itself is known already.
func TestFollowOwnCommits(t *testing.T) {
	b := newBench(t)
	b.inbounds(1)
	b.FollowFrom(b.lastChange())
	told := b.followed(func(neighbour) {
		b.create(b.user("alice"))
		resets(b)
		enable(false)(b)
	})
	if len(told) > 0 {
		t.Errorf("effects %q", told)
	}
}

// Where following fails it goes on later: nothing is left out.
func TestFollowFails(t *testing.T) {
	b := newBench(t)
	b.inbounds(1)
	b.FollowFrom(b.lastChange())
	b.neighbour().create(1, "alice")
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if err := b.Follow(gone); !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v", err)
	}
	b.core.fail = errors.New("the core is in pieces")
	b.follow()
	if n := b.logs.FilterMessage("core does not follow a commit, reconcile will retry").Len(); n != 1 || b.drifts != 1 {
		t.Errorf("logged %d times, %d drifts", n, b.drifts)
	}
	b.core.fail = nil
	b.follow()
	b.agree()
}

// A user's bytes that a flush has stored are not counted again when others change the user.
func TestFollowDoesNotCountTwice(t *testing.T) {
	b := newBench(t)
	b.inbounds(1)
	id := b.create(b.user("alice")).ID
	b.FollowFrom(b.lastChange())
	b.counters.move(id, 10, 0)
	flush(b)
	b.counters.move(id, 5, 0)
	b.neighbour().update("alice", func(u *domain.User) { u.Note = "new" })
	b.follow()
	if up := b.core.has(id).Traffic.Up; up != 10 {
		t.Errorf("the core has %d bytes from the database", up)
	}
	flush(b)
	if r, _ := b.directory.ByID(id); r.Up != 15 {
		t.Errorf("the directory has %d bytes", r.Up)
	}
}

// Whatever notice was lost, Reconcile finds who differs, and only those.
func TestReconcile(t *testing.T) {
	ctx := t.Context()
	missing := func(n neighbour) { n.create(1, "dave") }
	old := func(n neighbour) { n.update("bob", func(u *domain.User) { u.Note = "new" }) }
	extra := func(n neighbour) { n.write(func(tx *storage.Tx) error { return tx.DeleteUser(ctx, 3) }) }
	for _, c := range []struct {
		name string
		lost []func(n neighbour)
		want int
	}{
		{"nothing", nil, 0},
		{"a user is missing", []func(neighbour){missing}, 1},
		{"a user is old", []func(neighbour){old}, 1},
		{"a user is gone", []func(neighbour){extra}, 1},
		{"one is missing and one is gone", []func(neighbour){missing, extra}, 2},
		{"everything", []func(neighbour){missing, old, extra}, 3},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBench(t)
			b.inbounds(1)
			for _, name := range []string{"alice", "bob", "carol"} {
				b.create(b.user(name))
			}
			for _, lose := range c.lost {
				lose(b.neighbour())
			}
			b.FollowFrom(b.lastChange()) // the notices of these are lost
			told := len(b.core.told())
			for i, want := range []int{c.want, 0} {
				if n, err := b.Reconcile(ctx); n != want || err != nil {
					t.Errorf("run %d repaired %d, %v, want %d", i, n, err, want)
				}
			}
			if n := len(b.core.told()) - told; n != c.want {
				t.Errorf("%d effects, want %d", n, c.want)
			}
			b.agree()
		})
	}
}

// Changes that come in while Reconcile looks are no differences.
func TestReconcileWhileOthersWrite(t *testing.T) {
	b := newBench(t)
	b.inbounds(1)
	b.FollowFrom(b.lastChange())
	stop, done := make(chan struct{}), make(chan error, 1)
	go func() {
		for i := 0; ; i++ {
			select {
			case <-stop:
				done <- nil
				return
			default:
			}
			if _, err := b.CreateUser(t.Context(), b.user(fmt.Sprint(i)), nil); err != nil {
				done <- err
				return
			}
			if i%3 == 0 {
				if err := b.DeleteUser(t.Context(), fmt.Sprint(i), false); err != nil {
					done <- err
					return
				}
			}
		}
	}()
	for range 50 {
		if n, err := b.Reconcile(t.Context()); n != 0 || err != nil {
			t.Errorf("repaired %d, %v", n, err)
		}
	}
	close(stop)
	if err := <-done; err != nil {
		t.Error(err)
	}
	b.agree()
}
