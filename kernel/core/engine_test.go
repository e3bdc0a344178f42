package core

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"slices"
	"testing"

	"github.com/sluicehq/sluice/kernel/core/coretest"
	"github.com/sluicehq/sluice/kernel/domain"
)

// wantError compares what a caller is shown.
func wantError(t *testing.T, err error, code domain.Code, field, message string) {
	t.Helper()
	var e *domain.Error
	if !errors.As(err, &e) {
		t.Fatalf("got %v, want %s", err, message)
	}
	if e.Code != code || e.Field != field || e.Error() != message {
		t.Errorf("got %s %q: %s\nwant %s %q: %s", e.Code, e.Field, e.Error(), code, field, message)
	}
}

func TestStartServesTheOthersWhenOneInboundIsBad(t *testing.T) {
	good, bad, also := vlessInbound(1, coretest.FreePort(t)), vlessInbound(2, coretest.FreePort(t)), vlessInbound(3, coretest.FreePort(t))
	bad.StreamSettings = `{"network": "carrier-pigeon"}`
	off := vlessInbound(4, coretest.FreePort(t))
	off.Enabled = false
	e := start(t, Options{}, []domain.Inbound{good, bad, also, off}, account(7, 1, 1, 3))
	wantProblems(t, e, Problem{2, "in-2", "the inbound can not be used: Config: unknown transport protocol: carrier-pigeon"})
	origin := coretest.Origin(t)
	passes(t, coretest.Client(t, vlessOutbound(7, good.Port)), origin)
	passes(t, coretest.Client(t, vlessOutbound(7, also.Port)), origin)
	if coretest.Reachable(fmt.Sprintf("127.0.0.1:%d", off.Port)) {
		t.Error("a disabled inbound listens")
	}
	check(t, e.Health())
	wantError(t, e.Start(t.Context(), Snapshot{}), domain.CodeUnavailable, "", "the core was started before")
}

func TestStop(t *testing.T) {
	in := vlessInbound(1, coretest.FreePort(t))
	e := start(t, Options{}, []domain.Inbound{in}, account(7, 1, 1))
	origin := coretest.Origin(t)
	s := hold(t, coretest.Client(t, vlessOutbound(7, in.Port)), origin)
	check(t, e.Stop(t.Context()))
	s.isCut(t)
	if coretest.Reachable(fmt.Sprintf("127.0.0.1:%d", in.Port)) {
		t.Error("the inbound still listens")
	}
	if up, down := e.Unflushed(7); up == 0 || down == 0 {
		t.Errorf("the last traffic is gone: %d up, %d down", up, down)
	}
	wantError(t, e.Health(), domain.CodeUnavailable, "", "the core is not running")
	wantError(t, e.ApplyInbounds(t.Context(), nil, nil), domain.CodeUnavailable, "", "the core is not running")
}

func TestInboundsChangeWhileOthersRun(t *testing.T) {
	one, two := vlessInbound(1, coretest.FreePort(t)), vlessInbound(2, coretest.FreePort(t))
	e := start(t, Options{}, []domain.Inbound{one}, account(7, 1, 1, 2))
	origin := coretest.Origin(t)
	first := hold(t, coretest.Client(t, vlessOutbound(7, one.Port)), origin)

	check(t, e.ApplyInbounds(t.Context(), []domain.Inbound{two}, nil))
	proxy := coretest.Client(t, vlessOutbound(7, two.Port))
	passes(t, proxy, origin)

	remarked := one
	remarked.Remark, remarked.Revision = "what it is called changes nothing", 2
	check(t, e.ApplyInbounds(t.Context(), []domain.Inbound{remarked}, nil))
	first.flows(t)

	moved := two
	moved.Port, moved.Revision = coretest.FreePort(t), 3
	check(t, e.ApplyInbounds(t.Context(), []domain.Inbound{moved}, nil))
	check(t, e.ApplyInbounds(t.Context(), []domain.Inbound{two}, nil)) // older: left out
	refused(t, proxy, origin)
	passes(t, coretest.Client(t, vlessOutbound(7, moved.Port)), origin)

	first.flows(t)
	check(t, e.ApplyInbounds(t.Context(), nil, []int64{1}))
	first.isCut(t)
	refused(t, coretest.Client(t, vlessOutbound(7, one.Port)), origin)
}

