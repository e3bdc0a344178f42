package plugin

import (
	"errors"
	"fmt"
	"sync/atomic"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"

	"github.com/sluicehq/sluice/kernel/domain"
	"github.com/sluicehq/sluice/kernel/plugin/meter"
	"github.com/sluicehq/sluice/kernel/plugin/signature"
	"github.com/sluicehq/sluice/sdk/wire"
)

// plugin is a module with what the operator has said about it: what is the same for all of its instances.
type plugin struct {
	*module
	policy   domain.PluginPolicy
	granted  grants
	secret   []byte // signs its HTTP calls, nil = they are not signed
	provides []provided

	pool    *pool
	breaker *breaker
	journal *journal
	counts  *counts
	trial   bool // it serves nobody: nothing is counted or told
}

// counts are what Info shows of a plugin's work. They go on when its policy changes.
type counts struct {
	calls, failures atomic.Uint64
	instances       atomic.Int64
	memory          atomic.Int64 // bytes
}

// policies says what a plugin of that name may do and is told.
type policies func(name string) domain.PluginPolicy

// build takes a file through every step that ends with a plugin which could serve. Its errors are sentences that begin
// with "it": they follow the file's name. The plugin is given also with an error, as far as it could be read, and has to
// be released.
func (h *Host) build(file string, wasm []byte, policy policies, trial bool) (*plugin, error) {
	m := &module{host: h, file: file, sha256: digest(wasm), size: len(wasm), builtin: file == ""}
	p := &plugin{module: m, counts: &counts{}, trial: trial}
	p.renew()
	p.journal = h.journal(p) // its name is not known yet
	if len(wasm) > h.limits.File {
		return p, fmt.Errorf("it is larger than %d bytes", h.limits.File)
	}
	var err error
	if m.signer, _, err = signature.Signer(wasm); err != nil {
		return p, fmt.Errorf("its signature is not good: %w", err)
	}
	if len(wasm) == 0 {
		return p, errors.New("it is empty")
	}
	code := wasm
	if !m.builtin {
		if code, err = meter.Instrument(wasm); err != nil {
			return p, fmt.Errorf("it can not be instrumented: %w", err)
		}
	}
	if err = h.compile(m, code); err != nil {
		return p, fmt.Errorf("it does not compile: %w", err)
	}
	return p, p.try(policy)
}

// renew gives p what belongs to it alone.
func (p *plugin) renew() {
	p.users.Add(1)
	p.pool = newPool(p.host.o.Concurrency)
	p.breaker = &breaker{clock: p.host.clock}
}

// try checks the compiled module and brings its first instance to the point where it could serve.
func (p *plugin) try(policy policies) error {
	p.imports = importsOf(p.compiled)
	if err := checkExports(p.compiled); err != nil {
		return err
	}
	if err := p.engine.checkImports(p.compiled, !p.builtin); err != nil {
		return err
	}
	in, err := newInstance(p)
	if err != nil {
		return asLoadError(err)
	}
	if err := p.introduce(in, policy); err != nil {
		in.close()
		return asLoadError(err)
	}
	p.pool.idle = append(p.pool.idle, in)
	return nil
}

// introduce reads the manifest, applies what the operator has said and checks that calls work at all.
func (p *plugin) introduce(in *instance, policy policies) error {
	if err := p.module.introduce(in); err != nil {
		return err
	}
	if err := p.obey(policy(p.name)); err != nil {
		return err
	}
	p.journal = p.host.journal(p)
	if err := in.configure(); err != nil {
		return fmt.Errorf("its settings %w", refusal(err))
	}
	return in.conform()
}

// introduce reads the manifest into m.
func (m *module) introduce(in *instance) error {
	b, err := in.manifest()
	if err != nil {
		return err
	}
	read, err := parseManifest(b)
	if err != nil {
		return err
	}
	m.name, m.version, m.json, m.manifest = read.Name, read.Version, read.Codec == wire.CodecJSON, read
	for i := range read.Provides {
		item := &read.Provides[i]
		schema, err := compileSchema(item.Params, fmt.Sprintf("gives %s %s an unusable params_schema", item.Kind, item.ID))
		if err != nil {
			return fmt.Errorf("its manifest %w", err)
		}
		m.params = append(m.params, schema)
	}
	if m.settings, err = compileSchema(read.Settings, "gives an unusable settings_schema"); err != nil {
		return fmt.Errorf("its manifest %w", err)
	}
	return checkAsked(m.imports, read)
}

// obey applies what the operator has said.
func (p *plugin) obey(policy domain.PluginPolicy) (err error) {
	p.policy = policy
	if p.secret, err = signingKey(policy.Secret); err != nil {
		return err
	}
	if err := p.checkSettings(policy.Settings); err != nil {
		return fmt.Errorf("its settings do not fit: %w", err)
	}
	p.grant()
	p.provides = make([]provided, len(p.manifest.Provides))
	for i, item := range p.manifest.Provides {
		p.provides[i] = provided{item, p, p.params[i], item.Kind + " " + item.ID}
	}
	return nil
}

// again makes a plugin of the same module under another policy. It could serve at once, in the place of p.
func (p *plugin) again(policy domain.PluginPolicy) (*plugin, error) {
	next := &plugin{module: p.module, journal: p.journal, counts: p.counts, trial: p.trial}
	next.renew()
	err := next.obey(policy)
	if err == nil && !policy.Disabled {
		var in *instance
		if in, err = next.ready(); err == nil {
			next.pool.idle = append(next.pool.idle, in)
		} else {
			err = fmt.Errorf("its settings %w", refusal(err))
		}
	}
	if err != nil {
		next.release()
		return nil, err
	}
	return next, nil
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
