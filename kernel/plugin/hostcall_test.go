package plugin

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sluicehq/sluice/kernel/domain"
	w "github.com/sluicehq/sluice/kernel/plugin/internal/wasmtest"
	"github.com/sluicehq/sluice/sdk/wire"
)

// memoryKV is a store of one plugin. It refuses values of more than 200,000 bytes, and fails for the key broken.
type memoryKV struct {
	mu sync.Mutex
	m  map[string][]byte
}

func (s *memoryKV) Get(_ context.Context, key string) ([]byte, bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if key == "broken" {
		return nil, false, errors.New("disk on fire at /dev/sda")
	}
	value, found := s.m[key]
	return value, found, nil
}

func (s *memoryKV) Set(_ context.Context, key string, value []byte) (bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(value) > 200_000 {
		return false, domain.Invalid("value", "must have at most 200000 bytes")
	}
	_, existed := s.m[key]
	s.m[key] = value
	return existed, nil
}

func (s *memoryKV) Delete(_ context.Context, key string) (bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, existed := s.m[key]
	delete(s.m, key)
	return existed, nil
}

// stores gives every plugin its own memoryKV.
func stores() func(string) KV {
	var mu sync.Mutex
	all := map[string]*memoryKV{}
	return func(plugin string) KV {
		mu.Lock()
		defer mu.Unlock()
		if all[plugin] == nil {
			all[plugin] = &memoryKV{m: map[string][]byte{}}
		}
		return all[plugin]
	}
}

func TestKV(t *testing.T) {
	w := newWorker(t, Options{KV: stores(), Limits: Limits{KV: Budget{Calls: 6, Call: 1 << 40, Total: 1 << 40}}})
	long := strings.Repeat("k", 257)
	expect(t, w.do(t, "get a", "set a x 100000", "get a", "delete a", "get a", "delete a", "get a"),
		`"" 0 false`, "set", `"xxxxxxxxxx" 100000 true`, "deleted", `"" 0 false`, "deleted", "error: one event may make 6 calls of sluice.kv_get")
	expect(t, w.do(t, "set a x 200001", "get "+long, "get "+long[1:], "get broken", "set a b"),
		"error: value must have at most 200000 bytes", "error: key must have 1 to 256 bytes", `"" 0 false`, "error: sluice.kv_get failed", "set")
	h, _ := openHost(t, Options{})
	wasm := callerGuest(t)
	denied, err := h.Trial(background, "x.wasm", wasm, under(domain.PluginPolicy{}))
	if err != nil {
		t.Fatal(err)
	}
	expect(t, (&worker{Trial: denied}).do(t, "get a"), "error: the permission kv was not granted")
}

const kvManifest = `{"abi":1,"name":"kv","version":"1","provides":[{"kind":"event","id":"e","events":["*"]}],"permissions":[{"name":"kv","reason":"r"}]}`

// kvGuest is a plugin whose event runs code; kv_get is its function 0.
func kvGuest(code ...[]byte) guest {
	return guest{
		manifest: kvManifest,
		imports:  func(m *w.Module) { m.Import(wire.ImportModule, wire.ImportKVGet, hostSig) },
		unknown:  [][]byte{when(wire.OpEvent, append(code, w.Const64(0))...), packed(atError, 9, true)},
		last:     func(m *w.Module) { m.Data(300, "\x0a\x01k") }, // a KVRequest with the key k
	}
}

// get calls kv_get.
func get(req, size, dst, room int32) []byte {
	return append(append(append(append(w.Const(req), w.Const(size)...), w.Const(dst)...), w.Const(room)...), w.Call(0)...)
}

// is traps unless the number on the stack is n.
func is(n int32) []byte { return append(append(w.Const(n), w.Sub...), w.If(w.Unreachable)...) }

