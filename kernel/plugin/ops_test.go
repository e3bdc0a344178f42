package plugin

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jonboulle/clockwork"
	"go.uber.org/zap/zapcore"

	"github.com/sluicehq/sluice/kernel/domain"
	w "github.com/sluicehq/sluice/kernel/plugin/internal/wasmtest"
	"github.com/sluicehq/sluice/plugins"
	"github.com/sluicehq/sluice/plugins/links"
	"github.com/sluicehq/sluice/plugins/links/linkstest"
	"github.com/sluicehq/sluice/sdk/wire"
)

func loadBundle(t testing.TB, h *Host) {
	t.Helper()
	wasm, err := plugins.Bundle()
	if err != nil {
		t.Fatal(err)
	}
	if err := h.LoadBundle(background, wasm); err != nil {
		t.Fatal(err)
	}
}

func TestBundleRendersWhatNativeCodeRenders(t *testing.T) {
	h, _ := openHost(t, Options{})
	loadBundle(t, h)
	requests := map[string]*wire.FormatRequest{
		"sample": linkstest.Sample("links"), "all": linkstest.All("links"), "no endpoints": {ID: "links"},
	}
	for _, c := range linkstest.Cases() {
		requests[c.Name] = c.Request("links")
	}
	handle := uint64(0)
	for name, req := range requests {
		t.Run(name, func(t *testing.T) {
			var native links.Renderer
			list, _ := native.Links(req)
			want := map[string]string{"links": string(list), "links-base64": string(native.Base64(list))}
			handle++
			for _, prepared := range []uint64{0, handle} {
				for id, body := range want {
					req := *req
					req.ID, req.Prepared = id, prepared
					got, err := h.Render(background, &req)
					if err != nil || string(got.Body) != body {
						t.Errorf("%s, prepared as %d\n got %q, %v\nwant %q", id, prepared, got.Body, err, body)
					}
				}
			}
		})
	}
}

func TestBundleIsListed(t *testing.T) {
	h, _ := openHost(t, Options{})
	loadBundle(t, h)
	var ids []string
	for _, item := range h.Items(wire.KindFormat) {
		if !item.Builtin || len(item.SHA256) != 64 || item.ContentType == "" {
			t.Errorf("item %+v", item)
		}
		ids = append(ids, item.ID)
	}
	if !slices.IsSorted(ids) || !slices.Contains(ids, "links") || !slices.Contains(ids, "links-base64") {
		t.Errorf("formats %s", ids)
	}
	info := h.Plugins()
	if len(info) != 1 || !info[0].Builtin || info[0].State != StateLoaded || info[0].File != "" || info[0].Name != "sluice-builtin" {
		t.Errorf("plugins %+v", info)
	}
}

func TestRenderKeepsToHTTP(t *testing.T) {
	for name, c := range map[string]struct {
		reply wire.FormatReply
		want  Rendered
		err   string
	}{
		"all": {
			wire.FormatReply{Body: []byte("b"), ContentType: "text/yaml", Filename: "a b.yaml", Headers: []wire.Pair{{Name: "Announce", Value: "hi"}}},
			Rendered{Body: []byte("b"), ContentType: "text/yaml", Filename: "a b.yaml", Headers: []wire.Pair{{Name: "announce", Value: "hi"}}, By: "x"},
			"",
		},
		"nothing":            {wire.FormatReply{}, Rendered{ContentType: "text/x-test", By: "x"}, ""},
		"header not allowed": {wire.FormatReply{Headers: []wire.Pair{{Name: "set-cookie", Value: "a=b"}}}, Rendered{ContentType: "text/x-test", By: "x"}, ""},
		"header with a line": {
			wire.FormatReply{Headers: []wire.Pair{{Name: "routing", Value: "a\r\nset-cookie: b"}}},
			Rendered{},
			"replied with an unfit value for the header routing",
		},
		"file name with a folder":  {wire.FormatReply{Filename: "../x"}, Rendered{}, `replied with the file name "../x"`},
		"content type with a line": {wire.FormatReply{ContentType: "a/b\nc"}, Rendered{}, `replied with the content type "a/b c"`},
	} {
		t.Run(name, func(t *testing.T) {
			reply := c.reply.Append(nil)
			h, _ := openHost(t, Options{})
			load(t, h, "x.wasm", guest{
				manifest: manifestOf("x", `{"kind":"format","id":"f","content_type":"text/x-test"}`),
				last:     func(m *w.Module) { m.Data(atFormat, strings.Repeat("\x00", 200)); m.Data(atFormat, string(reply)) },
				format:   packed(atFormat, uint32(len(reply)), false),
			}.wasm())
			got, err := h.Render(background, &wire.FormatRequest{ID: "f"})
			if c.err != "" {
				check(t, err, ErrReply, "plugin x: format f "+c.err)
			} else if err != nil {
				t.Error(err)
			}
			if !reflect.DeepEqual(got, c.want) {
				t.Errorf("got %+v\nwant %+v", got, c.want)
			}
		})
	}
}

