package plugins_test

import (
	"bytes"
	"testing"

	"github.com/sluicehq/sluice/plugins"
)

func TestBundleIsAModule(t *testing.T) {
	wasm, err := plugins.Bundle()
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.HasPrefix(wasm, []byte("\x00asm\x01\x00\x00\x00")) {
		t.Errorf("%d bytes that begin with %q", len(wasm), wasm[:min(8, len(wasm))])
	}
	if len(wasm) > 4<<20 {
		t.Errorf("%d bytes: something heavy was imported", len(wasm))
	}
}
