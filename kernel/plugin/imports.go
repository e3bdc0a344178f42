package plugin

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"

	"github.com/sluicehq/sluice/kernel/plugin/meter"
	"github.com/sluicehq/sluice/sdk/wire"
)

// permissionOf names the permission that a host function needs.
var permissionOf = map[string]string{
	wire.ImportKVGet:    wire.PermissionKV,
	wire.ImportKVSet:    wire.PermissionKV,
	wire.ImportKVDelete: wire.PermissionKV,
	wire.ImportHTTP:     wire.PermissionHTTP,
}

var logSignature = []api.ValueType{api.ValueTypeI32, api.ValueTypeI32, api.ValueTypeI32}

// checkImports refuses a module that wants anything that does not exist. metered says that the meter's own import is in
// it because Instrument has put it there. What needs a permission is linked all the same, because the manifest that asks
// for it can not be read otherwise: these functions themselves refuse who was not granted them.
func (e *engine) checkImports(m wazero.CompiledModule, metered bool) error {
	if len(m.ImportedMemories()) > 0 {
		return errors.New("it imports a memory; a plugin brings its own")
	}
	for _, f := range m.ImportedFunctions() {
		module, name, _ := f.Import()
		params, results := logSignature, 0
		if permissionOf[name] != "" {
			params, results = hostSignature, 1
		}
		switch {
		case module == meter.Module && name == meter.Function && metered:
		case module == wire.ImportModule && (name == wire.ImportLog || permissionOf[name] != ""):
			if !slices.Equal(f.ParamTypes(), params) || len(f.ResultTypes()) != results || results == 1 && f.ResultTypes()[0] != api.ValueTypeI32 {
				return fmt.Errorf("it imports %s.%s with another signature", module, name)
			}
		case module == wasi_snapshot_preview1.ModuleName && e.wasi.ExportedFunctionDefinitions()[name] != nil:
		default:
			return fmt.Errorf("it imports %s.%s, which does not exist", plain(module, 100), plain(name, 100))
		}
	}
	return nil
}

// importsOf lists the functions that a module imports, sorted, without the meter's.
func importsOf(m wazero.CompiledModule) (list []string) {
	for _, f := range m.ImportedFunctions() {
		if module, name, _ := f.Import(); module != meter.Module {
			list = append(list, plain(module, 100)+"."+plain(name, 100))
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// checkAsked refuses a module that imports what its manifest does not ask for: the operator would not be told.
func checkAsked(imports []string, m *wire.Manifest) error {
	for _, f := range imports {
		module, name, _ := strings.Cut(f, ".")
		needs := permissionOf[name]
		if module != wire.ImportModule || needs == "" {
			continue
		}
		if !slices.ContainsFunc(m.Permissions, func(p wire.Permission) bool { return p.Name == needs }) {
			return fmt.Errorf("it imports %s, but its manifest does not ask for the permission %s", f, needs)
		}
	}
	return nil
}

type instanceKey struct{}

// instanceOf finds the instance whose guest is calling. There always is one: no guest is entered without.
func instanceOf(ctx context.Context) *instance {
	in, _ := ctx.Value(instanceKey{}).(*instance)
	return in
}

// errDeadline is what a host function panics with to stop a guest; wazero returns it from the call.
var errDeadline = errors.New("the deadline has passed")

// tick is called by instrumented code whenever its fuel is used up: the only place where a guest is stopped. It also
// gives Go's scheduler and collector their chance, which machine code never does by itself.
func tick(ctx context.Context, stack []uint64) {
	instanceOf(ctx).checkDeadline()
	stack[0] = meter.Quantum
}

// hostLog is sluice.log(level, ptr, len).
func hostLog(ctx context.Context, m api.Module, stack []uint64) {
	level, ptr, size := wire.LogLevel(int32(stack[0])), uint32(stack[1]), uint32(stack[2])
	text, ok := m.Memory().Read(ptr, size)
	if !ok {
		panic(errors.New("sluice.log was given bytes outside the memory"))
	}
	instanceOf(ctx).plugin.journal.line(level, text)
}
