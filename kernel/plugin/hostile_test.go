package plugin

import (
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/jonboulle/clockwork"

	w "github.com/sluicehq/sluice/kernel/plugin/internal/wasmtest"
	"github.com/sluicehq/sluice/sdk/wire"
)

func importLog(m *w.Module) { m.Import(wire.ImportModule, wire.ImportLog, logSig) }

func importWASI(name string, params int) func(m *w.Module) {
	s := w.Signature{Params: make([]byte, params), Results: []byte{w.I32}}
	for i := range s.Params {
		s.Params[i] = w.I32
	}
	return func(m *w.Module) { m.Import("wasi_snapshot_preview1", name, s) }
}

// deep is a function that calls itself twice, n levels deep: 2^n calls without a loop.
func deep(m *w.Module) {
	self := uint32(4) // behind the four exports
	half := [][]byte{w.Get(0), w.Const(1), w.Sub, w.Call(self), w.Drop}
	m.Func(i32ToI32, 0, w.Get(0), w.If(append(half, half...)...), w.Const(0))
}

// bottomless is a function that calls itself for ever.
func bottomless(m *w.Module) { m.Func(i32ToI32, 0, w.Get(0), w.Call(4), w.Const(1), w.Add) }

func TestHostileCalls(t *testing.T) {
	reply := w.Const64(0)
	for name, c := range map[string]struct {
		guest guest
		cause error
		want  string
	}{
		"endless loop": {guest{evil: [][]byte{w.Forever(), reply}}, ErrTimeout, "took longer than 100 ms"},
		"recursion without a loop": {
			guest{evil: [][]byte{w.Const(60), w.Call(4), w.Drop, reply}, last: deep},
			ErrTimeout, "took longer than 100 ms",
		},
		"endless recursion": {
			guest{evil: [][]byte{w.Const(1), w.Call(4), w.Drop, reply}, last: bottomless},
			ErrTrap, "crashed: stack overflow",
		},
		"trap": {guest{evil: [][]byte{w.Unreachable}}, ErrTrap, "crashed: wasm error: unreachable"},
		"memory.grow for ever": {
			guest{evil: [][]byte{w.Forever(w.Const(64), w.MemoryGrow, w.Drop), reply}},
			ErrTimeout, "took longer than 100 ms",
		},
		"memory.grow past the limit": {
			guest{evil: [][]byte{
				w.Const(1023), w.MemoryGrow, w.Drop, w.Const(1), w.MemoryGrow, w.Const(-1), w.Equal, w.If(w.Unreachable), reply,
			}},
			ErrTrap, "crashed: wasm error: unreachable (memory 64.0 MiB, limit 64.0 MiB)",
		},
		"memory.fill for ever": {guest{pages: 512, evil: [][]byte{
			w.Forever(w.Const(0), w.Const(1), w.Const(32<<20), w.MemoryFill), reply,
		}}, ErrTimeout, "took longer than 100 ms"},
		"reply of 2 GiB": {
			guest{evil: [][]byte{packed(0, 1<<31-1, false)}},
			ErrReply, "replied 2147483647 bytes, the limit is 8388608",
		},
		"reply over the limit": {
			guest{pages: 200, evil: [][]byte{packed(0, 8<<20+1, false)}},
			ErrReply, "replied 8388609 bytes, the limit is 8388608",
		},
		"reply outside the memory": {
			guest{evil: [][]byte{packed(1<<16-10, 100, false)}},
			ErrReply, "replied with 100 bytes at 0xfff6, outside its memory",
		},
		"reply at the end of the address space": {
			guest{evil: [][]byte{packed(1<<32-10, 100, false)}},
			ErrReply, "replied with 100 bytes at 0xfffffff6, outside its memory",
		},
		"error outside the memory": {
			guest{evil: [][]byte{packed(1<<20, 1, true)}},
			ErrReply, "replied with 1 bytes at 0x100000, outside its memory",
		},
		"reply that lies about its length": {
			guest{evil: [][]byte{packed(200, 4, false)}, last: func(m *w.Module) { m.Data(200, "\x0a\x7fab") }}, // a name of 127 bytes
			ErrReply, "gave an unreadable reply",
		},
		"reply that is no message": {guest{evil: [][]byte{packed(atManifest, 4, false)}}, ErrReply, "gave an unreadable reply"},
		"log from outside the memory": {
			guest{imports: importLog, evil: [][]byte{
				w.Const(1), w.Const(65530), w.Const(100), w.Call(0), reply,
			}},
			ErrTrap, "crashed: sluice.log was given bytes outside the memory (recovered by wazero)",
		},
		"log flood": {guest{imports: importLog, evil: [][]byte{
			w.Forever(w.Const(1), w.Const(0), w.Const(60000), w.Call(0)), reply,
		}}, ErrTimeout, "took longer than 100 ms"},
		"a million pieces to stderr": {
			guest{imports: importWASI("fd_write", 4), pages: 256, evil: [][]byte{
				w.Forever(w.Const(2), w.Const(0), w.Const(2<<20), w.Const(0), w.Call(0), w.Drop), reply,
			}},
			ErrTimeout, "took longer than 100 ms",
		},
		"a million pieces to stdout": {
			guest{imports: importWASI("fd_write", 4), pages: 256, evil: [][]byte{
				w.Forever(w.Const(1), w.Const(0), w.Const(2<<20), w.Const(0), w.Call(0), w.Drop), reply,
			}},
			ErrTimeout, "took longer than 100 ms",
		},
		"random bytes for ever": {guest{imports: importWASI("random_get", 2), pages: 256, evil: [][]byte{
			w.Forever(w.Const(0), w.Const(16<<20), w.Call(0), w.Drop), reply,
		}}, ErrTimeout, "took longer than 100 ms"},
		"exit": {guest{imports: func(m *w.Module) {
			m.Import("wasi_snapshot_preview1", "proc_exit", w.Signature{Params: []byte{w.I32}})
		}, evil: [][]byte{w.Const(3), w.Call(0), reply}}, ErrTrap, "crashed: it exited with code 3"},
		"no input buffer": {guest{alloc: [][]byte{w.Const(0)}, evil: [][]byte{reply}}, ErrTrap, "has no memory for a request of 47 bytes (limit 64.0 MiB)"},
		"input buffer outside the memory": {
			guest{alloc: [][]byte{w.Const(65535)}, evil: [][]byte{reply}},
			ErrReply, "keeps its input buffer outside its memory",
		},
	} {
		t.Run(name, func(t *testing.T) {
			limits := Limits{}
			if c.cause == ErrTimeout {
				limits.Call = map[wire.Op]time.Duration{wire.OpUsername: 100 * time.Millisecond}
			}
			h, logs := openHost(t, Options{Concurrency: 1, Limits: limits})
			load(t, h, "evil.wasm", c.guest.wasm())
			_, err := h.Usernames(background, &wire.UsernameRequest{ID: "evil"})
			check(t, err, c.cause, "plugin hand-made: username evil "+c.want)
			leavesNothing(t, h)
			if c.guest.alloc == nil {
				stillWorks(t, h, "good")
			}
			if n := logs.FilterMessage("plugin says").Len(); n > logBurst+10 {
				t.Errorf("it wrote %d lines to the log", n)
			}
			failed := logs.FilterMessage("plugin failed").All()
			if len(failed) == 0 || failed[0].ContextMap()["plugin"] != "hand-made" || failed[0].ContextMap()["error"] != c.want {
				t.Errorf("the log has %v, want the plugin and %q", failed, c.want)
			}
		})
	}
}