func TestRequestsAreStamped(t *testing.T) {
	at := time.UnixMilli(1_790_000_000_123)
	h, _ := openHost(t, Options{Clock: clockwork.NewFakeClockAt(at), Concurrency: 1})
	load(t, h, "guest.wasm", goGuest(t))
	seen := func(req wire.UsernameRequest) []string {
		t.Helper()
		req.ID = "seen"
		before := fmt.Sprint(req)
		got, err := h.Usernames(background, &req)
		if err != nil || len(got) != 3 {
			t.Fatalf("%q, %v", got, err)
		}
		if fmt.Sprint(req) != before {
			t.Errorf("the caller's request became %v", req)
		}
		return got
	}
	first, second := seen(wire.UsernameRequest{}), seen(wire.UsernameRequest{})
	if first[0] != "1790000000123" || first[1] != "32" || first[2] == second[2] {
		t.Errorf("the guest saw %q and %q", first, second)
	}
	if got := seen(wire.UsernameRequest{Now: 7, Entropy: []byte("given")}); strings.Join(got, " ") != "7 5 given" {
		t.Errorf("the guest saw %q", got)
	}
}

func TestGuestErrors(t *testing.T) {
	h, logs := openHost(t, Options{Concurrency: 1})
	load(t, h, "guest.wasm", goGuest(t))
	for range breakerFailures + 1 { // a plugin that answers is healthy
		_, err := h.Usernames(background, &wire.UsernameRequest{ID: "refuse"})
		check(t, err, nil, "plugin go-guest: username refuse: not today")
		var reported *PluginError
		if !errors.As(err, &reported) || reported.Code != wire.CodeInvalid || domain.CodeOf(err) != domain.CodeInvalid {
			t.Errorf("%#v has the code %s", reported, domain.CodeOf(err))
		}
	}
	_, kept := h.Usernames(background, &wire.UsernameRequest{ID: "refuse"})
	err := h.Event(background, &wire.EventRequest{ID: "listener", Type: "user.unlucky"})
	var reported *PluginError
	if !errors.As(kept, &reported) || reported.Message != "not today" {
		t.Errorf("the error of an earlier call has become %v: it lies in the guest's memory", kept)
	}
	check(t, err, nil, "plugin go-guest: event listener: come back later")
	if domain.CodeOf(err) != domain.CodeUnavailable {
		t.Errorf("code %s", domain.CodeOf(err))
	}
	if err := h.Event(background, &wire.EventRequest{ID: "listener", Type: "user.created", Payload: `{"id":1}`}); err != nil {
		t.Error(err)
	}
	said := logs.FilterMessage("plugin says").All()
	if len(said) != 1 || said[0].Level != zapcore.WarnLevel || said[0].ContextMap()["text"] != `seen user.created {"id":1}` ||
		said[0].ContextMap()["plugin"] != "go-guest" {
		t.Errorf("log %v", said)
	}
}

func TestUnknownItems(t *testing.T) {
	h, _ := openHost(t, Options{})
	_, err := h.Render(background, &wire.FormatRequest{ID: "x"})
	check(t, err, ErrNoItem, "there is no format x; none is loaded")
	load(t, h, "x.wasm", guest{}.wasm())
	_, err = h.Render(background, &wire.FormatRequest{ID: "x\n"})
	check(t, err, ErrNoItem, "there is no format x; known are good")
	if domain.CodeOf(err) != domain.CodeNotFound {
		t.Errorf("code %s", domain.CodeOf(err))
	}
	_, err = h.Usernames(background, &wire.UsernameRequest{ID: "good"})
	check(t, err, ErrNoItem, "there is no username good; known are evil")
}

