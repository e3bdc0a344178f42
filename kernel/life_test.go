package kernel

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jonboulle/clockwork"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/sluicehq/sluice/kernel/accounts"
	"github.com/sluicehq/sluice/kernel/core/coretest"
	"github.com/sluicehq/sluice/kernel/domain"
	"github.com/sluicehq/sluice/storage"
	"github.com/sluicehq/sluice/storage/storagetest"
)

// wallClock is a clock whose time of day can be set while its steady time goes on.
type wallClock struct {
	*clockwork.FakeClock
	offset atomic.Int64 // ns
}

func (c *wallClock) Now() time.Time { return c.FakeClock.Now().Add(time.Duration(c.offset.Load())) }

// house is a kernel with an admin, one vless inbound that lets users reach this machine, and a clock that stands still.
type house struct {
	*Kernel
	t     *testing.T
	clock *wallClock
	logs  *observer.ObservedLogs
	port  int
}

func newHouse(t *testing.T) *house {
	t.Helper()
	observed, logs := observer.New(zap.WarnLevel)
	h := &house{t: t, logs: logs, port: coretest.FreePort(t)}
	h.clock = &wallClock{FakeClock: clockwork.NewFakeClockAt(time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC))}
	dir := dataDir(t)
	lock := acquire(t, dir)
	k, err := Start(t.Context(), Options{Dir: dir, Log: zap.New(observed), Clock: h.clock})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := k.Stop(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
		if err := lock.Release(); err != nil {
			t.Error(err)
		}
	})
	h.Kernel = k
	h.must(k.Accounts.SetCoreConfig(t.Context(), `{"outbounds":[{"protocol":"freedom","settings":{"finalRules":[{"action":"allow"}]}}]}`))
	if _, err := k.Accounts.FirstAdmin(t.Context()); err != nil {
		t.Fatal(err)
	}
	_, err = k.Accounts.CreateInbound(t.Context(), domain.Inbound{
		Protocol: domain.VLESS, Listen: "127.0.0.1", Port: h.port, Enabled: true, Settings: `{"decryption":"none"}`,
	}, nil)
	h.must(err)
	return h
}

func (h *house) must(err error) {
	h.t.Helper()
	if err != nil {
		h.t.Fatal(err)
	}
}

// user makes a user of inbound 1, as change has it.
func (h *house) user(name string, change func(*accounts.NewUser)) {
	h.t.Helper()
	admins, err := h.db.Admins(h.t.Context())
	h.must(err)
	n := accounts.NewUser{Username: name, Enabled: true, AdminID: admins[0].ID, Inbounds: []int64{1}}
	change(&n)
	_, err = h.Accounts.CreateUser(h.t.Context(), n, nil)
	h.must(err)
}

func (h *house) get(name string) accounts.UserView {
	h.t.Helper()
	v, err := h.Accounts.User(h.t.Context(), name)
	h.must(err)
	return v
}

// client is an HTTP client that goes through the inbound as a user.
func (h *house) client(name string) *http.Client {
	h.t.Helper()
	return coretest.HTTP(h.t, coretest.Client(h.t, fmt.Sprintf(
		`{"protocol":"vless","settings":{"vnext":[{"address":"127.0.0.1","port":%d,"users":[{"id":%q,"encryption":"none"}]}]}}`,
		h.port, h.get(name).VLESSID)))
}

// jump sets the time of day and runs the job that notices.
func (h *house) jump(by time.Duration) {
	h.t.Helper()
	h.clock.offset.Add(int64(by))
	h.must(h.life.Run(h.t.Context()))
}

func ptr[T any](v T) *T { return &v }