// leavesNothing checks that a broken call has given back what it had: its instance is gone, and Go's collector is not
// held up.
func leavesNothing(t *testing.T, h *Host) {
	t.Helper()
	runtime.GC()
	for _, info := range h.Plugins() {
		if info.State != StateRefused && (info.Instances != 0 || info.Memory != 0) {
			t.Errorf("%d instances with %d bytes are left", info.Instances, info.Memory)
		}
	}
}

// TestMemoryReturns lets instances grow to their limit and break, again and again: 40 of them would be 2.5 GiB.
func TestMemoryReturns(t *testing.T) {
	h, _ := openHost(t, Options{Clock: clockwork.NewFakeClock()})
	load(t, h, "evil.wasm", guest{evil: [][]byte{
		w.Const(1023), w.MemoryGrow, w.Drop, w.Const(0), w.Const(7), w.Const(64 << 20), w.MemoryFill, w.Unreachable,
	}}.wasm())
	p := pluginOf(t, h, wire.KindPeriod, "good")
	for range 40 {
		_, err := h.Usernames(background, &wire.UsernameRequest{ID: "evil"})
		check(t, err, ErrTrap, "plugin hand-made: username evil crashed: wasm error: unreachable (memory 64.0 MiB, limit 64.0 MiB)")
		p.breaker = &breaker{clock: h.clock}
	}
	leavesNothing(t, h)
	runtime.GC() // what the first has found to be finalized
	var after runtime.MemStats
	runtime.ReadMemStats(&after)
	if after.HeapAlloc > 256<<20 {
		t.Errorf("%d MiB of heap are left", after.HeapAlloc>>20)
	}
	stillWorks(t, h, "good")
}