func TestHostilePeriods(t *testing.T) {
	const at = 1_000_000
	replies := func(r wire.PeriodReply) []byte { return r.Append(nil) }
	for name, c := range map[string]struct {
		reply []byte // what the period replies
		code  []byte // what it does instead
		cause error  // nil = it is in order
		want  string
	}{
		"a millisecond later": {reply: replies(wire.PeriodReply{Next: at + 1})},
		"the end of time":     {reply: replies(wire.PeriodReply{Next: 253_402_300_799_999})},
		"now": {
			reply: replies(wire.PeriodReply{Next: at}), cause: ErrReply, want: "replied with a boundary that is not in the future",
		},
		"the past": {
			reply: replies(wire.PeriodReply{Next: -5}), cause: ErrReply, want: "replied with a boundary that is not in the future",
		},
		"nothing": {cause: ErrReply, want: "replied with a boundary that is not in the future"},
		"no date": {
			reply: replies(wire.PeriodReply{Next: 253_402_300_800_000}), cause: ErrReply, want: "replied with a boundary after the year 9999",
		},
		"garbage": {reply: []byte("garbage"), cause: ErrReply, want: "gave an unreadable reply"},
		"loop":    {code: w.Forever(), cause: ErrTimeout, want: "took longer than 100 ms"},
		"trap":    {code: w.Unreachable, cause: ErrTrap, want: "crashed: wasm error: unreachable"},
	} {
		t.Run(name, func(t *testing.T) {
			limits := Limits{}
			if c.cause == ErrTimeout {
				limits.Call = map[wire.Op]time.Duration{wire.OpPeriod: 100 * time.Millisecond}
			}
			h, _ := openHost(t, Options{Limits: limits})
			load(t, h, "x.wasm", guest{
				period: append(c.code, packed(200, uint32(len(c.reply)), false)...),
				last:   func(m *w.Module) { m.Data(200, string(c.reply)) },
			}.wasm())
			got, err := h.Period(background, &wire.PeriodRequest{ID: "good", Now: at})
			if c.cause != nil {
				check(t, err, c.cause, "plugin hand-made: period good "+c.want)
			} else if want := replies(got); err != nil || string(want) != string(c.reply) {
				t.Errorf("%+v, %v", got, err)
			}
		})
	}
}

func TestLongRequests(t *testing.T) {
	h, _ := openHost(t, Options{Concurrency: 1, Limits: Limits{Request: 100_000}})
	load(t, h, "guest.wasm", goGuest(t))
	for _, n := range []int{10, 1000, 50_000, 10, 90_000} { // the input buffer grows and is used again
		base := strings.Repeat("x", n)
		got, err := h.Usernames(background, &wire.UsernameRequest{ID: "echo", Base: base, Count: 1})
		if err != nil || len(got) != 1 || got[0] != base+"1" {
			t.Errorf("%d bytes: %d names, %v", n, len(got), err)
		}
	}
	for range breakerFailures + 1 { // not the plugin's fault
		_, err := h.Usernames(background, &wire.UsernameRequest{ID: "echo", Base: strings.Repeat("x", 100_000)})
		if err == nil || !strings.HasSuffix(err.Error(), "bytes is longer than 100000") {
			t.Errorf("error %v", err)
		}
	}
}

// settingsOf is a policy that gives settings to one plugin, and some that fit nobody to all others.
func settingsOf(name, settings string) func(string) domain.PluginPolicy {
	return func(n string) domain.PluginPolicy {
		if n != name {
			return domain.PluginPolicy{Name: n, Settings: "nonsense"}
		}
		return domain.PluginPolicy{Name: n, Settings: settings}
	}
}

func TestSettings(t *testing.T) {
	for settings, want := range map[string]string{"": "none", `{"a":1}`: `{"a":1}`} {
		h, _ := openHost(t, Options{Policy: settingsOf("go-guest", settings)})
		load(t, h, "guest.wasm", goGuest(t))
		got, err := h.Usernames(background, &wire.UsernameRequest{ID: "settings"})
		if err != nil || got[0] != want {
			t.Errorf("the guest has the settings %q, %v; want %q", got, err, want)
		}
	}
	h, _ := openHost(t, Options{Policy: settingsOf("go-guest", `{"bad":true}`)})
	check(t, h.Load(background, "guest.wasm", goGuest(t)), nil, "plugin guest.wasm is refused: its settings can not be used: bad can not be true")
}

