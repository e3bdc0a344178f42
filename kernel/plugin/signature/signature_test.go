package signature_test

import (
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"testing"

	"github.com/sluicehq/sluice/kernel/plugin/internal/wasmtest"
	"github.com/sluicehq/sluice/kernel/plugin/signature"
)

func key(seed byte) (ed25519.PrivateKey, string) {
	k := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{seed}, ed25519.SeedSize))
	return k, base64.StdEncoding.EncodeToString(k.Public().(ed25519.PublicKey))
}

func module() []byte {
	m := wasmtest.Module{Memory: &wasmtest.Limits{Min: 1}}
	m.Export("f", m.Func(wasmtest.Signature{}, 0))
	return m.Bytes()
}

// custom is a custom section of that name.
func custom(name, content string) []byte {
	body := append(append([]byte{byte(len(name))}, name...), content...)
	return append(append([]byte{0}, wasmtest.U32(nil, uint32(len(body)))...), body...)
}

func TestSign(t *testing.T) {
	mine, myName := key(1)
	theirs, theirName := key(2)
	wasm := module()
	before := bytes.Clone(wasm)
	signed := signature.Sign(wasm, mine)
	if !bytes.Equal(wasm, before) || !bytes.HasPrefix(signed, wasm) {
		t.Error("signing changes what is signed")
	}
	if got, ok, err := signature.Signer(signed); got != myName || !ok || err != nil {
		t.Errorf("signed by %q, %t, %v; want %q", got, ok, err, myName)
	}
	again := signature.Sign(signed, theirs)
	if got, ok, err := signature.Signer(again); got != theirName || !ok || err != nil || len(again) != len(signed) {
		t.Errorf("signed again by %q, %t, %v; want %q", got, ok, err, theirName)
	}
}

func TestSigner(t *testing.T) {
	mine, _ := key(1)
	signed := signature.Sign(module(), mine)
	changed := func(at int) []byte {
		b := bytes.Clone(signed)
		b[at] ^= 1
		return b
	}
	const wrong, misplaced = "the file is not what was signed", "it has not the size of one, or is not the end of the file"
	for name, c := range map[string]struct {
		wasm []byte
		err  string // "" = it counts as unsigned
	}{
		"unsigned":                 {module(), ""},
		"empty":                    {nil, ""},
		"no module":                {[]byte("hello world, this is no module"), ""},
		"a length that lies":       {append(module(), 0, 0xff, 0xff, 0xff, 0x7f, 1), ""},
		"a length that never ends": {append(module(), 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff), ""},
		"another section":          {append(module(), custom("producers", "x")...), ""},
		"another code":             {changed(len(module()) - 2), wrong},
		"another key":              {changed(len(signed) - 70), wrong},
		"another signature":        {changed(len(signed) - 1), wrong},
		"empty signature":          {append(module(), custom(signature.Section, "")...), misplaced},
		"short signature":          {append(module(), custom(signature.Section, "short")...), misplaced},
		"something behind":         {append(bytes.Clone(signed), custom("name", "x")...), misplaced},
		"a second signature":       {append(bytes.Clone(signed), signed[len(module()):]...), misplaced},
	} {
		t.Run(name, func(t *testing.T) {
			got, ok, err := signature.Signer(c.wasm)
			if ok || got != "" || (err == nil) != (c.err == "") || err != nil && err.Error() != c.err {
				t.Errorf("signer %q, %t, error %v; want %q", got, ok, err, c.err)
			}
		})
	}
}

// FuzzSigner finds files that crash it, and ones that count as signed though nobody has signed them.
func FuzzSigner(f *testing.F) {
	mine, myName := key(1)
	signed := signature.Sign(module(), mine)
	f.Add(signed)
	f.Add(module())
	f.Fuzz(func(t *testing.T, wasm []byte) {
		got, ok, err := signature.Signer(wasm)
		if ok && (err != nil || got == "") || !ok && got != "" {
			t.Errorf("signer %q, %t, %v", got, ok, err)
		}
		if got == myName && !bytes.Equal(wasm, signed) {
			t.Errorf("%x counts as signed", wasm)
		}
	})
}
