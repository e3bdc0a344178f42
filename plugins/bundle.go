// Package plugins carries the built-in plugin inside the binary, so that building Sluice needs only Go.
package plugins

import (
	"bytes"
	"compress/gzip"
	_ "embed" // for the bundle
	"fmt"
	"io"
)

//go:generate go run -C .. ./plugins/build

//go:embed builtin.wasm.gz
var packed []byte

// Bundle returns the built-in plugin as a wasm module, about 2 MB. It unpacks on every call; the host calls it once. An
// error means that the binary is damaged.
func Bundle() ([]byte, error) {
	r, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, fmt.Errorf("unpacking the built-in plugin: %w", err)
	}
	wasm, err := io.ReadAll(r)
	if err != nil {
		return nil, fmt.Errorf("unpacking the built-in plugin: %w", err)
	}
	return wasm, nil
}
