package plugin

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"go.uber.org/zap"

	"github.com/sluicehq/sluice/kernel/plugin/meter"
	"github.com/sluicehq/sluice/sdk/wire"
)

// plugin is one loaded file: what is the same for all of its instances.
type plugin struct {
	host     *Host
	file     string // "" for the bundle
	name     string // from the manifest
	version  string
	sha256   string
	builtin  bool
	json     bool
	settings string
	provides []provided

	compiled wazero.CompiledModule
	pool     *pool
	breaker  *breaker
	journal  *journal
}

// source names where the plugin comes from, for errors about its neighbours.
func (p *plugin) source() string {
	if p.builtin {
		return "the built-in bundle"
	}
	return p.file
}

// info describes the plugin as it is now; State follows the breaker.
func (p *plugin) info() Info {
	info := Info{
		Name: p.name, Version: p.version, File: p.file, SHA256: p.sha256, Builtin: p.builtin,
	}
	info.State, info.Reason = p.breaker.state()
	for i := range p.provides {
		info.Provides = append(info.Provides, p.provides[i].item)
	}
	return info
}

// digest is how a file is named in logs, lists and cache keys.
func digest(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// build takes a file through every step that ends with a plugin which could serve. Its errors are sentences that begin
// with "it": they follow the file's name.
func (h *Host) build(file string, wasm []byte) (*plugin, error) {
	if len(wasm) > h.limits.File {
		return nil, fmt.Errorf("it is larger than %d bytes", h.limits.File)
	}
	p := &plugin{host: h, file: file, sha256: digest(wasm), builtin: file == ""}
	p.pool = newPool(h.concurrency)
	p.breaker = &breaker{clock: h.clock}
	p.journal = newJournal(h.log.With(zap.String("plugin", p.source())), h.clock) // its name is not known yet
	code := wasm
	var err error
	if !p.builtin {
		if code, err = meter.Instrument(wasm); err != nil {
			return nil, fmt.Errorf("it can not be instrumented: %w", err)
		}
	}
	if p.compiled, err = h.engine.compile(code); err != nil {
		return nil, fmt.Errorf("it does not compile: %w", err)
	}
	if err = p.try(); err != nil {
		return nil, errors.Join(err, p.compiled.Close(context.Background()))
	}
	return p, nil
}

// try checks the compiled module and brings its first instance to the point where it could serve.
func (p *plugin) try() error {
	if err := checkExports(p.compiled); err != nil {
		return err
	}
	if err := p.host.engine.checkImports(p.compiled, !p.builtin); err != nil {
		return err
	}
	in, err := newInstance(p)
	if err != nil {
		return asLoadError(err)
	}
	if err := p.introduce(in); err != nil {
		in.close()
		return asLoadError(err)
	}
	p.pool.idle = append(p.pool.idle, in)
	return nil
}

// introduce reads the manifest, applies the settings and checks that calls work at all.
func (p *plugin) introduce(in *instance) error {
	b, err := in.manifest()
	if err != nil {
		return err
	}
	m, err := parseManifest(b)
	if err != nil {
		return err
	}
	p.name, p.version, p.json = m.Name, m.Version, m.Codec == wire.CodecJSON
	p.settings = p.host.settings[m.Name]
	p.journal.log = p.host.log.With(zap.String("plugin", p.name))
	for _, item := range m.Provides {
		schema, err := compileParams(&item)
		if err != nil {
			return fmt.Errorf("its manifest %w", err)
		}
		p.provides = append(p.provides, provided{item, p, schema, item.Kind + " " + item.ID})
	}
	if err := in.configure(); err != nil {
		return fmt.Errorf("its settings: %w", err)
	}
	return in.conform()
}

// conform makes a call that every guest answers in the same way: an op that does not exist is unimplemented.
func (in *instance) conform() error {
	_, err := in.exchange(0, &wire.EventReply{}, in.plugin.host.limits.Init)
	var reported *PluginError
	switch {
	case errors.As(err, &reported) && reported.Code == wire.CodeUnimplemented:
		return nil
	case err == nil || reported != nil:
		return errors.New("it does not answer an unknown op with the error unimplemented")
	}
	return err
}

// asLoadError turns a sentence about a call ("took longer than...") into one about a file.
func asLoadError(err error) error {
	if broken(err) {
		return fmt.Errorf("it %w while it was started", err)
	}
	return err
}

// signatures are what every guest exports.
var signatures = []struct {
	name            string
	params, results []api.ValueType
}{
	{wire.ExportABI, nil, []api.ValueType{api.ValueTypeI32}},
	{wire.ExportAlloc, []api.ValueType{api.ValueTypeI32}, []api.ValueType{api.ValueTypeI32}},
	{wire.ExportManifest, nil, []api.ValueType{api.ValueTypeI64}},
	{wire.ExportCall, []api.ValueType{api.ValueTypeI32, api.ValueTypeI32}, []api.ValueType{api.ValueTypeI64}},
}

// checkExports compares whole signatures: the engine would take a call with numbers of other types without a word.
func checkExports(m wazero.CompiledModule) error {
	if m.ExportedMemories()["memory"] == nil {
		return errors.New("it does not export its memory as memory")
	}
	exports := m.ExportedFunctions()
	for _, want := range signatures {
		f := exports[want.name]
		if f == nil {
			return fmt.Errorf("it does not export the function %s", want.name)
		}
		if string(f.ParamTypes()) != string(want.params) || string(f.ResultTypes()) != string(want.results) {
			return fmt.Errorf("it exports %s with another signature", want.name)
		}
	}
	return nil
}