func TestHostileFiles(t *testing.T) {
	valid := guest{}.wasm()
	named := func(manifest string) []byte { return guest{manifest: manifest}.wasm() }
	good := `{"kind":"format","id":"x"}`
	for name, c := range map[string]struct {
		wasm []byte
		want string
	}{
		"empty":     {nil, "it is empty"},
		"not wasm":  {[]byte("hello"), "it can not be instrumented: it is not a WebAssembly 1 module"},
		"truncated": {valid[:len(valid)/2], "it can not be instrumented: it is truncated"},
		"too large": {make([]byte, wire.MaxFile+1), "it is larger than 33554432 bytes"},
		"start loops": {
			guest{start: [][]byte{w.Forever()}}.wasm(),
			"it took longer than 300 ms while it was started",
		},
		"initialize loops": {
			guest{init: [][]byte{w.Forever()}}.wasm(),
			"it took longer than 300 ms while it was started",
		},
		"manifest loops": {
			guest{describe: [][]byte{w.Forever(), w.Const64(0)}}.wasm(),
			"it took longer than 300 ms while it was started",
		},
		"unknown op loops": {
			guest{unknown: [][]byte{append(w.Forever(), w.Const64(0)...)}}.wasm(),
			"it took longer than 300 ms while it was started",
		},
		"start traps": {
			guest{start: [][]byte{w.Unreachable}}.wasm(),
			"it crashed: start function[5] failed: wasm error: unreachable while it was started",
		},
		"4 GiB of memory": {
			guest{pages: 65536}.wasm(),
			"it does not compile: section memory: min 65536 pages (4 Gi) over limit of 1024 pages (64 Mi)",
		},
		"newer minor": {guest{abi: 1<<16 | 1}.wasm(), "it speaks ABI 1.1, this host ABI 1.0"},
		"other major": {guest{abi: 2 << 16}.wasm(), "it speaks ABI 2.0, this host ABI 1.0"},
		"unknown import": {
			guest{imports: func(m *w.Module) { m.Import("env", "system", i32ToI32) }}.wasm(),
			"it imports env.system, which does not exist",
		},
		"unknown host function": {
			guest{imports: func(m *w.Module) { m.Import("sluice", "exec", i32ToI32) }}.wasm(),
			"it imports sluice.exec, which does not exist",
		},
		"unknown WASI function": {
			guest{imports: importWASI("sock_connect", 2)}.wasm(),
			"it imports wasi_snapshot_preview1.sock_connect, which does not exist",
		},
		"another log": {
			guest{imports: func(m *w.Module) { m.Import("sluice", "log", i32ToI32) }}.wasm(),
			"it imports sluice.log with another signature",
		},
		"the tick": {
			guest{imports: func(m *w.Module) { m.Import("meter", "tick", toI32) }}.wasm(),
			"it can not be instrumented: it names the meter's own function or global",
		},
		"the fuel": {
			guest{last: func(m *w.Module) { m.Func(void, 0, w.Const(1), w.Op(0x24, 0)) }}.wasm(), // global.set 0, of none
			"it can not be instrumented: section 10: function 4: it names the meter's own function or global",
		},
		"store without permission": {
			guest{imports: func(m *w.Module) { m.Import("sluice", "kv_get", hostSig) }}.wasm(),
			"it imports sluice.kv_get, but its manifest does not ask for the permission kv",
		},
		"HTTP without permission": {
			guest{imports: func(m *w.Module) { m.Import("sluice", "http", hostSig) }}.wasm(),
			"it imports sluice.http, but its manifest does not ask for the permission http",
		},
		"no exports": {
			func() []byte { m := w.Module{Memory: &w.Limits{Min: 1}}; return m.Bytes() }(),
			"it does not export the function sluice_abi",
		},
		"no memory": {func() []byte { m := w.Module{}; return m.Bytes() }(), "it does not export its memory as memory"},
		"another signature": {func() []byte {
			m := w.Module{Memory: &w.Limits{Min: 1}}
			m.Export(wire.ExportABI, m.Func(toI64, 0, w.Const64(1)))
			return m.Bytes()
		}(), "it exports sluice_abi with another signature"},
		"manifest of 10 MB": {
			guest{pages: 200, describe: [][]byte{packed(0, 10<<20, false)}}.wasm(),
			"it replied 10485760 bytes, the limit is 65536 while it was started",
		},
		"manifest is an error": {guest{describe: [][]byte{packed(atError, 9, true)}}.wasm(), "what?"},
		"manifest is no JSON":  {named("hello"), "its manifest is not readable: invalid character 'h' looking for beginning of value"},
		"manifest goes on":     {named(manifestOf("a", good) + "{}"), "its manifest is followed by something else"},
		"unknown key":          {named(`{"abi":1,"name":"a","colour":"red"}`), `its manifest is not readable: json: unknown field "colour"`},
		"ABI in the manifest":  {named(`{"abi":2,"name":"a"}`), "its manifest says ABI 2, this host has ABI 1"},
		"bad name":             {named(manifestOf("../a", good)), `its manifest has the name "../a"; it takes a-z, 0-9 and -, at most 64`},
		"provides nothing":     {named(manifestOf("a")), "its manifest provides 0 items; it takes 1 to 256"},
		"unknown kind":         {named(manifestOf("a", `{"kind":"shell","id":"x"}`)), `its manifest provides an item of the unknown kind "shell"`},
		"bad id":               {named(manifestOf("a", `{"kind":"format","id":"X Y"}`)), `its manifest provides a format with the id "X Y"; it takes a-z, 0-9, _ and -, at most 64`},
		"duplicate id":         {named(manifestOf("a", good, good)), "its manifest provides format x twice"},
		"unknown cache":        {named(manifestOf("a", `{"kind":"format","id":"x","cache":"ever"}`)), `its manifest gives format x the unknown cache "ever"`},
		"unknown base":         {named(manifestOf("a", `{"kind":"username","id":"x","base":"all"}`)), `its manifest gives username x the unknown base "all"`},
		"header in the content type": {
			named(manifestOf("a", `{"kind":"format","id":"x","content_type":"a/b\r\nSet-Cookie: x"}`)),
			`its manifest gives format x the content type "a/b  Set-Cookie: x"`,
		},
		"empty user agent":      {named(manifestOf("a", `{"kind":"format","id":"x","user_agents":[""]}`)), "its manifest gives format x an empty user agent, which would match every client"},
		"event without types":   {named(manifestOf("a", `{"kind":"event","id":"x"}`)), "its manifest does not say which events x wants"},
		"asks for a permission": {named(`{"abi":1,"name":"a","version":"1","provides":[` + good + `],"permissions":[{"name":"kv","reason":"r"}]}`), "its manifest asks for the permission kv but provides format x: only plugins that handle events, and nothing else, are given permissions"},
		"unknown op works":      {guest{unknown: [][]byte{w.Const64(0)}}.wasm(), "it does not answer an unknown op with the error unimplemented"},
	} {
		t.Run(name, func(t *testing.T) {
			h, logs := openHost(t, Options{Limits: Limits{Init: 300 * time.Millisecond}})
			load(t, h, "good.wasm", guest{}.wasm())
			err := h.Load(background, "bad.wasm", c.wasm)
			check(t, err, nil, "plugin bad.wasm is refused: "+c.want)
			got := h.Plugins()
			if len(got) != 2 || got[0].File != "bad.wasm" || got[0].State != StateRefused || got[0].Reason != c.want || got[0].SHA256 != digest(c.wasm) {
				t.Errorf("Plugins lists %+v", got)
			}
			if n := logs.FilterMessage("plugin refused").Len(); n != 1 {
				t.Errorf("the refusal is in the log %d times", n)
			}
			stillWorks(t, h, "good")
		})
	}
}

