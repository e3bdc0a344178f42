package accounts_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/jonboulle/clockwork"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/sluicehq/sluice/kernel/accounts"
	"github.com/sluicehq/sluice/kernel/core"
	"github.com/sluicehq/sluice/kernel/directory"
	"github.com/sluicehq/sluice/kernel/domain"
	"github.com/sluicehq/sluice/kernel/jobs"
	"github.com/sluicehq/sluice/kernel/period"
	"github.com/sluicehq/sluice/kernel/username"
	"github.com/sluicehq/sluice/storage"
	"github.com/sluicehq/sluice/storage/storagetest"
)

// start is the moment at which the clock of every test begins, in ms UTC.
const start = int64(1_790_000_000_000)

// bench is the use cases over a real database, the real directory, a real flusher over counters that are fed by hand, the
// built-in periods, and a core that writes down what it is told.
type bench struct {
	*accounts.Service
	t         *testing.T
	db        *storage.DB
	file      string // of db
	core      *recorder
	counters  *counters
	flusher   *jobs.Flusher
	directory *directory.Directory
	clock     *clockwork.FakeClock
	logs      *observer.ObservedLogs
	admin     domain.Admin
	told      []domain.Settings // by OnSettings
	drifts    int               // calls of OnDrift
}

func newBench(t *testing.T) *bench {
	t.Helper()
	return newBenchWith(t, clockwork.NewFakeClockAt(time.UnixMilli(start)), period.New(builtins))
}

func newBenchWith(t *testing.T, clock *clockwork.FakeClock, periods accounts.Periods) *bench {
	t.Helper()
	file := filepath.Join(t.TempDir(), "sluice.db")
	db := storagetest.Open(t, storage.Options{DSN: file, Clock: clock})
	observed, logs := observer.New(zap.WarnLevel)
	b := &bench{
		t: t, db: db, file: file, core: &recorder{users: map[int64]domain.Account{}}, directory: directory.New(),
		clock: clock, logs: logs,
	}
	b.counters = &counters{moved: map[int64]domain.TrafficDelta{}, directory: b.directory, clock: clock}
	var err error
	if b.flusher, err = jobs.NewFlusher(t.Context(), db, b.counters, clock, "node"); err != nil {
		t.Fatal(err)
	}
	b.Service = accounts.New(accounts.Options{
		DB: db, Clock: clock, Log: zap.New(observed), CertDir: t.TempDir(), Node: "node", Core: b.core, Usage: b.flusher,
		Subscriptions: b.core, Directory: b.directory, Periods: periods,
		Names: username.New(builtins),
		OnSettings: func(s domain.Settings) {
			b.told = append(b.told, s)
			b.directory.SetDeleteLimited(s.AutoDeleteLimited)
		},
		OnDrift: func() { b.drifts++ },
	})
	b.admin = domain.Admin{Username: "root", PasswordHash: "none", Sudo: true, Enabled: true}
	b.write(func(tx *storage.Tx) error { return tx.InsertAdmin(t.Context(), &b.admin) })
	return b
}

// write changes the database behind the use cases' back.
func (b *bench) write(fn func(*storage.Tx) error) {
	b.t.Helper()
	if err := b.db.Write(b.t.Context(), fn); err != nil {
		b.t.Fatal(err)
	}
}

// inbounds stores n inbounds that the core is not told of, with the ids 1 to n.
func (b *bench) inbounds(n int) {
	b.t.Helper()
	for i := 1; i <= n; i++ {
		in := domain.Inbound{Tag: fmt.Sprintf("in%d", i), Protocol: domain.VLESS, Port: 40000 + i, Enabled: true, Settings: "{}"}
		b.write(func(tx *storage.Tx) error { return tx.InsertInbound(b.t.Context(), &in) })
		if in.ID != int64(i) {
			b.t.Fatalf("inbound %d has the id %d", i, in.ID)
		}
	}
}

