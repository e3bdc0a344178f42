package plugin

import (
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/sluicehq/sluice/kernel/domain"
	"github.com/sluicehq/sluice/sdk/wire"
)

// told collects notices, which come from any goroutine.
type told struct {
	mu   sync.Mutex
	list []Notice
}

func (c *told) add(n Notice) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.list = append(c.list, n)
}

// since returns type and plugin of what was told since the last call.
func (c *told) since() (list []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, n := range c.list {
		list = append(list, n.Type+" "+n.Plugin)
	}
	c.list = nil
	return list
}

func TestApplySettings(t *testing.T) {
	var book policyBook
	changed := 0
	h, _ := openHost(t, Options{Policy: book.of, OnChange: func() { changed++ }})
	load(t, h, "guest.wasm", goGuest(t))
	loaded := changed
	has := func(want string) {
		t.Helper()
		got, err := h.Usernames(background, &wire.UsernameRequest{ID: "settings"})
		if err != nil || got[0] != want {
			t.Errorf("the guest has the settings %q, %v; want %q", got, err, want)
		}
	}
	apply := func(settings string) error {
		book.say("go-guest", domain.PluginPolicy{Settings: settings})
		return h.Apply(background, "go-guest")
	}
	has("none")
	if err := apply(`{"a":1}`); err != nil || changed != loaded+1 {
		t.Errorf("%v, %d changes", err, changed-loaded)
	}
	has(`{"a":1}`)
	calls := h.Plugins()[0].Calls
	for settings, want := range map[string]string{
		`{"bad":true}`: "its settings can not be used: bad can not be true",
		`[]`:           "its settings do not fit: must be a JSON object",
		`{"a":"` + strings.Repeat("x", maxSettings) + `"}`: "its settings do not fit: must have at most 65536 bytes",
	} {
		check(t, apply(settings), nil, "plugin go-guest goes on as before: "+want)
		has(`{"a":1}`)
	}
	if got := h.Plugins()[0]; got.Settings != `{"a":1}` || got.Calls != calls+3 || changed != loaded+1 {
		t.Errorf("settings %s, %d calls, %d changes", got.Settings, got.Calls-calls, changed-loaded)
	}
	book.say("go-guest", domain.PluginPolicy{Secret: "hunter2"})
	check(t, h.Apply(background, "go-guest"), nil, "plugin go-guest goes on as before: its secret is not whsec_ and base64")
	if err := h.Apply(background, "nobody"); err != nil {
		t.Error(err)
	}
	h.retiring.Wait()
	if got := h.Plugins()[0]; got.Instances != 1 || got.Memory == 0 {
		t.Errorf("%d instances with %d bytes are left", got.Instances, got.Memory)
	}
}

func TestCheckSettings(t *testing.T) {
	h, _ := openHost(t, Options{})
	load(t, h, "guest.wasm", goGuest(t))
	load(t, h, "plain.wasm", guest{}.wasm())
	strict := `{"abi":1,"name":"strict","version":"1","settings_schema":{"properties":{"n":{"type":"integer"}},"required":["n"]},"provides":[{"kind":"period","id":"p"}]}`
	load(t, h, "strict.wasm", guest{manifest: strict}.wasm())
	for name, c := range map[string]struct{ plugin, settings, want string }{
		"good":             {"go-guest", `{"a":1}`, ""},
		"none":             {"strict", "", ""},
		"refused":          {"go-guest", `{"bad":true}`, "can not be used: bad can not be true"},
		"no object":        {"go-guest", "1", "must be a JSON object"},
		"missing":          {"strict", "{}", "n is required"},
		"another type":     {"strict", `{"n":"x"}`, "n must be a whole number"},
		"takes none":       {"hand-made", `{"a":1}`, "a is not a known parameter"},
		"not implemented":  {"strict", `{"n":1}`, "can not be used: what?"},
		"nobody":           {"nobody", "{}", "there is no plugin nobody"},
		"nobody, hostile ": {"no\nbody", "{}", "there is no plugin no body"},
	} {
		t.Run(name, func(t *testing.T) {
			err := h.CheckSettings(c.plugin, c.settings)
			if c.want == "" && err != nil {
				t.Error(err)
			} else if c.want != "" {
				check(t, err, nil, c.want)
			}
		})
	}
	h.retiring.Wait()
	for _, info := range h.Plugins() {
		if info.Instances != 1 {
			t.Errorf("%s has %d instances", info.Name, info.Instances)
		}
	}
}

