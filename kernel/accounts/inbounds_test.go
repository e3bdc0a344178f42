package accounts_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sluicehq/sluice/kernel/accounts"
	"github.com/sluicehq/sluice/kernel/core"
	"github.com/sluicehq/sluice/kernel/core/coretest"
	"github.com/sluicehq/sluice/kernel/domain"
	"github.com/sluicehq/sluice/storage"
)

// vless is an inbound on a loopback port that nothing is wrong with.
func vless(port int) domain.Inbound {
	return domain.Inbound{
		Protocol: domain.VLESS, Listen: "127.0.0.1", Port: port, Enabled: true, Settings: `{"decryption":"none"}`,
	}
}

func (b *bench) open(in domain.Inbound) accounts.InboundView {
	b.t.Helper()
	view, err := b.CreateInbound(b.t.Context(), in, nil)
	if err != nil {
		b.t.Fatal(err)
	}
	return view
}

func TestCreateInbound(t *testing.T) {
	b := newBench(t)
	b.core.before = func(call string) {
		if in, err := b.db.Inbounds(t.Context()); err != nil || len(in) != 1 {
			t.Errorf("%s comes before its commit: %v", call, err)
		}
	}
	in := vless(coretest.FreePort(t))
	in.Remark, in.ShareAddress = "DE 🇩🇪", "2001:db8::1"
	view := b.open(in)
	in.ID, in.Tag, in.Revision, in.CreatedAt, in.UpdatedAt = 1, fmt.Sprintf("in-%d-tcp", in.Port), view.Revision, start, start
	if view.Inbound != in || view.Problem != "" || view.Revision == 0 {
		t.Errorf("inbound\n got %+v\nwant %+v", view, in)
	}
	if stored, err := b.Inbound(t.Context(), 1); err != nil || stored != view {
		t.Errorf("stored %+v, %v", stored, err)
	}
	b.core.wantTold(t, "inbound 1 "+in.Tag, "reload")
}

func TestDefaultTags(t *testing.T) {
	b := newBench(t)
	port := coretest.FreePort(t)
	base := fmt.Sprintf("in-%d-tcp", port)
	for i, want := range []string{base, base + "-2", base + "-3"} {
		in := vless(port)
		in.Listen, in.Enabled = fmt.Sprintf("127.0.0.%d", i+1), false
		if view := b.open(in); view.Tag != want {
			t.Errorf("tag %q, want %q", view.Tag, want)
		}
	}
}

func TestCreateInboundRefuses(t *testing.T) {
	b := newBench(t)
	port := coretest.FreePort(t)
	first := vless(port)
	first.Tag = "first"
	b.open(first)
	second := vless(port)
	second.Tag, second.Listen, second.Enabled = "second", "127.0.0.2", false
	b.open(second)
	used := fmt.Sprintf(`port %d is already used by inbound "first" (#1)`, port)
	for _, c := range []struct {
		name   string
		change func(*domain.Inbound)
		code   domain.Code
		field  string
		want   string
	}{
		{"port of another", func(in *domain.Inbound) { in.Port = port }, domain.CodeConflict, "port", used},
		{"port of another, on all addresses", func(in *domain.Inbound) { in.Port, in.Listen = port, "" }, domain.CodeConflict, "port", used},
		{"port of another, although disabled", func(in *domain.Inbound) { in.Port, in.Enabled = port, false }, domain.CodeConflict, "port", used},
		{
			"port of one that is disabled", func(in *domain.Inbound) { in.Port, in.Listen = port, "127.0.0.2" },
			domain.CodeConflict, "port", fmt.Sprintf(`port %d is already used by inbound "second" (#2)`, port),
		},
		{"tag of another", func(in *domain.Inbound) { in.Tag = "first" }, domain.CodeConflict, "tag", "tag already in use: first"},
		{
			"share address with a port", func(in *domain.Inbound) { in.ShareAddress = "example.com:443" },
			domain.CodeInvalid, "share_address", "share_address must be a host name or an IP address, without a port",
		},
		{"long tag", func(in *domain.Inbound) { in.Tag = strings.Repeat("a", 257) }, domain.CodeInvalid, "tag", "tag is longer than 256 bytes"},
		{
			"long remark", func(in *domain.Inbound) { in.Remark = strings.Repeat("a", 257) },
			domain.CodeInvalid, "remark", "remark is longer than 256 bytes",
		},
		{
			"negative quota", func(in *domain.Inbound) { in.Quota = ptr(int64(-1)) },
			domain.CodeInvalid, "inbound_quota", "inbound_quota must not be negative",
		},
		{
			"negative expiry", func(in *domain.Inbound) { in.ExpireAt = ptr(int64(-1)) },
			domain.CodeInvalid, "inbound_expire_at", "inbound_expire_at must not be negative",
		},
		{
			"remark with NUL", func(in *domain.Inbound) { in.Remark = "a\x00" },
			domain.CodeInvalid, "remark", "remark must not contain control characters",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			b.t = t
			in := vless(coretest.FreePort(t))
			c.change(&in)
			b.refused(c.code, c.field, c.want, func(ctx context.Context) error { return open(ctx, b, in) })
		})
	}
}