// user is a NewUser that nothing is wrong with.
func (b *bench) user(name string) accounts.NewUser {
	return accounts.NewUser{Username: name, Enabled: true, AdminID: b.admin.ID, Inbounds: []int64{1}}
}

func (b *bench) create(n accounts.NewUser) accounts.UserView {
	b.t.Helper()
	view, err := b.CreateUser(b.t.Context(), n, nil)
	if err != nil {
		b.t.Fatalf("create %s: %v", n.Username, err)
	}
	return view
}

// refused runs do, which must be refused with exactly this error, and checks that it left nothing behind.
func (b *bench) refused(code domain.Code, field, sentence string, do func(context.Context) error) {
	b.t.Helper()
	before, calls := b.lastChange(), len(b.core.told())
	wantError(b.t, do(b.t.Context()), code, field, sentence)
	if after := b.lastChange(); after != before {
		b.t.Errorf("a refused request made change %d", after)
	}
	if told := b.core.told()[calls:]; len(told) > 0 {
		b.t.Errorf("a refused request had the effects %q", told)
	}
}

func (b *bench) lastChange() int64 {
	b.t.Helper()
	seq, err := b.db.LastChange(b.t.Context())
	if err != nil {
		b.t.Fatal(err)
	}
	return seq
}

func wantError(t *testing.T, err error, code domain.Code, field, sentence string) {
	t.Helper()
	var e *domain.Error
	if !errors.As(err, &e) {
		t.Fatalf("got %v, want %s: %s", err, code, sentence)
	}
	if e.Code != code || e.Field != field || e.Error() != sentence {
		t.Errorf("got  %s (%s): %s\nwant %s (%s): %s", e.Code, e.Field, e, code, field, sentence)
	}
}

// recorder is the core and the subscriptions: it writes down what it is told, in order.
type recorder struct {
	mu       sync.Mutex
	calls    []string
	batches  int // calls of ApplyUsers
	problems []core.Problem
	down     error              // what Health answers
	fail     error              // what every call answers
	before   func(call string)  // runs before a call is written down
	configs  func(string) error // what SetConfig answers

	users   map[int64]domain.Account // as they were put last; those removed are not in it
	online  []core.Online
	active  []int64
	seen    []domain.Sighting // what Sightings answers, once
	refuses map[int64]int64
}

func (r *recorder) record(ctx context.Context, call string) error {
	if r.before != nil {
		r.before(call)
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.calls = append(r.calls, call)
	return r.fail
}

func (r *recorder) told() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.calls)
}

// wantTold compares with everything that the core and the subscriptions were told since the start.
func (r *recorder) wantTold(t *testing.T, want ...string) {
	t.Helper()
	if got := r.told(); !slices.Equal(got, want) {
		t.Errorf("effects\n got %q\nwant %q", got, want)
	}
}

func (r *recorder) ApplyInbounds(ctx context.Context, put []domain.Inbound, remove []int64) error {
	var errs []error
	for _, in := range put {
		call := fmt.Sprintf("inbound %d %s", in.ID, in.Tag)
		if !in.Enabled {
			call += " shut"
		}
		errs = append(errs, r.record(ctx, call))
	}
	for _, id := range remove {
		errs = append(errs, r.record(ctx, fmt.Sprintf("no inbound %d", id)))
	}
	return errors.Join(errs...)
}