func TestDisable(t *testing.T) {
	var book policyBook
	h, _ := openHost(t, Options{Policy: book.of})
	load(t, h, "x.wasm", guest{}.wasm())
	book.say("hand-made", domain.PluginPolicy{Disabled: true})
	if err := h.Apply(background, "hand-made"); err != nil {
		t.Fatal(err)
	}
	h.retiring.Wait()
	_, err := h.Period(background, &wire.PeriodRequest{ID: "good"})
	check(t, err, ErrNoItem, "there is no period good; none is loaded")
	if info := h.Plugins()[0]; info.State != StateDisabled || info.Reason != "" || info.Instances != 0 || len(info.Provides) != 3 {
		t.Errorf("plugin %+v", info)
	}
	load(t, h, "x.wasm", guest{pages: 2}.wasm()) // another version is disabled too
	if info := h.Plugins()[0]; info.State != StateDisabled {
		t.Errorf("plugin %+v", info)
	}
	book.say("hand-made", domain.PluginPolicy{})
	if err := h.Apply(background, "hand-made"); err != nil {
		t.Fatal(err)
	}
	stillWorks(t, h, "good")
}

// What is refused because of another plugin is let in when that is gone.
func TestTheSecondGetsItsChance(t *testing.T) {
	var book policyBook
	var heard told
	h, _ := openHost(t, Options{Policy: book.of, OnNotice: heard.add})
	named := func(name string, ids ...string) []byte {
		var items []string
		for _, id := range ids {
			items = append(items, fmt.Sprintf(`{"kind":"period","id":%q}`, id))
		}
		return guest{manifest: manifestOf(name, items...)}.wasm()
	}
	states := func(want ...string) {
		t.Helper()
		var got []string
		for _, i := range h.Plugins() {
			got = append(got, fmt.Sprintf("%s %s %t", i.Name, i.State, i.Conflict))
		}
		expect(t, got, want...)
	}
	load(t, h, "a.wasm", named("a", "x"))
	check(t, h.Load(background, "b.wasm", named("b", "x", "y")), nil, "plugin b.wasm is refused: it provides period x, as a.wasm does already")
	check(t, h.Load(background, "c.wasm", named("a", "z")), nil, "plugin c.wasm is refused: another loaded plugin (a.wasm) has the name a")
	states("a loaded false", "b refused true", "a refused true")
	expect(t, heard.since(), "plugin.loaded a", "plugin.refused b", "plugin.refused a")
	if err := h.Remove(background, "a.wasm"); err != nil {
		t.Fatal(err)
	}
	states("b loaded false", "a loaded false")
	expect(t, heard.since(), "plugin.removed a", "plugin.loaded b", "plugin.loaded a")
	check(t, h.Load(background, "d.wasm", named("d", "y")), nil, "plugin d.wasm is refused: it provides period y, as b.wasm does already")
	book.say("b", domain.PluginPolicy{Disabled: true})
	if err := h.Apply(background, "b"); err != nil {
		t.Fatal(err)
	}
	states("b disabled false", "a loaded false", "d loaded false")
	book.say("b", domain.PluginPolicy{})
	if err := h.Apply(background, "b"); err != nil {
		t.Fatal(err)
	}
	states("b refused true", "a loaded false", "d loaded false") // now it is the later one
	load(t, h, "d.wasm", named("d", "w"))
	states("b loaded false", "a loaded false", "d loaded false")
	h.Refuse("d.wasm", fmt.Errorf("it can not be read"))
	if got := h.Plugins()[2]; got.State != StateLoaded || got.Reason != "it can not be read" {
		t.Errorf("plugin %+v", got)
	}
	for _, file := range []string{"d.wasm", "never.wasm"} {
		if err := h.Remove(background, file); err != nil {
			t.Error(err)
		}
	}
	states("b loaded false", "a loaded false")
	check(t, h.Remove(background, "../x"), nil, "name can not be empty or name a folder")
	h.retiring.Wait()
}

// Policies change under load, and no call fails but those that find the plugin disabled.
func TestApplyUnderLoad(t *testing.T) {
	var book policyBook
	h, _ := openHost(t, Options{Concurrency: 2, Policy: book.of})
	load(t, h, "guest.wasm", goGuest(t))
	var calls atomic.Int64
	stop := make(chan struct{})
	var callers sync.WaitGroup
	for range 4 {
		callers.Go(func() {
			for {
				if _, err := h.Usernames(background, &wire.UsernameRequest{ID: "settings"}); err != nil {
					t.Error(err)
				}
				calls.Add(1)
				select {
				case <-stop:
					return
				default:
				}
			}
		})
	}
	for n := range 30 {
		book.say("go-guest", domain.PluginPolicy{Settings: fmt.Sprintf(`{"n":%d}`, n)})
		if err := h.Apply(background, "go-guest"); err != nil {
			t.Error(err)
		}
	}
	close(stop)
	callers.Wait()
	h.retiring.Wait()
	if got := h.Plugins()[0]; got.Calls != uint64(calls.Load()) || got.Failures != 0 || got.Instances > 2 || got.Settings != `{"n":29}` {
		t.Errorf("%d calls, want %d; %d failures, %d instances, settings %s", got.Calls, calls.Load(), got.Failures, got.Instances, got.Settings)
	}
}
