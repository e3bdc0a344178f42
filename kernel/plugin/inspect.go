package plugin

import (
	"cmp"
	"context"
	"slices"

	"github.com/sluicehq/sluice/kernel/domain"
	"github.com/sluicehq/sluice/sdk/wire"
)

// Inspection is what a file says of itself. What could not be read is empty, and Problem says why.
type Inspection struct {
	File     string
	SHA256   string         // lower-case hex
	Size     int            // bytes
	Signer   string         // the ed25519 key (base64) that has signed it, "" = it is not signed
	Imports  []string       // functions, such as sluice.log, sorted
	Exports  []string       // functions, sorted
	Memory   Memory         // that an instance begins with
	Manifest *wire.Manifest // nil = it could not be read
	Problem  string         // why the host would refuse the file, as a sentence; "" = it would not
}

// Memory is a linear memory, in bytes.
type Memory struct {
	Min int
	Max int // 0 = none declared
}

// Inspect reads a file without loading it. Only a host that is closed is an error; a file that the host would refuse is
// none. It is tried as it would be without any grant or setting; names and ids of others are not looked at.
func (h *Host) Inspect(file string, wasm []byte) (Inspection, error) {
	out := Inspection{File: file}
	err := h.change(context.Background(), "inspect plugin "+file, func() error {
		p, err := h.build(cmp.Or(file, "plugin.wasm"), wasm, func(name string) domain.PluginPolicy { return domain.PluginPolicy{Name: name} }, true)
		if err != nil {
			out.Problem = plain(err.Error(), 500)
		}
		out.read(p)
		p.pool.empty()
		p.release()
		return nil
	})
	return out, err
}

// read takes over what a plugin, built as far as it goes, is known to be.
func (out *Inspection) read(p *plugin) {
	out.SHA256, out.Size, out.Signer, out.Imports, out.Manifest = p.sha256, p.size, p.signer, p.imports, p.manifest
	if p.compiled == nil {
		return
	}
	for name := range p.compiled.ExportedFunctions() {
		out.Exports = append(out.Exports, plain(name, 100))
	}
	slices.Sort(out.Exports)
	if m := p.compiled.ExportedMemories()["memory"]; m != nil {
		out.Memory.Min = int(m.Min()) * pageSize
		if high, declared := m.Max(); declared {
			out.Memory.Max = int(high) * pageSize
		}
	}
}