func (r *recorder) ApplyUsers(ctx context.Context, put []domain.Account, remove []int64) error {
	var errs []error
	for _, a := range put {
		errs = append(errs, r.record(ctx, fmt.Sprintf("user %d %v", a.User.ID, a.Inbounds)))
	}
	for _, id := range remove {
		errs = append(errs, r.record(ctx, fmt.Sprintf("no user %d", id)))
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.batches++
	for _, a := range put {
		r.users[a.User.ID] = a
	}
	for _, id := range remove {
		delete(r.users, id)
	}
	return errors.Join(errs...)
}

// has returns a user as the core has it, nil = it has none.
func (r *recorder) has(id int64) *domain.Account {
	r.mu.Lock()
	defer r.mu.Unlock()
	if a, ok := r.users[id]; ok {
		return &a
	}
	return nil
}

func (r *recorder) SetConfig(ctx context.Context, config string) error {
	if r.configs != nil {
		return r.configs(config)
	}
	return r.record(ctx, "config "+config)
}

func (r *recorder) Problems() []core.Problem { return r.problems }

func (r *recorder) Health() error { return r.down }

func (r *recorder) Online() []core.Online { return r.online }

func (r *recorder) ActiveInbounds() []int64 { return r.active }

func (r *recorder) Sightings() []domain.Sighting {
	seen := r.seen
	r.seen = nil
	return seen
}

func (r *recorder) SightingsOf(id int64) (seen []domain.Sighting) {
	r.seen = slices.DeleteFunc(r.seen, func(s domain.Sighting) bool {
		if s.UserID == id {
			seen = append(seen, s)
		}
		return s.UserID == id
	})
	return seen
}

func (r *recorder) ForgetAddresses(id int64) {
	_ = r.record(context.Background(), fmt.Sprintf("forget %d", id))
}

func (r *recorder) Refused(id int64) int64 { return r.refuses[id] }

func (r *recorder) Reload(ctx context.Context) error { return r.record(ctx, "reload") }

// A core that does not follow is brought back by the reconciler: the request has succeeded, and the log says so.
func TestCoreThatDoesNotFollow(t *testing.T) {
	b := newBench(t)
	b.inbounds(1)
	b.core.fail = errors.New("the core is in pieces")
	view := b.create(b.user("alice"))
	if stored, err := b.db.UserByName(t.Context(), "alice"); err != nil || stored.ID != view.ID {
		t.Fatalf("stored %+v, %v", stored, err)
	}
	if n := b.logs.FilterMessage("core does not follow a commit, reconcile will retry").Len(); n != 1 {
		t.Fatalf("logged %d times", n)
	}
}

// The caller's going away ends a request, but not the effects of one that is committed.
func TestEffectsOutliveTheCaller(t *testing.T) {
	b := newBench(t)
	b.inbounds(1)
	ctx, cancel := context.WithCancel(t.Context())
	b.core.before = func(string) { cancel() }
	_, _ = b.CreateUser(ctx, b.user("alice"), nil) // the caller is gone: its answer does not matter
	b.core.before = nil
	b.core.wantTold(t, "user 1 [1]")
}

// A user's deletion commits while the effect of its creation runs: the core must still hear of the creation first.
func TestEffectsFollowTheOrderOfCommits(t *testing.T) {
	const users = 10
	b := newBench(t)
	b.inbounds(1)
	b.core.before = func(call string) {
		var id int64
		if _, err := fmt.Sscanf(call, "user %d", &id); err != nil {
			return // a deletion
		}
		for range 100 { // let the deletion overtake, if it can
			if _, err := b.db.UserByID(t.Context(), id); err != nil {
				return
			}
		}
	}
	var all sync.WaitGroup
	for i := range users {
		name := fmt.Sprintf("user%d", i)
		all.Go(func() { _, _ = b.CreateUser(t.Context(), b.user(name), nil) }) // it may be gone before it is shown
		all.Go(func() {
			for t.Context().Err() == nil {
				err := b.DeleteUser(t.Context(), name, false)
				if domain.CodeOf(err) == domain.CodeNotFound {
					runtime.Gosched() // not created yet
					continue
				}
				if err != nil {
					t.Error(err)
				}
				return
			}
		})
	}
	all.Wait()
	told := b.core.told()
	if len(told) != 2*users {
		t.Fatalf("%d effects, want %d", len(told), 2*users)
	}
	for id := 1; id <= users; id++ {
		put, gone := slices.Index(told, fmt.Sprintf("user %d [1]", id)), slices.Index(told, fmt.Sprintf("no user %d", id))
		if put < 0 || gone < put {
			t.Errorf("user %d: created at %d, deleted at %d", id, put, gone)
		}
	}
}