// A clock that jumps by a day, there and back, resets nothing twice, expires nobody for good who has time left, and is
// named in the log.
func TestClockJumps(t *testing.T) {
	const day = 24 * time.Hour
	h := newHouse(t)
	noon := h.clock.Now().UnixMilli()
	h.user("daily", func(n *accounts.NewUser) { n.ResetPolicy, n.Quota = "daily", ptr(int64(100)) })
	h.user("until tonight", func(n *accounts.NewUser) { n.Username, n.ExpireAt = "tonight", ptr(noon+6*3600_000) })
	used := int64(100)
	h.must(h.Accounts.SetTraffic(t.Context(), "daily", &used, nil))
	resets := func(want int, status, tonight domain.Status) {
		t.Helper()
		log, err := h.db.UsageResets(t.Context(), h.get("daily").ID, 10)
		h.must(err)
		if len(log) != want || h.get("daily").User.Status != status || h.get("tonight").User.Status != tonight {
			t.Errorf("%d resets, daily is %s, tonight is %s; want %d, %s and %s",
				len(log), h.get("daily").User.Status, h.get("tonight").User.Status, want, status, tonight)
		}
	}
	resets(0, domain.StatusLimited, domain.StatusActive)
	h.jump(day)
	resets(1, domain.StatusActive, domain.StatusExpired)
	h.must(h.Accounts.SetTraffic(t.Context(), "daily", &used, nil))
	h.jump(-day)
	resets(1, domain.StatusLimited, domain.StatusActive)
	h.jump(day)
	resets(1, domain.StatusLimited, domain.StatusExpired) // the boundary of that day was passed before
	h.jump(day)
	resets(2, domain.StatusActive, domain.StatusExpired)
	for message, want := range map[string]int{"the clock jumped forward": 3, "the clock jumped back": 1} {
		if n := h.logs.FilterMessageSnippet(message).Len(); n != want {
			t.Errorf("%q was logged %d times, want %d", message, n, want)
		}
	}
}

// While the disk is full nothing that users moved is lost, they are still cut in time, and health says what the matter is.
func TestFullDisk(t *testing.T) {
	h := newHouse(t)
	ctx := t.Context()
	h.user("alice", func(n *accounts.NewUser) { n.ExpireAt = ptr(h.clock.Now().Add(time.Hour).UnixMilli()) })
	origin, client := coretest.Origin(t), h.client("alice")
	fetch := func() error {
		resp, err := client.Get(origin.URL + "/bytes?n=50000")
		if err != nil {
			return err
		}
		_, err = io.Copy(io.Discard, resp.Body)
		_ = resp.Body.Close()
		client.CloseIdleConnections()
		return err
	}
	settled := func() domain.Traffic { // once the connection is over, the counters stand still
		t.Helper()
		coretest.Eventually(t, "the connection ends", func() bool { return h.OnlineUsers() == 0 })
		return h.get("alice").Traffic
	}
	h.must(fetch())
	h.must(h.flusher.Flush(ctx))

	makeRoom := storagetest.Full(t, h.db)
	h.must(fetch())
	before := settled()
	for range 2 {
		if err := h.flusher.Flush(ctx); err == nil {
			t.Fatal("flushed onto a full disk")
		}
	}
	health := h.Health(ctx)
	if health.Readiness() != Degraded || health.Traffic == nil || !strings.Contains(health.Traffic.Error(), "the disk is full") {
		t.Errorf("health: %s, %v", health.Readiness(), health.Traffic)
	}
	if stored, err := h.db.Traffic(ctx, h.get("alice").ID); err != nil || stored.Used() >= before.Used() {
		t.Errorf("stored %d of %d bytes, %v", stored.Used(), before.Used(), err)
	}
	h.clock.Advance(time.Hour) // its time is over while nothing can be written
	_ = h.life.Run(ctx)        // that it fails is the point
	if err := fetch(); err == nil {
		t.Error("an expired user connects while the disk is full")
	}

	makeRoom()
	h.must(h.flusher.Flush(ctx))
	h.clock.Advance(time.Minute)
	h.must(h.life.Run(ctx))
	stored, err := h.db.Traffic(ctx, h.get("alice").ID)
	if err != nil || stored.Up != before.Up || stored.Down != before.Down {
		t.Errorf("stored %+v, %v; want %+v", stored, err, before)
	}
	if health := h.Health(ctx); health.Traffic != nil || h.get("alice").User.Status != domain.StatusExpired {
		t.Errorf("with room: %v, alice is %s", health.Traffic, h.get("alice").User.Status)
	}
}

