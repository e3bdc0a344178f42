package plugin

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jonboulle/clockwork"

	w "github.com/sluicehq/sluice/kernel/plugin/internal/wasmtest"
	"github.com/sluicehq/sluice/sdk/wire"
)

func TestLinesAreBounded(t *testing.T) {
	for name, c := range map[string]struct{ add, size, kept int }{
		"few": {3, 10, 3}, "just full": {1000, 10, 1000}, "many": {5000, 10, 1000}, "long": {500, 4096, 64}, "one": {1, 4096, 1},
	} {
		t.Run(name, func(t *testing.T) {
			var l lines
			for i := range c.add {
				l.add(time.UnixMilli(int64(i)), wire.LogInfo, strings.Repeat("x", c.size))
			}
			got := l.list()
			if len(got) != c.kept || got[len(got)-1].Time.UnixMilli() != int64(c.add-1) || got[0].Time.UnixMilli() != int64(c.add-c.kept) {
				t.Errorf("%d lines, the first of %v", len(got), got[0].Time)
			}
			if cap(l.all) > 4*maxLines+8 {
				t.Errorf("room for %d lines", cap(l.all))
			}
		})
	}
}

func TestLog(t *testing.T) {
	at := time.Unix(1_800_000_000, 0)
	h, _ := openHost(t, Options{Clock: clockwork.NewFakeClockAt(at)})
	texts := func(name string) (list []string) {
		for _, l := range h.Log(name) {
			if !l.Time.Equal(at) {
				t.Errorf("%q is of %v", l.Text, l.Time)
			}
			list = append(list, strconv.Itoa(int(l.Level))+" "+l.Text)
		}
		return list
	}
	expect(t, texts("go-guest"))
	if err := h.Load(background, "guest.wasm", []byte("x")); err == nil {
		t.Error("no error")
	}
	refused := "2 plugin refused: it can not be instrumented: it is not a WebAssembly 1 module"
	expect(t, texts("guest.wasm"), refused) // its name is not known
	wasm := goGuest(t)
	load(t, h, "guest.wasm", wasm)
	if err := h.Event(background, &wire.EventRequest{ID: "listener", Type: "user.created", Payload: "{}"}); err != nil {
		t.Error(err)
	}
	loaded := "1 plugin loaded, version: 1.0.0, file: guest.wasm, sha256: " + digest(wasm) + ", items: " + strconv.Itoa(len(h.Plugins()[0].Provides))
	expect(t, texts("go-guest"), loaded, "2 seen user.created {}")
	if err := h.Load(background, "guest.wasm", []byte("x")); err == nil {
		t.Error("no error")
	}
	expect(t, texts("go-guest"), loaded, "2 seen user.created {}", refused)
	if err := h.Remove(background, "guest.wasm"); err != nil {
		t.Fatal(err)
	}
	expect(t, texts("go-guest"))
	expect(t, texts("guest.wasm"))
	if err := h.Load(background, "odd.wasm", guest{unknown: [][]byte{w.Const64(0)}}.wasm()); err == nil {
		t.Error("no error")
	}
	expect(t, texts("hand-made"), "2 plugin refused: it does not answer an unknown op with the error unimplemented") // its name is
	if err := h.Remove(background, "odd.wasm"); err != nil {
		t.Fatal(err)
	}
	expect(t, texts("hand-made"))
}
