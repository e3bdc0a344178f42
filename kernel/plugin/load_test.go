package plugin

import (
	"context"
	"errors"
	"strconv"
	"testing"

	"github.com/sluicehq/sluice/sdk/wire"
)

// What can not be used is listed with the reason, in the order of the files' names.
func TestLoad(t *testing.T) {
	good := guest{}.wasm()
	h, _ := openHost(t, Options{Limits: Limits{File: len(good) + 999}})
	for _, f := range []struct {
		name string
		wasm []byte
	}{
		{"b.wasm", good}, {"c.wasm", good}, // the later of two with the same name and ids
		{"a.wasm", []byte("nonsense")}, {"empty.wasm", nil}, {"large.wasm", make([]byte, len(good)+1000)},
	} {
		err := h.Load(background, f.name, f.wasm)
		if (err == nil) != (f.name == "b.wasm") {
			t.Errorf("%s: %v", f.name, err)
		}
	}
	h.Refuse("pipe.wasm", errors.New("it is not a regular file"))
	want := []Info{
		{File: "a.wasm", State: StateRefused, Reason: "it can not be instrumented: it is not a WebAssembly 1 module"},
		{File: "b.wasm", State: StateLoaded},
		{File: "c.wasm", State: StateRefused, Reason: "another loaded plugin (b.wasm) has the name hand-made"},
		{File: "empty.wasm", State: StateRefused, Reason: "it is empty"},
		{File: "large.wasm", State: StateRefused, Reason: "it is larger than 1700 bytes"},
		{File: "pipe.wasm", State: StateRefused, Reason: "it is not a regular file"},
	}
	want[4].Reason = "it is larger than " + strconv.Itoa(len(good)+999) + " bytes"
	got := h.Plugins()
	if len(got) != len(want) {
		t.Fatalf("Plugins lists %+v", got)
	}
	for i := range want {
		if got[i].File != want[i].File || got[i].State != want[i].State || got[i].Reason != want[i].Reason {
			t.Errorf("%s is %s (%s), want %s %s (%s)", got[i].File, got[i].State, got[i].Reason, want[i].File, want[i].State, want[i].Reason)
		}
	}
	stillWorks(t, h, "good")
}

func TestLoadTakesAFileName(t *testing.T) {
	h, _ := openHost(t, Options{})
	for _, name := range []string{"", "a/b.wasm", "/x.wasm", "../x.wasm"} {
		check(t, h.Load(background, name, guest{}.wasm()), nil, "name can not be empty or name a folder")
	}
	ctx, cancel := context.WithCancel(background)
	cancel()
	if err := h.Load(ctx, "x.wasm", guest{}.wasm()); !errors.Is(err, context.Canceled) {
		t.Errorf("a load that was given up: %v", err)
	}
	if got := h.Plugins(); len(got) != 0 {
		t.Errorf("Plugins lists %+v", got)
	}
}

func TestItemsAreSorted(t *testing.T) {
	h, _ := openHost(t, Options{})
	load(t, h, "b.wasm", guest{manifest: manifestOf("b", `{"kind":"format","id":"z","title":"Z"}`, `{"kind":"format","id":"m"}`)}.wasm())
	load(t, h, "a.wasm", guest{manifest: manifestOf("a", `{"kind":"format","id":"p"}`, `{"kind":"period","id":"a"}`)}.wasm())
	var got []string
	for _, i := range h.Items(wire.KindFormat) {
		got = append(got, i.ID+" "+i.Plugin+" "+i.Title)
	}
	if len(got) != 3 || got[0] != "m b " || got[1] != "p a " || got[2] != "z b Z" {
		t.Errorf("formats %q", got)
	}
}