func TestIDsOfOthers(t *testing.T) {
	h, _ := openHost(t, Options{})
	bundle := guest{manifest: manifestOf("built-in", items("good")[1:]...)}.wasm()
	if err := h.LoadBundle(background, bundle); err != nil {
		t.Fatal(err)
	}
	load(t, h, "b.wasm", guest{manifest: manifestOf("b", `{"kind":"format","id":"b"}`)}.wasm())
	for file, c := range map[string]struct{ manifest, want string }{
		"a.wasm": {manifestOf("a", `{"kind":"format","id":"b"}`), "it provides format b, as b.wasm does already"},
		"c.wasm": {manifestOf("c", `{"kind":"period","id":"good"}`), "it provides period good, which is built in and which the operator has not allowed it to replace"},
		"d.wasm": {manifestOf("b", `{"kind":"format","id":"d"}`), "another loaded plugin (b.wasm) has the name b"},
		"e.wasm": {manifestOf("built-in", `{"kind":"format","id":"d"}`), "another loaded plugin (the built-in bundle) has the name built-in"},
	} {
		check(t, h.Load(background, file, guest{manifest: c.manifest}.wasm()), nil, "plugin "+file+" is refused: "+c.want)
	}
	load(t, h, "f.wasm", guest{manifest: manifestOf("f", `{"kind":"period","id":"b"}`)}.wasm()) // another kind
	stillWorks(t, h, "good")
}

