package plugin

import (
	"strings"
	"testing"
	"time"

	"github.com/jonboulle/clockwork"

	"github.com/sluicehq/sluice/kernel/domain"
	w "github.com/sluicehq/sluice/kernel/plugin/internal/wasmtest"
	"github.com/sluicehq/sluice/sdk/wire"
)

// says is the reply of a format.
func says(body string) func(m *w.Module) {
	reply := wire.FormatReply{Body: []byte(body)}
	return func(m *w.Module) { m.Data(200, string(reply.Append(nil))) }
}

// stand is a plugin that provides the built-in items; code is what its format does.
func stand(code ...[]byte) []byte {
	reply := wire.FormatReply{Body: []byte("other")}
	code = append(code, packed(200, uint32(len(reply.Append(nil))), false))
	return guest{
		manifest: manifestOf("stand-in", items("good")[1:]...), last: says("other"),
		format: concat(code...), period: concat(append(code[:len(code)-1:len(code)-1], packed(atNever, 2, false))...),
	}.wasm()
}

func concat(parts ...[]byte) (b []byte) {
	for _, p := range parts {
		b = append(b, p...)
	}
	return b
}

func openWithBundle(t testing.TB, o Options) *Host {
	t.Helper()
	h, _ := openHost(t, o)
	if err := h.LoadBundle(background, guest{manifest: manifestOf("built-in", items("good")[1:]...)}.wasm()); err != nil {
		t.Fatal(err)
	}
	return h
}

func TestReplacingABuiltIn(t *testing.T) {
	var book policyBook
	h := openWithBundle(t, Options{Policy: book.of})
	serves := func(want string) {
		t.Helper()
		got, err := h.Render(background, &wire.FormatRequest{ID: "good"})
		if err != nil || string(got.Body)+" by "+got.By != want || got.Fallback {
			t.Errorf("got %+v, %v; want %s", got, err, want)
		}
	}
	check(t, h.Load(background, "x.wasm", stand()), nil,
		"plugin x.wasm is refused: it provides period good, which is built in and which the operator has not allowed it to replace")
	serves("good by built-in")
	if got := h.Plugins()[1]; got.State != StateRefused || !got.Conflict || got.Name != "stand-in" {
		t.Errorf("plugin %+v", got)
	}
	book.say("stand-in", domain.PluginPolicy{Replaces: true})
	if err := h.Apply(background, "stand-in"); err != nil {
		t.Fatal(err)
	}
	serves("other by stand-in")
	if got := h.Plugins()[1]; got.State != StateLoaded || strings.Join(got.Replaces, ", ") != "format good, period good" || h.Items(wire.KindFormat)[0].Builtin {
		t.Errorf("plugin %+v", got)
	}
	book.say("other", domain.PluginPolicy{Replaces: true})
	other := guest{manifest: manifestOf("other", items("good")[1])}.wasm()
	check(t, h.Load(background, "y.wasm", other), nil, "plugin y.wasm is refused: it provides period good, as x.wasm does already")
	load(t, h, "x.wasm", stand(w.Op(0x01))) // a new version
	serves("other by stand-in")
	book.say("stand-in", domain.PluginPolicy{Replaces: true, Disabled: true})
	if err := h.Apply(background, "stand-in"); err != nil {
		t.Fatal(err)
	}
	serves("good by built-in")
	if got := h.Plugins(); got[1].State != StateDisabled || got[2].State != StateLoaded || len(got[1].Replaces) != 0 {
		t.Errorf("plugins %+v", got)
	}
	book.say("stand-in", domain.PluginPolicy{})
	if err := h.Apply(background, "stand-in"); err != nil {
		t.Fatal(err)
	}
	serves("good by built-in")
	if err := h.Remove(background, "x.wasm"); err != nil {
		t.Fatal(err)
	}
	serves("good by built-in")
}

// A built-in answers the very call in which what replaces it breaks.
func TestFallback(t *testing.T) {
	for name, c := range map[string]struct {
		code []byte
		want string // what is counted, "" = the plugin's own answer stands
	}{
		"works":         {nil, ""},
		"own error":     {append(packed(atError, 9, true), w.Return...), ""},
		"trap":          {w.Unreachable, "crashed: wasm error: unreachable"},
		"loop":          {w.Forever(), "took longer than 200 ms"},
		"reply outside": {append(packed(1<<20, 9, false), w.Return...), "replied with 9 bytes at 0x100000, outside its memory"},
	} {
		t.Run(name, func(t *testing.T) {
			limits := Limits{Call: map[wire.Op]time.Duration{wire.OpFormat: 200 * time.Millisecond, wire.OpPeriod: 200 * time.Millisecond}}
			h := openWithBundle(t, Options{Limits: limits, Policy: func(string) domain.PluginPolicy { return domain.PluginPolicy{Replaces: true} }})
			load(t, h, "x.wasm", stand(c.code))
			got, err := h.Render(background, &wire.FormatRequest{ID: "good"})
			_, periodErr := h.Period(background, &wire.PeriodRequest{ID: "good"})
			info := h.Plugins()[1]
			switch {
			case name == "own error":
				check(t, err, nil, "plugin stand-in: format good: what?")
				check(t, periodErr, nil, "plugin stand-in: period good: what?")
			case err != nil || periodErr != nil:
				t.Error(err, periodErr)
			case got.Fallback != (c.want != "") || c.want != "" && (string(got.Body) != "good" || got.By != "built-in"):
				t.Errorf("got %+v", got)
			}
			if c.want == "" {
				return
			}
			if info.State != StateFailing || info.Reason != "its last call failed: it "+c.want || info.Failures != 2 || info.Calls != 2 {
				t.Errorf("plugin %+v", info)
			}
			last := h.Log("stand-in")
			if text := last[len(last)-1].Text; !strings.HasPrefix(text, "plugin failed, doing: period good, error: "+c.want) {
				t.Errorf("the log ends with %q", text)
			}
		})
	}
}

// While a plugin is switched off the built-in serves, and it is told when that begins and ends.
func TestFallbackWhileSwitchedOff(t *testing.T) {
	clock := clockwork.NewFakeClock()
	var heard told
	h := openWithBundle(t, Options{
		Clock: clock, OnNotice: heard.add, Policy: func(string) domain.PluginPolicy { return domain.PluginPolicy{Replaces: true} },
	})
	// It crashes while the request names no user: the request is shorter then.
	load(t, h, "x.wasm", stand(w.Get(1), w.Const(55), w.LessU, w.If(w.Unreachable)))
	heard.since()
	render := func(user string) string {
		t.Helper()
		got, err := h.Render(background, &wire.FormatRequest{ID: "good", User: wire.User{Username: user}})
		if err != nil {
			t.Error(err)
		}
		return string(got.Body)
	}
	for range breakerFailures {
		expect(t, []string{render("")}, "good")
	}
	expect(t, heard.since(), "plugin.switched_off stand-in")
	calls := h.Plugins()[1].Calls
	expect(t, []string{render("a user with a long name")}, "good")
	if info := h.Plugins()[1]; info.State != StateFailed || info.Calls != calls {
		t.Errorf("plugin %+v", info)
	}
	clock.Advance(breakerFirst)
	expect(t, []string{render("a user with a long name"), render("a user with a long name")}, "other", "other")
	expect(t, heard.since(), "plugin.recovered stand-in")
}
