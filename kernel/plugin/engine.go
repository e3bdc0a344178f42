package plugin

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"

	"github.com/sluicehq/sluice/kernel/plugin/meter"
	"github.com/sluicehq/sluice/sdk/wire"
)

// engine is a wazero runtime that plugins share, with the modules they may import.
type engine struct {
	runtime wazero.Runtime
	cache   wazero.CompilationCache // nil = code is not kept on disk
	wasi    api.Module
}

// newEngine makes a runtime that allows memory bytes per instance. It does not ask wazero to watch contexts: that
// costs a factor of six and misses recursion (DESIGN.md).
func newEngine(ctx context.Context, cacheDir string, memory int) (*engine, error) {
	e := &engine{}
	config := wazero.NewRuntimeConfig().WithCoreFeatures(api.CoreFeaturesV2).WithDebugInfoEnabled(false).
		WithMemoryLimitPages(uint32(memory / pageSize))
	if cacheDir != "" {
		var err error
		if e.cache, err = wazero.NewCompilationCacheWithDir(cacheDir); err != nil {
			return nil, fmt.Errorf("open the compilation cache: %w", err)
		}
		config = config.WithCompilationCache(e.cache)
	}
	e.runtime = wazero.NewRuntimeWithConfig(ctx, config)
	if err := e.offer(ctx); err != nil {
		return nil, errors.Join(err, e.close(ctx))
	}
	return e, nil
}

// offer instantiates the host modules that guests import from.
func (e *engine) offer(ctx context.Context) error {
	if _, err := wasi_snapshot_preview1.Instantiate(ctx, e.runtime); err != nil {
		return fmt.Errorf("offer WASI: %w", err)
	}
	e.wasi = e.runtime.Module(wasi_snapshot_preview1.ModuleName)
	_, err := e.runtime.NewHostModuleBuilder(meter.Module).
		NewFunctionBuilder().WithGoFunction(api.GoFunc(tick), nil, []api.ValueType{api.ValueTypeI32}).
		Export(meter.Function).Instantiate(ctx)
	if err != nil {
		return fmt.Errorf("offer the meter: %w", err)
	}
	sluice := e.runtime.NewHostModuleBuilder(wire.ImportModule).
		NewFunctionBuilder().WithGoModuleFunction(api.GoModuleFunc(hostLog), logSignature, nil).Export(wire.ImportLog)
	for i := range hostFunctions {
		f := &hostFunctions[i]
		sluice = sluice.NewFunctionBuilder().
			WithGoModuleFunction(api.GoModuleFunc(f.call), hostSignature, []api.ValueType{api.ValueTypeI32}).Export(f.name)
	}
	if _, err = sluice.Instantiate(ctx); err != nil {
		return fmt.Errorf("offer the host functions: %w", err)
	}
	return nil
}

// compile turns code into machine code. It is not given a context that can end: half-compiled code is of no use.
func (e *engine) compile(code []byte) (compiled wazero.CompiledModule, err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("the compiler failed on it: %v", v)
		}
	}()
	return e.runtime.CompileModule(context.Background(), code)
}

// close frees the machine code too, so every instance has to be gone before.
func (e *engine) close(ctx context.Context) error {
	err := e.runtime.Close(ctx)
	if e.cache != nil {
		err = errors.Join(err, e.cache.Close(ctx))
	}
	return err
}

// started is what deadlines count from: a monotonic clock that fits an int64.
var started = time.Now()

func monotonic() int64 { return int64(time.Since(started)) }