// TestCollectorRunsBesideASpinningGuest would hang for ever, with the whole process, if the guest were not metered.
func TestCollectorRunsBesideASpinningGuest(t *testing.T) {
	h, _ := openHost(t, Options{Limits: Limits{Call: map[wire.Op]time.Duration{wire.OpUsername: time.Second}}})
	load(t, h, "evil.wasm", guest{evil: [][]byte{w.Forever(), w.Const64(0)}}.wasm())
	failed := make(chan error)
	go func() {
		_, err := h.Usernames(background, &wire.UsernameRequest{ID: "evil"})
		failed <- err
	}()
	for collected := 0; ; collected++ {
		select {
		case err := <-failed:
			check(t, err, ErrTimeout, "plugin hand-made: username evil took longer than 1000 ms")
			if collected == 0 {
				t.Error("no collection was done meanwhile")
			}
			return
		default:
			runtime.GC()
		}
	}
}

func TestGoGuest(t *testing.T) {
	clock := clockwork.NewFakeClock()
	limits := Limits{Call: map[wire.Op]time.Duration{wire.OpUsername: time.Second}}
	h, logs := openHost(t, Options{Concurrency: 1, Clock: clock, Limits: limits})
	load(t, h, "guest.wasm", goGuest(t))
	for id, c := range map[string]struct {
		cause error
		want  string // a prefix
		says  string // on stderr
	}{
		"panic":    {ErrTrap, "crashed: panic: over and out", "main.init.0.func2"},
		"deadlock": {ErrTrap, "crashed: fatal error: all goroutines are asleep - deadlock!", "goroutine 1"},
		"spin":     {ErrTimeout, "took longer than 1000 ms", ""},
		"sleep":    {ErrTimeout, "took longer than 1000 ms", ""},
		"flood":    {ErrTimeout, "took longer than 1000 ms", "the same line again"},
	} {
		t.Run(id, func(t *testing.T) {
			logs.TakeAll()
			_, err := h.Usernames(background, &wire.UsernameRequest{ID: id})
			if want := "plugin go-guest: username " + id + " " + c.want; err == nil || !strings.HasPrefix(err.Error(), want) || !errors.Is(err, c.cause) {
				t.Errorf("error\n got %v\nwant %s", err, want)
			}
			failed := logs.FilterMessage("plugin failed").All()
			if len(failed) != 1 || !strings.Contains(fmt.Sprint(failed[0].ContextMap()["stderr"]), c.says) {
				t.Errorf("the log has %v, want the guest's %q", failed, c.says)
			}
			got, err := h.Render(background, &wire.FormatRequest{ID: "plain"})
			if err != nil || got.ContentType != "text/csv" {
				t.Errorf("afterwards a format answers %+v, %v", got, err)
			}
			clock.Advance(2 * breakerWindow) // so that the failures do not add up
		})
	}
}

func TestGoGuestOutOfMemory(t *testing.T) {
	limits := Limits{Memory: 16 << 20, Call: map[wire.Op]time.Duration{wire.OpUsername: time.Minute}}
	h, _ := openHost(t, Options{Limits: limits})
	load(t, h, "guest.wasm", goGuest(t))
	_, err := h.Usernames(background, &wire.UsernameRequest{ID: "hoard"})
	if !errors.Is(err, ErrTrap) || !strings.Contains(err.Error(), "username hoard crashed: ") || !strings.HasSuffix(err.Error(), "limit 16.0 MiB)") {
		t.Errorf("error %v", err)
	}
	if _, err := h.Render(background, &wire.FormatRequest{ID: "plain"}); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}
