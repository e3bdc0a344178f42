package subscription

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jonboulle/clockwork"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/sluicehq/sluice/kernel/domain"
	"github.com/sluicehq/sluice/kernel/plugin"
	"github.com/sluicehq/sluice/plugins"
	"github.com/sluicehq/sluice/sdk/wire"
	"github.com/sluicehq/sluice/storage"
	"github.com/sluicehq/sluice/storage/storagetest"
)

// renderer is the real plugin host with the embedded bundle, which takes a second to load: one for all tests.
var renderer *plugin.Host

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	ctx := context.Background()
	patient := plugin.Limits{Call: map[wire.Op]time.Duration{wire.OpFormat: time.Minute, wire.OpPrepare: time.Minute}} // on a busy machine
	host, err := plugin.Open(ctx, plugin.Options{Limits: patient})
	if err != nil {
		panic(err)
	}
	defer func() {
		if err := host.Close(ctx); err != nil {
			panic(err)
		}
	}()
	bundle, err := plugins.Bundle()
	if err != nil {
		panic(err)
	}
	if err := host.LoadBundle(ctx, bundle); err != nil {
		panic(err)
	}
	renderer = host
	return m.Run()
}

// benches are the services so far. The plugins outlive each, so that each must name its lists of endpoints differently.
var benches atomic.Uint64

// start is the moment at which the clock of every test begins, in ms UTC.
const start = int64(1_790_000_000_000)

// traffic is the usage of every user, as the flusher would know it, all of it not in the database yet.
type traffic struct{ domain.Traffic }

func (u *traffic) Usage(context.Context, int64) (domain.Traffic, error) { return u.Traffic, nil }

func (u *traffic) Counted(read func() ([]domain.Account, error)) ([]domain.Account, error) {
	accounts, err := read()
	for i := range accounts {
		accounts[i].Traffic.Up += u.Up
		accounts[i].Traffic.Down += u.Down
	}
	return accounts, err
}

// bench is the service over a real database and real plugins.
type bench struct {
	*Service
	t     testing.TB
	db    *storage.DB
	logs  *observer.ObservedLogs
	used  *traffic
	admin int64
}

func newBench(t testing.TB) *bench {
	t.Helper()
	clock := clockwork.NewFakeClockAt(time.UnixMilli(start))
	db := storagetest.Open(t, storage.Options{DSN: filepath.Join(t.TempDir(), "sluice.db"), Clock: clock})
	observed, logs := observer.New(zap.WarnLevel)
	b := &bench{t: t, db: db, logs: logs, used: &traffic{}}
	b.Service = New(Options{DB: db, Clock: clock, Log: zap.New(observed), Renderer: renderer, Usage: b.used, Loopback: true})
	b.loads.Store(benches.Add(1) << 32)
	admin := domain.Admin{Username: "root", Sudo: true, Enabled: true}
	b.write(func(tx *storage.Tx) error { return tx.InsertAdmin(t.Context(), &admin) })
	b.admin = admin.ID
	return b
}

func (b *bench) write(fn func(*storage.Tx) error) {
	b.t.Helper()
	if err := b.db.Write(b.t.Context(), fn); err != nil {
		b.t.Fatal(err)
	}
}

func (b *bench) reload() {
	b.t.Helper()
	if err := b.Reload(b.t.Context()); err != nil {
		b.t.Fatal(err)
	}
}

// inbound stores a VLESS inbound after change was made to it.
func (b *bench) inbound(change func(*domain.Inbound)) int64 {
	b.t.Helper()
	in := domain.Inbound{Protocol: domain.VLESS, Port: 443, Enabled: true, Settings: `{"decryption":"none"}`}
	change(&in)
	if in.Tag == "" {
		in.Tag = in.Remark
	}
	b.write(func(tx *storage.Tx) error { return tx.InsertInbound(b.t.Context(), &in) })
	return in.ID
}

// user stores a user of the inbounds, with a sub id and credentials made of its name.
func (b *bench) user(name string, inbounds ...int64) *domain.User {
	b.t.Helper()
	u := &domain.User{Username: name, SubID: "sub-" + name, Enabled: true, AdminID: b.admin, Credentials: domain.Credentials{
		VLESSID: uuidOf(name), VMessID: uuidOf(name), TrojanPassword: "pw-" + name, ShadowsocksPassword: "pw-" + name, HysteriaAuth: "auth-" + name,
	}}
	b.write(func(tx *storage.Tx) error { return tx.InsertUser(b.t.Context(), u, inbounds) })
	return u
}