func wantProblems(t *testing.T, e *Engine, want ...Problem) {
	t.Helper()
	if got := e.Problems(); !slices.Equal(got, want) {
		t.Errorf("problems %+v, want %+v", got, want)
	}
}

func TestInboundsThatCanNotBeOpened(t *testing.T) {
	one := vlessInbound(1, coretest.FreePort(t))
	e := start(t, Options{}, []domain.Inbound{one}, account(7, 1, 1, 2))
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	check(t, err)
	defer func() { _ = taken.Close() }()
	port := taken.Addr().(*net.TCPAddr).Port
	put := func(change func(*domain.Inbound)) error {
		in := vlessInbound(2, coretest.FreePort(t))
		change(&in)
		return e.ApplyInbounds(t.Context(), []domain.Inbound{in}, nil)
	}
	wantError(t, put(func(in *domain.Inbound) { in.Port = port }),
		domain.CodeConflict, "port", fmt.Sprintf("port %d is in use by another program", port))
	wantError(t, put(func(in *domain.Inbound) { in.Port = one.Port }),
		domain.CodeConflict, "port", fmt.Sprintf("port %d is in use by inbound in-1", one.Port))
	wantError(t, put(func(in *domain.Inbound) { in.Tag = one.Tag }),
		domain.CodeConflict, "tag", "tag in-1 is in use by another inbound")
	wantError(t, put(func(in *domain.Inbound) { in.Listen = "203.0.113.1" }),
		domain.CodeInvalid, "listen", "listen 203.0.113.1 is not an address of this machine")
	wantProblems(t, e, Problem{2, "in-2", "listen 203.0.113.1 is not an address of this machine"})
	check(t, e.ApplyInbounds(t.Context(), nil, []int64{2}))
	wantProblems(t, e)

	origin := coretest.Origin(t)
	client := coretest.Client(t, vlessOutbound(7, one.Port))
	passes(t, client, origin) // the inbound with the tag was not hit
	busy := one
	busy.Port, busy.Revision = port, 2
	wantError(t, e.ApplyInbounds(t.Context(), []domain.Inbound{busy}, nil),
		domain.CodeConflict, "port", fmt.Sprintf("port %d is in use by another program", port))
	passes(t, client, origin) // the old one runs again
	reason := fmt.Sprintf("port %d is in use by another program", port)
	wantProblems(t, e, Problem{1, "in-1", reason})

	two := vlessInbound(2, port)
	one.Revision = 3
	wantError(t, e.ApplyInbounds(t.Context(), []domain.Inbound{two, one}, nil), domain.CodeConflict, "port", reason)
	wantProblems(t, e, Problem{2, "in-2", reason}) // the one beside it is served again
	check(t, taken.Close())
	_, err = e.Audit(t.Context()) // nothing is left in the way, and what should run is tried again
	check(t, err)
	passes(t, coretest.Client(t, vlessOutbound(7, port)), origin)
	wantProblems(t, e)
}

func TestPrivateTargets(t *testing.T) {
	in := vlessInbound(1, coretest.FreePort(t))
	e := startWith(t, Options{}, "", []domain.Inbound{in}, account(7, 1, 1))
	origin := coretest.Origin(t)
	proxy := coretest.Client(t, vlessOutbound(7, in.Port))
	refused(t, proxy, origin)
	check(t, e.SetConfig(t.Context(), openConfig))
	passes(t, proxy, origin)
}

func TestSetConfigKeepsTheOldOneIfTheNewOneFails(t *testing.T) {
	in := vlessInbound(1, coretest.FreePort(t))
	e := start(t, Options{}, []domain.Inbound{in}, account(7, 1, 1))
	origin := coretest.Origin(t)
	proxy := coretest.Client(t, vlessOutbound(7, in.Port))

	s := hold(t, proxy, origin)
	err := e.SetConfig(t.Context(), `{"outbounds": [{"tag": "a", "protocol": "freedom"}, {"tag": "a", "protocol": "blackhole"}]}`)
	wantError(t, err, domain.CodeInvalid, "", "the base configuration can not be used: existing tag found: a")
	s.flows(t) // what is seen to fail before cuts nobody

	err = e.SetConfig(t.Context(), startsNot)
	wantError(t, err, domain.CodeInvalid, "",
		"the core does not start with this configuration: not all dependencies are resolved")
	s.isCut(t)
	check(t, e.Health())
	passes(t, proxy, origin)
}

