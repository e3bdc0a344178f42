package plugin

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"sync/atomic"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/tetratelabs/wazero"
	"go.uber.org/zap"

	"github.com/sluicehq/sluice/sdk/wire"
)

// module is one file: what stays the same whatever the operator says about it. Fields are filled in as far as the file
// can be read.
type module struct {
	host    *Host
	file    string // "" for the bundle
	sha256  string
	size    int // bytes
	signer  string
	builtin bool
	imports []string // without the meter's

	name     string // from the manifest
	version  string
	json     bool
	manifest *wire.Manifest       // nil = it could not be read
	params   []*jsonschema.Schema // of each item
	settings *jsonschema.Schema

	engine   *engine               // that made, and runs, the code
	compiled wazero.CompiledModule // nil = it does not compile
	users    atomic.Int32          // plugins made of it; the last one frees the code
}

// source names where the plugin comes from, for errors about its neighbours.
func (m *module) source() string {
	if m.builtin {
		return "the built-in bundle"
	}
	return m.file
}

// info describes the file alone.
func (m *module) info() Info {
	info := Info{
		Name: m.name, Version: m.version, File: m.file, SHA256: m.sha256, Size: m.size, Signer: m.signer, Builtin: m.builtin,
		Imports: m.imports,
	}
	if m.manifest != nil {
		info.Description, info.Permissions, info.SettingsSchema = m.manifest.Description, m.manifest.Permissions, m.manifest.Settings
		info.Provides = slices.Clone(m.manifest.Provides)
	}
	return info
}

// release ends one use of the code, which is freed after the last one.
func (m *module) release() {
	if m.users.Add(-1) > 0 || m.compiled == nil {
		return
	}
	if err := m.compiled.Close(context.Background()); err != nil {
		m.host.log.Warn("free a plugin's code", zap.String("plugin", m.name), zap.Error(err))
	}
}

// digest is how a file is named in logs, lists and cache keys.
func digest(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}