// uuidOf is a uuid that ends in the first letter of a name.
func uuidOf(name string) string { return fmt.Sprintf("b831381d-6324-4d53-ad4f-%012x", name[0]) }

// What changes in the database shows after Reload, and not before.
func TestReload(t *testing.T) {
	b := newBench(t)
	id := b.inbound(func(in *domain.Inbound) { in.Remark = "one" })
	alice := b.user("alice", id)
	if links, err := b.Links(t.Context(), alice, "localhost"); err != nil || links == nil || len(links) != 0 {
		t.Fatalf("before the first Reload: %v, %v", links, err)
	}
	b.reload()
	b.wantLinks(alice, "vless://"+uuidOf("alice")+"@localhost:443?encryption=none&security=none&type=tcp#one-alice")

	b.write(func(tx *storage.Tx) error {
		return tx.SaveSettings(t.Context(), domain.Settings{PublicHosts: []string{"example.com"}})
	})
	b.wantLinks(alice, "vless://"+uuidOf("alice")+"@localhost:443?encryption=none&security=none&type=tcp#one-alice")
	b.reload()
	b.wantLinks(alice, "vless://"+uuidOf("alice")+"@example.com:443?encryption=none&security=none&type=tcp#one-alice")
}

// An inbound that can not be described is left out and logged; a disabled one is left out.
func TestReloadLeavesOut(t *testing.T) {
	b := newBench(t)
	broken := b.inbound(func(in *domain.Inbound) { in.Remark, in.StreamSettings = "broken", `{"security":"reality"}` })
	off := b.inbound(func(in *domain.Inbound) { in.Remark, in.Enabled = "off", false })
	good := b.inbound(func(in *domain.Inbound) { in.Remark = "good" })
	alice := b.user("alice", broken, off, good)
	b.reload()
	b.wantLinks(alice, "vless://"+uuidOf("alice")+"@localhost:443?encryption=none&security=none&type=tcp#good-alice")
	entries := b.logs.All()
	if len(entries) != 1 || entries[0].Message != "inbound is left out of subscriptions" || entries[0].ContextMap()["inbound"] != "broken" {
		t.Errorf("logged %+v", entries)
	}
}

func TestReloadWithoutDatabase(t *testing.T) {
	b := newBench(t)
	b.inbound(func(in *domain.Inbound) { in.Remark = "one" })
	b.reload()
	before := b.current.Load()
	if err := b.db.Close(); err != nil {
		t.Fatal(err)
	}
	if err := b.Reload(t.Context()); err == nil || b.current.Load() != before {
		t.Errorf("Reload: %v; the snapshot must stay", err)
	}
}

// What did not change keeps its number, and with it everything that was rendered: reconciling reloads every few minutes,
// and what moved through an inbound is no change.
func TestReloadWithoutAChange(t *testing.T) {
	b := newBench(t)
	id := b.inbound(func(in *domain.Inbound) { in.Remark = "one" })
	b.front(id, func(h *domain.Host) {})
	b.reload()
	before := b.current.Load()
	b.write(func(tx *storage.Tx) error {
		return tx.AddTraffic(t.Context(), domain.Chunk{Node: "n", Seq: 1, Inbounds: []domain.InboundDelta{{InboundID: id, Up: 5, Down: 7}}})
	})
	b.reload()
	if b.current.Load() != before {
		t.Error("the snapshot is another one")
	}
	b.write(func(tx *storage.Tx) error { return tx.SaveSettings(t.Context(), domain.Settings{StatusEntry: true}) })
	b.reload()
	if after := b.current.Load(); after.number == before.number || !after.settings.StatusEntry {
		t.Errorf("after a change it is number %d", after.number)
	}
}

// Whoever reloads after a commit sees it from then on, although others reload at the same time.
func TestReloadNeverGoesBack(t *testing.T) {
	b := newBench(t)
	stop, stopped := make(chan struct{}), make(chan struct{})
	defer func() { close(stop); <-stopped }()
	var others atomic.Int64
	go func() {
		defer close(stopped)
		for {
			select {
			case <-stop:
				return
			default:
				if err := b.Reload(t.Context()); err != nil {
					t.Error(err)
					return
				}
				others.Add(1)
			}
		}
	}()
	for i := range 200 {
		id := b.inbound(func(in *domain.Inbound) { in.Tag, in.Port = fmt.Sprintf("tag%d", i), 1000+i })
		b.reload()
		for done := others.Load(); others.Load() < done+2 && !t.Failed(); runtime.Gosched() {
			if _, ok := b.current.Load().byInbound[id]; !ok { // until the other has reloaded too
				t.Fatalf("inbound %d is gone again", id)
			}
		}
	}
}