func TestPreparedSets(t *testing.T) {
	h, _ := openHost(t, Options{Concurrency: 1})
	load(t, h, "guest.wasm", goGuest(t))
	render := func(id string, handle uint64, addresses ...string) string {
		t.Helper()
		req := &wire.FormatRequest{ID: id, Prepared: handle, User: wire.User{Username: "bob"}}
		for _, a := range addresses {
			req.Endpoints = append(req.Endpoints, wire.Endpoint{Address: a})
			req.Accounts = append(req.Accounts, wire.Account{})
		}
		got, err := h.Render(background, req)
		if err != nil {
			t.Fatal(err)
		}
		return string(got.Body)
	}
	prepared := func() string {
		t.Helper()
		got, err := h.Usernames(background, &wire.UsernameRequest{ID: "settings"})
		if err != nil {
			t.Fatal(err)
		}
		return got[1]
	}
	expect := func(got, want string, sets string) {
		t.Helper()
		if n := prepared(); got != want || n != sets {
			t.Errorf("got %q after %s sets, want %q after %s", got, n, want, sets)
		}
	}
	expect(render("list", 0, "a", "b"), "a\nb\n", "0")
	expect(render("plain", 1, "a", "b"), "a\nb\n", "0") // does not prepare
	expect(render("list", 1, "a", "b"), "a\nb\nbob", "1")
	expect(render("list", 1, "a", "b"), "a\nb\nbob", "1")
	expect(render("list", 2, "c"), "c\nbob", "2")
	for i := range uint64(wire.MaxPreparedSets) {
		render("list", 100+i, "x")
	}
	expect(render("list", 1, "a", "b"), "a\nb\nbob", "35") // both sides had dropped it
	p := h.registry.Load().items[itemKey{wire.KindFormat, "list"}].plugin
	in := p.pool.take()
	in.prepared = append(in.prepared, preparedSet{"list", 3}) // the host believes it, the guest does not hold it
	p.pool.idle = append(p.pool.idle, in)
	expect(render("list", 3, "d"), "d\nbob", "36")
}

func TestJSONCodec(t *testing.T) {
	h, logs := openHost(t, Options{})
	reply := `{"names":["a","b\u00e9"]}`
	broken := `{"next":"soon"}`
	load(t, h, "json.wasm", guest{
		imports:    importLog,
		manifest:   `{"abi":1,"name":"json","version":"1","codec":"json","provides":[` + strings.Join(items("good"), ",") + `]}`,
		errorReply: `{"code":2,"message":"what?"}`,
		evil:       [][]byte{w.Const(1), w.Const(atInput), w.Get(1), w.Call(0), packed(200, uint32(len(reply)), false)},
		period:     packed(300, uint32(len(broken)), false),
		last:       func(m *w.Module) { m.Data(200, reply); m.Data(300, broken) },
	}.wasm())
	got, err := h.Usernames(background, &wire.UsernameRequest{ID: "evil", Now: 5, Entropy: []byte{1, 2}, Base: "x", Count: 2})
	if err != nil || strings.Join(got, " ") != "a bé" {
		t.Errorf("names %q, %v", got, err)
	}
	want := `{"id":"evil","now":5,"entropy":"AQI=","base":"x","count":2}`
	if said := logs.FilterMessage("plugin says").All(); len(said) != 1 || said[0].ContextMap()["text"] != want {
		t.Errorf("the guest got %v, want %s", said, want)
	}
	_, err = h.Period(background, &wire.PeriodRequest{ID: "good"})
	check(t, err, ErrReply, "plugin json: period good gave an unreadable reply")
}

func TestCallerGivesUp(t *testing.T) {
	h, _ := openHost(t, Options{Concurrency: 1})
	load(t, h, "x.wasm", guest{}.wasm())
	p := h.registry.Load().items[itemKey{wire.KindPeriod, "good"}].plugin
	if err := p.pool.acquire(background, 0); err != nil {
		t.Fatal(err)
	}
	defer p.pool.release(nil)
	ctx, cancel := context.WithCancel(background)
	cancel()
	_, err := h.Period(ctx, &wire.PeriodRequest{ID: "good"})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}