func TestHostileHostCalls(t *testing.T) {
	outside := "sluice.kv_get was given bytes outside the memory (recovered by wazero)"
	const answer = 1 + 1 + 1 + 1 + 5 // found, and the five bytes of a value
	for name, c := range map[string]struct {
		code [][]byte
		want string // of the crash, "" = none
	}{
		"good":                         {[][]byte{get(300, 3, 400, 100), is(answer)}, ""},
		"request outside":              {[][]byte{get(65530, 100, 400, 100), w.Drop}, outside},
		"request of negative length":   {[][]byte{get(300, -1, 400, 100), w.Drop}, outside},
		"reply outside":                {[][]byte{get(300, 3, 65530, 100), w.Drop}, outside},
		"reply of negative length":     {[][]byte{get(300, 3, 400, -1), w.Drop}, outside},
		"addresses that wrap around":   {[][]byte{get(-2, 4, 400, 100), w.Drop}, outside},
		"reply that does not fit":      {[][]byte{get(300, 3, 400, 8), is(answer), get(0, 0, 400, 9), is(answer)}, ""},
		"the held reply to nowhere":    {[][]byte{get(300, 3, 400, 8), w.Drop, get(0, 0, 65530, 9), w.Drop}, outside},
		"held until it fits":           {[][]byte{get(300, 3, 0, 0), is(answer), get(0, 0, 0, 0), is(answer), get(0, 0, 400, 9), is(answer)}, ""},
		"nothing is held":              {[][]byte{get(0, 0, 400, 100), is(2 + 2 + 2 + 20)}, ""}, // the request is empty
		"a held reply is gone":         {[][]byte{get(300, 3, 400, 9), is(answer), get(0, 0, 400, 100), is(26)}, ""},
		"garbage":                      {[][]byte{get(atManifest, 50, 400, 100), is(2 + 2 + 2 + 27)}, ""}, // the request is not readable
		"the whole memory as request":  {[][]byte{get(0, 65536, 0, 65536), w.Drop}, ""},
		"for ever":                     {[][]byte{w.Forever(get(300, 3, 400, 100), w.Drop)}, "timeout"},
		"for ever, without any effect": {[][]byte{w.Forever(get(0, 0, 0, 0), w.Drop)}, "timeout"},
	} {
		t.Run(name, func(t *testing.T) {
			kv := stores()
			if _, err := kv("kv").Set(background, "k", []byte("value")); err != nil {
				t.Fatal(err)
			}
			limits := Limits{}
			if c.want == "timeout" {
				limits.Call = map[wire.Op]time.Duration{wire.OpEvent: 100 * time.Millisecond}
			}
			wasm := kvGuest(c.code...).wasm()
			h, _ := openHost(t, Options{KV: kv, Limits: limits, Policy: func(string) domain.PluginPolicy { return granted(wasm) }})
			load(t, h, "x.wasm", wasm)
			err := h.Event(background, &wire.EventRequest{ID: "e"})
			switch {
			case c.want == "timeout":
				check(t, err, ErrTimeout, "plugin kv: event e took longer than 100 ms")
			case c.want != "":
				check(t, err, ErrTrap, "plugin kv: event e crashed: "+c.want)
			case err != nil:
				t.Error(err)
			}
		})
	}
}

// A plugin with the JSON codec speaks it with host functions too.
func TestHostCallsInJSON(t *testing.T) {
	g := kvGuest()
	g.manifest = strings.Replace(kvManifest, `"version"`, `"codec":"json","version"`, 1)
	g.errorReply = `{"code":2}`
	g.unknown[1] = packed(atError, uint32(len(g.errorReply)), true)
	g.unknown[0] = when(wire.OpEvent, get(300, 11, 400, 100), is(33), w.Const(1), w.Const(400), w.Const(33), w.Call(1), w.Const64(0))
	g.imports = func(m *w.Module) {
		m.Import(wire.ImportModule, wire.ImportKVGet, hostSig)
		importLog(m)
	}
	g.last = func(m *w.Module) { m.Data(300, `{"key":"k"}`) }
	wasm := g.wasm()
	kv := stores()
	if _, err := kv("kv").Set(background, "k", []byte("value")); err != nil {
		t.Fatal(err)
	}
	h, logs := openHost(t, Options{KV: kv, Policy: func(string) domain.PluginPolicy { return granted(wasm) }})
	load(t, h, "x.wasm", wasm)
	if err := h.Event(background, &wire.EventRequest{ID: "e"}); err != nil {
		t.Error(err)
	}
	said := logs.FilterMessage("plugin says").All()
	if len(said) != 1 || said[0].ContextMap()["text"] != `{"found":true,"value":"dmFsdWU="}` {
		t.Errorf("the guest got %v", said)
	}
}

// Permissions are for the handling of events: not for a plugin that is being started, configured or tried.
func TestHostCallsOutsideAnEvent(t *testing.T) {
	call := [][]byte{get(300, 3, 400, 100), w.Drop}
	want := "it crashed: sluice.kv_get can be called only while an event is handled (recovered by wazero) while it was started"
	for name, g := range map[string]guest{
		"_initialize":     {init: call},
		"sluice_manifest": {describe: append(call, packed(atManifest, uint32(len(kvManifest)), false))},
		"an unknown op":   {unknown: append(call, packed(atError, 9, true))},
	} {
		t.Run(name, func(t *testing.T) {
			base := kvGuest()
			g.manifest, g.imports, g.last = base.manifest, base.imports, base.last
			wasm := g.wasm()
			h, _ := openHost(t, Options{KV: stores(), Policy: func(string) domain.PluginPolicy { return granted(wasm) }})
			err := h.Load(background, "x.wasm", wasm)
			if err == nil || !strings.Contains(err.Error(), strings.TrimPrefix(want, "it crashed: ")) {
				t.Errorf("error\n got %v\nwant %s", err, want)
			}
		})
	}
}