func open(ctx context.Context, b *bench, in domain.Inbound) error {
	_, err := b.CreateInbound(ctx, in, nil)
	return err
}

// What the core itself refuses is refused before anything is stored. Its sentences are tested where they are made.
func TestCreateInboundThatTheCoreRefuses(t *testing.T) {
	b := newBench(t)
	for name, change := range map[string]func(*domain.Inbound){
		"protocol":       func(in *domain.Inbound) { in.Protocol = "gopher" },
		"port":           func(in *domain.Inbound) { in.Port = 0 },
		"listen":         func(in *domain.Inbound) { in.Listen = "localhost" },
		"settings":       func(in *domain.Inbound) { in.Settings = `{"decryption":` },
		"streamSettings": func(in *domain.Inbound) { in.StreamSettings = `{"network":"carrier pigeon"}` },
	} {
		t.Run(name, func(t *testing.T) {
			in := vless(coretest.FreePort(t))
			change(&in)
			before := b.lastChange()
			if err := open(t.Context(), b, in); domain.CodeOf(err) != domain.CodeInvalid {
				t.Errorf("got %v", err)
			}
			if b.lastChange() != before {
				t.Error("it is stored")
			}
		})
	}
	b.core.wantTold(t)
}

// A port that another program holds is found before the commit.
func TestCreateInboundOnABusyPort(t *testing.T) {
	b := newBench(t)
	tcp, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tcp.Close() }()
	udp, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = udp.Close() }()
	tcpPort, udpPort := tcp.Addr().(*net.TCPAddr).Port, udp.LocalAddr().(*net.UDPAddr).Port
	ss := domain.Inbound{
		Protocol: domain.Shadowsocks, Listen: "127.0.0.1", Port: udpPort, Enabled: true,
		Settings: `{"method":"aes-128-gcm","network":"udp"}`,
	}
	all := vless(tcpPort)
	all.Listen = ""
	for _, c := range []struct {
		name  string
		in    domain.Inbound
		where string
	}{{"tcp", vless(tcpPort), "127.0.0.1"}, {"udp", ss, "127.0.0.1"}, {"all addresses", all, "any address"}} {
		t.Run(c.name, func(t *testing.T) {
			b.t = t
			want := fmt.Sprintf("port %d can not be listened on at %s: it is in use, or not allowed", c.in.Port, c.where)
			b.refused(domain.CodeConflict, "port", want, func(ctx context.Context) error { return open(ctx, b, c.in) })
		})
	}
	b.t = t
	off := vless(tcpPort)
	off.Enabled = false
	b.open(off) // it does not listen, so nothing is in its way
}

// While the core is down it serves no inbound, and each says so.
func TestInboundsOfACoreThatIsDown(t *testing.T) {
	b := newBench(t)
	b.inbounds(1)
	off := domain.Inbound{Tag: "off", Protocol: domain.VLESS, Port: 50000, Settings: "{}"}
	b.write(func(tx *storage.Tx) error { return tx.InsertInbound(t.Context(), &off) })
	b.core.down = domain.Unavailable("the core is not running")
	list, err := b.Inbounds(t.Context())
	if err != nil || len(list) != 2 || list[0].Problem != "the core is not running" || list[1].Problem != "" {
		t.Errorf("inbounds %+v, %v", list, err)
	}
}

// An inbound is shown with the reason why the core does not serve it.
func TestInboundProblem(t *testing.T) {
	b := newBench(t)
	b.inbounds(2)
	b.core.problems = []core.Problem{{InboundID: 2, Tag: "in2", Reason: "the port is gone"}}
	list, err := b.Inbounds(t.Context())
	if err != nil || len(list) != 2 || list[0].Problem != "" || list[1].Problem != "the port is gone" {
		t.Errorf("list %+v, %v", list, err)
	}
	one, err := b.Inbound(t.Context(), 2)
	if err != nil || one.Problem != "the port is gone" {
		t.Errorf("one %+v, %v", one, err)
	}
	_, err = b.Inbound(t.Context(), 3)
	wantError(t, err, domain.CodeNotFound, "", "inbound not found")
}