// A subscription is renewed without a stream of its user noticing; when no renewal is left the stream ends.
func TestRenewalCutsNobody(t *testing.T) {
	const day = 24 * time.Hour
	h := newHouse(t)
	h.user("alice", func(n *accounts.NewUser) {
		n.ExpireAt, n.RenewDays, n.RenewMax = ptr(h.clock.Now().Add(day).UnixMilli()), 1, 2
	})
	resp, err := h.client("alice").Get(coretest.Origin(t).URL + "/hold")
	h.must(err)
	defer func() { _ = resp.Body.Close() }()
	flows := func() error {
		_, err := io.ReadFull(resp.Body, make([]byte, 10_000))
		return err
	}
	for renewals := 1; renewals <= 2; renewals++ {
		h.clock.Advance(day)
		h.must(h.life.Run(t.Context()))
		if v := h.get("alice"); v.Status != domain.StatusActive || v.RenewCount != renewals {
			t.Fatalf("after renewal %d alice is %s, renewed %d times", renewals, v.Status, v.RenewCount)
		}
		h.must(flows())
	}
	h.clock.Advance(day)
	h.must(h.life.Run(t.Context()))
	if v := h.get("alice"); v.Status != domain.StatusExpired || h.OnlineUsers() != 0 {
		t.Errorf("without a renewal left alice is %s, %d users online", v.Status, h.OnlineUsers())
	}
}

// So it is with a next plan.
func TestNextPlanCutsNobody(t *testing.T) {
	const day = 24 * time.Hour
	h := newHouse(t)
	h.user("alice", func(n *accounts.NewUser) {
		n.ExpireAt = ptr(h.clock.Now().Add(day).UnixMilli())
		n.NextPlan = domain.NextPlan{HasNextPlan: true, NextDuration: day.Milliseconds()}
	})
	resp, err := h.client("alice").Get(coretest.Origin(t).URL + "/hold")
	h.must(err)
	defer func() { _ = resp.Body.Close() }()
	h.clock.Advance(day)
	h.must(h.life.Run(t.Context()))
	if v := h.get("alice"); v.Status != domain.StatusActive || v.HasNextPlan {
		t.Fatalf("under its next plan alice is %s, the plan is still to come: %v", v.Status, v.HasNextPlan)
	}
	_, err = io.ReadFull(resp.Body, make([]byte, 10_000))
	h.must(err)
	h.clock.Advance(day)
	h.must(h.life.Run(t.Context()))
	if v := h.get("alice"); v.Status != domain.StatusExpired || h.OnlineUsers() != 0 {
		t.Errorf("without anything left alice is %s, %d users online", v.Status, h.OnlineUsers())
	}
}

// What differs from the database, however it came to, is found, mended, counted and logged.
func TestReconcile(t *testing.T) {
	h := newHouse(t)
	ctx := t.Context()
	for _, name := range []string{"alice", "bob"} {
		h.user(name, func(*accounts.NewUser) {})
	}
	h.must(h.reconcile(ctx))
	if n := h.Counts().Repaired; n != 0 {
		t.Fatalf("%d differences in what nobody touched", n)
	}
	// Two commits whose effects were lost, and the notice of them too.
	h.must(h.db.Write(ctx, func(tx *storage.Tx) error {
		alice, err := tx.UserByName(ctx, "alice")
		if err != nil {
			return err
		}
		alice.Enabled = false
		alice.Settle(h.clock.Now().UnixMilli(), 0)
		return errors.Join(tx.UpdateUser(ctx, &alice), tx.DeleteUser(ctx, h.get("bob").ID))
	}))
	seq, err := h.db.LastChange(ctx)
	h.must(err)
	h.Accounts.FollowFrom(seq)

	h.must(h.reconcile(ctx))
	if n := h.Counts().Repaired; n != 2 || h.logs.FilterMessageSnippet("had drifted from the database").Len() != 1 {
		t.Errorf("%d differences were mended, want 2: %+v", n, h.logs.All())
	}
	alice, _ := h.directory.ByName("alice")
	if _, there := h.directory.ByName("bob"); there || alice.Status != domain.StatusDisabled {
		t.Errorf("alice is %s, bob is there: %t", alice.Status, there)
	}
	h.must(h.reconcile(ctx))
	if n := h.Counts().Repaired; n != 2 {
		t.Errorf("%d differences after all were mended", n-2)
	}
}
