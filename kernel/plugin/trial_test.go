package plugin

import (
	"errors"
	"testing"

	"github.com/sluicehq/sluice/kernel/domain"
	w "github.com/sluicehq/sluice/kernel/plugin/internal/wasmtest"
	"github.com/sluicehq/sluice/sdk/wire"
)

// under has the same policy for every name.
func under(p domain.PluginPolicy) func(string) domain.PluginPolicy {
	return func(string) domain.PluginPolicy { return p }
}

func TestTrial(t *testing.T) {
	var heard told
	changed := 0
	h, logs := openHost(t, Options{OnNotice: heard.add, OnChange: func() { changed++ }})
	load(t, h, "x.wasm", guest{}.wasm())
	heard.since()
	logs.TakeAll()
	before := changed
	evil := guest{evil: [][]byte{w.Unreachable}, format: packed(200, 5, false), last: func(m *w.Module) { m.Data(200, "\x0a\x03new") }}
	trial, err := h.Trial(background, "x.wasm", evil.wasm(), under(domain.PluginPolicy{Disabled: true}))
	if err != nil {
		t.Fatal(err)
	}
	if got, err := trial.Render(background, &wire.FormatRequest{ID: "good"}); err != nil || string(got.Body) != "new" || got.By != "hand-made" {
		t.Errorf("the trial renders %q, %v", got.Body, err)
	}
	for range 3 * breakerFailures { // it is never switched off
		_, err := trial.Usernames(background, &wire.UsernameRequest{ID: "evil"})
		check(t, err, ErrTrap, "plugin hand-made: username evil crashed: wasm error: unreachable")
	}
	if got, err := trial.Period(background, &wire.PeriodRequest{ID: "good"}); err != nil || !got.Never {
		t.Errorf("%+v, %v", got, err)
	}
	check(t, trial.Event(background, &wire.EventRequest{ID: "e"}), ErrNoItem, "there is no event e; none is loaded")
	if err := trial.CheckParams(wire.KindPeriod, "good", "{}"); err != nil {
		t.Error(err)
	}
	if info := trial.Info(); info.Name != "hand-made" || info.State != StateLoaded || info.Failures != 15 || len(trial.Items(wire.KindUsername)) != 1 || len(trial.Log()) != 15 {
		t.Errorf("info %+v, %d log lines", info, len(trial.Log()))
	}
	stillWorks(t, h, "good")
	if got := h.Plugins()[0]; len(h.Plugins()) != 1 || got.State != StateLoaded || got.Failures != 0 || changed != before {
		t.Errorf("plugins %+v after %d changes", h.Plugins(), changed-before)
	}
	if n := len(h.Log("hand-made")); n != 1 || logs.Len() != 0 {
		t.Errorf("the log has %d lines, the plugin's %d", logs.Len(), n)
	}
	expect(t, heard.since())
	for range 2 {
		if err := trial.Close(background); err != nil {
			t.Error(err)
		}
	}
	_, err = trial.Render(background, &wire.FormatRequest{ID: "good"})
	if !errors.Is(err, ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
	h.retiring.Wait()
	if got := trial.Info(); got.Instances != 0 || got.Memory != 0 {
		t.Errorf("%d instances are left", got.Instances)
	}
}

func TestTrialsThatFail(t *testing.T) {
	h, _ := openHost(t, Options{})
	for name, c := range map[string]struct {
		file   string
		wasm   []byte
		policy domain.PluginPolicy
		want   string
	}{
		"no module":    {"x.wasm", []byte("x"), domain.PluginPolicy{}, "plugin x.wasm is refused: it can not be instrumented: it is not a WebAssembly 1 module"},
		"bad settings": {"x.wasm", goGuest(t), domain.PluginPolicy{Settings: `{"bad":true}`}, "plugin x.wasm is refused: its settings can not be used: bad can not be true"},
		"no file name": {"", nil, domain.PluginPolicy{}, "name can not be empty or name a folder"},
	} {
		t.Run(name, func(t *testing.T) {
			trial, err := h.Trial(background, c.file, c.wasm, under(c.policy))
			check(t, err, nil, c.want)
			if trial != nil {
				t.Error("there is a trial")
			}
		})
	}
	if n := len(h.Plugins()); n != 0 {
		t.Errorf("%d plugins", n)
	}
	left, err := h.Trial(background, "left.wasm", guest{}.wasm(), under(domain.PluginPolicy{})) // for the host to close
	if err != nil || left.Info().State != StateLoaded {
		t.Error(err)
	}
}