// The users of a deleted inbound stay, and the core hears where they are now.
func TestDeleteInbound(t *testing.T) {
	b := newBench(t)
	b.inbounds(2)
	alice, bob, carol := b.user("alice"), b.user("bob"), b.user("carol")
	bob.Inbounds, carol.Inbounds = []int64{1, 2}, []int64{2}
	b.create(alice)
	b.create(bob)
	b.create(carol)
	if err := b.DeleteInbound(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	b.core.wantTold(t, "user 1 [1]", "user 2 [1 2]", "user 3 [2]", "no inbound 1", "user 1 []", "user 2 [2]", "reload")
	if view, err := b.User(t.Context(), "alice"); err != nil || view.Inbounds == nil || len(view.Inbounds) != 0 {
		t.Errorf("alice is on %v, %v", view.Inbounds, err)
	}
	b.refused(domain.CodeNotFound, "", "inbound not found", func(ctx context.Context) error { return b.DeleteInbound(ctx, 1) })
}

// What is committed has succeeded, although links are those of before until the next reconcile.
func TestReloadFails(t *testing.T) {
	b := newBench(t)
	b.core.fail = errors.New("no snapshot")
	if err := open(t.Context(), b, vless(coretest.FreePort(t))); err != nil {
		t.Errorf("got %v", err)
	}
	if n := b.logs.FilterMessage("subscriptions do not follow a commit, reconcile will retry").Len(); n != 1 {
		t.Errorf("it is logged %d times", n)
	}
	if list, err := b.Inbounds(t.Context()); err != nil || len(list) != 1 {
		t.Errorf("inbounds %v, %v", list, err)
	}
}

// Inbounds close when their time is over or their quota is used up, and open again when that changes. What has not
// changed is not touched.
func TestAdvanceInbounds(t *testing.T) {
	b := newBench(t)
	b.inbounds(2)
	advance := func(want ...string) {
		t.Helper()
		before := len(b.core.told())
		if err := b.AdvanceInbounds(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := b.core.told()[before:]; !slices.Equal(got, want) {
			t.Errorf("effects %q, want %q", got, want)
		}
	}
	change := func(id int64, do func(in *domain.Inbound)) {
		t.Helper()
		b.write(func(tx *storage.Tx) error {
			in, err := tx.Inbound(t.Context(), id)
			if err != nil {
				return err
			}
			do(&in)
			return tx.UpdateInbound(t.Context(), &in)
		})
	}
	moved := int64(0)
	move := func(up, down int64) {
		t.Helper()
		moved++
		chunk := domain.Chunk{Node: "other", Seq: moved, Inbounds: []domain.InboundDelta{{InboundID: 1, Up: up, Down: down}}}
		if err := b.db.FlushTraffic(t.Context(), chunk); err != nil {
			t.Fatal(err)
		}
	}
	problem := func(want string) {
		t.Helper()
		if view, err := b.Inbound(t.Context(), 1); err != nil || view.Problem != want {
			t.Errorf("problem %q, %v", view.Problem, err)
		}
	}
	advance("inbound 1 in1", "inbound 2 in2") // whatever the core was started with
	advance()
	change(1, func(in *domain.Inbound) { in.Quota, in.ExpireAt = ptr(int64(10)), ptr(start+day) })
	move(4, 5)
	advance()
	problem("")
	move(0, 1)
	advance("inbound 1 in1 shut")
	problem("its quota is used up")
	advance()
	change(1, func(in *domain.Inbound) { in.Quota = ptr(int64(11)) })
	advance("inbound 1 in1")
	b.clock.Advance(oneDay - time.Millisecond)
	advance()
	b.clock.Advance(time.Millisecond)
	advance("inbound 1 in1 shut")
	problem("it has expired")
	change(1, func(in *domain.Inbound) { in.ExpireAt = nil })
	move(1, 0)
	advance() // it has expired no more, but its quota is used up
	b.write(func(tx *storage.Tx) error { return tx.ResetInbound(t.Context(), 1) })
	advance("inbound 1 in1")
	problem("")
	change(2, func(in *domain.Inbound) { in.Enabled = false })
	advance("inbound 2 in2 shut")
}