// startsNot can be built, but its balancer waits for an observatory that the instance does not have.
const startsNot = `{"outbounds": [{"tag": "a", "protocol": "freedom"}],
	"routing": {"balancers": [{"tag": "b", "selector": ["a"], "strategy": {"type": "leastPing"}, "fallbackTag": "a"}]}}`

func TestOneUserDoesNotDisturbAnother(t *testing.T) {
	for _, c := range []combination{combinations[0], combinations[10], combinations[12]} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			s, port, origin := newScene(t, dir), coretest.FreePort(t), coretest.Origin(t)
			e := start(t, Options{CertDir: dir}, []domain.Inbound{c.inbound(s, 1, port)}, account(7, 1, 1), account(8, 1, 1), account(9, 1))
			alice, bob := hold(t, coretest.Client(t, c.outbound(s, 7, port)), origin), hold(t, coretest.Client(t, c.outbound(s, 8, port)), origin)
			check(t, e.ApplyUsers(t.Context(), []domain.Account{account(9, 2, 1)}, []int64{7}))
			coretest.Eventually(t, "one of the streams is cut", func() bool { return origin.Held() == 1 })
			live(t, coretest.Client(t, c.outbound(s, 9, port)), origin)
			bob.flows(t)
			before := alice.received.Load()
			bob.flows(t)
			if alice.received.Load() != before {
				t.Error("the stream of the removed user goes on")
			}
		})
	}
}

func TestUsersChange(t *testing.T) {
	in := vlessInbound(1, coretest.FreePort(t))
	e := start(t, Options{}, []domain.Inbound{in}, account(7, 5, 1))
	origin := coretest.Origin(t)
	proxy := coretest.Client(t, vlessOutbound(7, in.Port))
	apply := func(a domain.Account) { check(t, e.ApplyUsers(t.Context(), []domain.Account{a}, nil)) }
	refusedWhen := func(change func(*domain.Account)) func() domain.Account {
		return func() domain.Account {
			a := account(7, 0, 1)
			change(&a)
			return a
		}
	}
	revision := int64(6)
	past := int64(1)
	for name, make := range map[string]func() domain.Account{
		"disabled":              refusedWhen(func(a *domain.Account) { a.User.Enabled = false }),
		"detached":              refusedWhen(func(a *domain.Account) { a.Inbounds = nil }),
		"expired":               refusedWhen(func(a *domain.Account) { a.User.ExpireAt = &past }),
		"another uuid":          refusedWhen(func(a *domain.Account) { a.User.VLESSID = credentials(70).VLESSID }),
		"limited by the stored": refusedWhen(func(a *domain.Account) { a.User.Quota, a.Traffic.Up = &past, 1 }),
	} {
		t.Run(name, func(t *testing.T) {
			s := hold(t, proxy, origin)
			blocked := make()
			blocked.User.Revision = revision
			apply(blocked)
			s.isCut(t)
			refused(t, proxy, origin)
			apply(account(7, revision-1, 1)) // older: left out
			refused(t, proxy, origin)
			apply(account(7, revision+1, 1))
			passes(t, proxy, origin)
			revision += 2
		})
	}
	if n, err := e.Audit(t.Context()); n != 0 || err != nil {
		t.Errorf("the audit repaired %d and says %v, want nothing", n, err)
	}
	check(t, e.ApplyUsers(t.Context(), nil, []int64{7}))
	apply(account(7, revision+10, 1)) // an id does not come back
	refused(t, proxy, origin)
}

