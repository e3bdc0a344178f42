package plugin

import (
	"crypto/ed25519"
	"strings"
	"testing"

	w "github.com/sluicehq/sluice/kernel/plugin/internal/wasmtest"
	"github.com/sluicehq/sluice/kernel/plugin/signature"
	"github.com/sluicehq/sluice/sdk/wire"
)

func TestInspect(t *testing.T) {
	key := ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))
	const signer = "O2onvM62pC1io6jQKm8Nc2UyFXcd4kOmOsBIoYtZ2ik="
	exports := "sluice_abi sluice_alloc sluice_call sluice_manifest"
	logging := guest{imports: importLog, pages: 3}.wasm()
	for name, c := range map[string]struct {
		wasm                   []byte
		signer, imports, names string
		memory                 Memory
		plugin                 string // of the manifest, "" = it is not read
		problem                string
	}{
		"good": {
			wasm: signature.Sign(logging, key), signer: signer, imports: "sluice.log", names: exports,
			memory: Memory{Min: 3 << 16}, plugin: "hand-made",
		},
		"waits for a grant": {wasm: asking("1", wantsKV), names: exports, memory: Memory{Min: 1 << 16}, plugin: "hook"},
		"not signed well": {
			wasm: append(signature.Sign(logging, key), 0, 1, 0), problem: "its signature is not good: it has not the size of one, or is not the end of the file",
		},
		"no module": {wasm: []byte("hello"), problem: "it can not be instrumented: it is not a WebAssembly 1 module"},
		"an unknown import": {
			wasm: guest{imports: func(m *w.Module) { m.Import("env", "system", i32ToI32) }}.wasm(), imports: "env.system", names: exports,
			memory: Memory{Min: 1 << 16}, problem: "it imports env.system, which does not exist",
		},
		"a manifest that is refused": {
			wasm: guest{manifest: manifestOf("a")}.wasm(), names: exports, memory: Memory{Min: 1 << 16}, problem: "its manifest provides 0 items; it takes 1 to 256",
		},
		"does not conform": {
			wasm: guest{unknown: [][]byte{w.Const64(0)}}.wasm(), names: exports, memory: Memory{Min: 1 << 16}, plugin: "hand-made",
			problem: "it does not answer an unknown op with the error unimplemented",
		},
	} {
		t.Run(name, func(t *testing.T) {
			h, logs := openHost(t, Options{})
			got, err := h.Inspect("x.wasm", c.wasm)
			if err != nil {
				t.Fatal(err)
			}
			plugin := ""
			if got.Manifest != nil {
				plugin = got.Manifest.Name
			}
			if got.File != "x.wasm" || got.Size != len(c.wasm) || got.SHA256 != digest(c.wasm) || got.Signer != c.signer || plugin != c.plugin ||
				strings.Join(got.Imports, " ") != c.imports || strings.Join(got.Exports, " ") != c.names || got.Memory != c.memory || got.Problem != c.problem {
				t.Errorf("got %+v", got)
			}
			if logs.Len() != 0 || len(h.Plugins()) != 0 || len(h.Items(wire.KindFormat)) != 0 {
				t.Errorf("it left traces: %v", logs.All())
			}
		})
	}
}