func TestKick(t *testing.T) {
	in := vlessInbound(1, coretest.FreePort(t))
	e := start(t, Options{}, []domain.Inbound{in}, account(7, 1, 1))
	origin := coretest.Origin(t)
	proxy := coretest.Client(t, vlessOutbound(7, in.Port))
	s := hold(t, proxy, origin)
	online := e.Online()
	if len(online) != 1 || online[0].UserID != 7 || online[0].Connections != 1 || fmt.Sprint(online[0].Addresses) != "[127.0.0.7]" {
		t.Errorf("online: %+v", online)
	}
	if n := e.Kick(7); n != 1 {
		t.Errorf("kicked %d connections, want 1", n)
	}
	s.isCut(t)
	passes(t, proxy, origin)
	if n := e.Kick(99); n != 0 {
		t.Errorf("kicked %d connections of nobody", n)
	}
}

func TestAuditMendsTheLists(t *testing.T) {
	for _, c := range []combination{combinations[0], combinations[7], combinations[8], combinations[9], combinations[10], combinations[12]} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			s, port := newScene(t, dir), coretest.FreePort(t)
			e := start(t, Options{CertDir: dir}, []domain.Inbound{c.inbound(s, 1, port)}, account(7, 1, 1), account(8, 1, 1), account(9, 1, 1))
			l := e.open[1]
			stranger, err := l.memoryUser(66, l.credential(&domain.Credentials{
				VLESSID: credentials(66).VLESSID, VMessID: credentials(66).VMessID, TrojanPassword: "x",
				ShadowsocksPassword: "x", HysteriaAuth: "x",
			}))
			check(t, err)
			check(t, l.users.RemoveUser(t.Context(), email(7)))
			check(t, l.users.AddUser(t.Context(), stranger))
			changed := credentials(80)
			other, err := l.memoryUser(8, l.credential(&changed))
			check(t, err)
			check(t, l.users.RemoveUser(t.Context(), email(8)))
			check(t, l.users.AddUser(t.Context(), other))

			if n, err := e.Audit(t.Context()); n != 3 || err != nil {
				t.Errorf("repaired %d with %v, want 3: one missing, one stranger, one with another key", n, err)
			}
			coretest.Eventually(t, "replacement is done", func() bool { return settled(e) })
			if n, err := e.Audit(t.Context()); n != 0 || err != nil {
				t.Errorf("the second audit repaired %d with %v, want nothing", n, err)
			}
			if n := e.open[1].users.GetUsersCount(context.Background()); n != 3 {
				t.Errorf("%d users are listed, want 3", n)
			}
		})
	}
}

func TestMultiplexedStreams(t *testing.T) {
	in := vlessInbound(1, coretest.FreePort(t))
	e := start(t, Options{}, []domain.Inbound{in}, account(7, 1, 1))
	origin := coretest.Origin(t)
	out := jsonObject{}
	check(t, json.Unmarshal([]byte(vlessOutbound(7, in.Port)), &out))
	out["mux"] = jsonObject{"enabled": true, "concurrency": 8}
	proxy := coretest.Client(t, toJSON(out))
	one, two := hold(t, proxy, origin), hold(t, proxy, origin)
	if online := e.Online(); len(online) != 1 || online[0].Connections != 1 {
		t.Errorf("online: %+v, want one connection that carries both streams", online)
	}
	one.flows(t)
	two.flows(t)
	check(t, e.ApplyUsers(t.Context(), nil, []int64{7}))
	one.isCut(t)
	refused(t, proxy, origin)
}

// settled says whether no inbound waits for its replacement.
func settled(e *Engine) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return len(e.stale) == 0
}

func TestAUserThatCanNotBeAdded(t *testing.T) {
	in := vlessInbound(1, coretest.FreePort(t))
	e := start(t, Options{}, []domain.Inbound{in})
	a := account(7, 1, 1)
	a.User.VLESSID = "no uuid can be this long, it is more than thirty characters"
	err := e.ApplyUsers(t.Context(), []domain.Account{a, account(8, 1, 1)}, nil)
	wantError(t, err, domain.CodeUnavailable, "", "some users are not live on every inbound yet")
	passes(t, coretest.Client(t, vlessOutbound(8, in.Port)), coretest.Origin(t))
}
