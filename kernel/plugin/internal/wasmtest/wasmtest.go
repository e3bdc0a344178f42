// Package wasmtest assembles small WebAssembly modules by hand, so that tests can say exactly what a hostile guest does.
package wasmtest

// Value types.
const (
	I32 byte = 0x7f
	I64 byte = 0x7e
	F32 byte = 0x7d
	F64 byte = 0x7c
)

// Signature is a function type.
type Signature struct{ Params, Results []byte }

// Module is a module under construction. Imports come before functions. The zero value is an empty module.
type Module struct {
	Memory  *Limits  // exported as "memory"; nil = none
	Tables  []Limits // of functions
	Start   *uint32  // a function
	Globals int      // mutable i32 that begin at 0
	Elems   []uint32 // functions at the front of table 0

	types   []byte
	sigs    uint32
	imports []byte
	nImport uint32
	funcs   []byte
	bodies  []byte
	nFunc   uint32
	exports []byte
	nExport uint32
	data    []byte
	nData   uint32
}

// Limits bound a memory (in pages) or a table (in elements). A Max of 0 is none.
type Limits struct{ Min, Max uint32 }

// Type adds a function type and returns its index.
func (m *Module) Type(s Signature) uint32 {
	m.types = append(m.types, 0x60)
	m.types = append(U32(m.types, uint32(len(s.Params))), s.Params...)
	m.types = append(U32(m.types, uint32(len(s.Results))), s.Results...)
	m.sigs++
	return m.sigs - 1
}

// Import adds an imported function and returns its index.
func (m *Module) Import(module, name string, s Signature) uint32 {
	m.imports = append(str(str(m.imports, module), name), 0)
	m.imports = U32(m.imports, m.Type(s))
	m.nImport++
	return m.nImport - 1
}

// Func adds a function with so many i32 locals behind its parameters and returns its index; the final end is added.
func (m *Module) Func(s Signature, locals uint32, code ...[]byte) uint32 {
	m.funcs = U32(m.funcs, m.Type(s))
	var body []byte
	if locals > 0 {
		body = append(U32([]byte{1}, locals), I32)
	} else {
		body = []byte{0}
	}
	for _, c := range code {
		body = append(body, c...)
	}
	body = append(body, End)
	m.bodies = append(U32(m.bodies, uint32(len(body))), body...)
	m.nFunc++
	return m.nImport + m.nFunc - 1
}

// Export exports a function.
func (m *Module) Export(name string, function uint32) { m.export(name, 0, function) }

// ExportGlobal exports a global.
func (m *Module) ExportGlobal(name string, global uint32) { m.export(name, 3, global) }

func (m *Module) export(name string, kind byte, index uint32) {
	m.exports = U32(append(str(m.exports, name), kind), index)
	m.nExport++
}

// Data puts bytes into the memory when it is made.
func (m *Module) Data(at uint32, s string) {
	m.data = append(m.data, 0)
	m.data = append(append(m.data, Const(int32(at))...), End)
	m.data = str(m.data, s)
	m.nData++
}

// Bytes returns the module.
func (m *Module) Bytes() []byte {
	out := []byte("\x00asm\x01\x00\x00\x00")
	out = section(out, 1, m.sigs, m.types)
	out = section(out, 2, m.nImport, m.imports)
	out = section(out, 3, m.nFunc, m.funcs)
	var tables []byte
	for _, t := range m.Tables {
		tables = t.append(append(tables, 0x70))
	}
	out = section(out, 4, uint32(len(m.Tables)), tables)
	exports, n := m.exports, m.nExport
	if m.Memory != nil {
		out = section(out, 5, 1, m.Memory.append(nil))
		exports, n = append(append(str(exports, "memory"), 2), 0), n+1
	}
	var globals []byte
	for range m.Globals {
		globals = append(globals, I32, 1, 0x41, 0, End)
	}
	out = section(out, 6, uint32(m.Globals), globals)
	out = section(out, 7, n, exports)
	if m.Start != nil {
		start := U32(nil, *m.Start)
		out = append(append(out, 8, byte(len(start))), start...)
	}
	if len(m.Elems) > 0 {
		elem := []byte{0, 0x41, 0, End}
		elem = U32(elem, uint32(len(m.Elems)))
		for _, f := range m.Elems {
			elem = U32(elem, f)
		}
		out = section(out, 9, 1, elem)
	}
	out = section(out, 10, m.nFunc, m.bodies)
	return section(out, 11, m.nData, m.data)
}

func (l Limits) append(b []byte) []byte {
	if l.Max == 0 {
		return U32(append(b, 0), l.Min)
	}
	return U32(U32(append(b, 1), l.Min), l.Max)
}

// section appends a section of n elements, none if n is 0.
func section(b []byte, id byte, n uint32, elements []byte) []byte {
	if n == 0 {
		return b
	}
	body := append(U32(nil, n), elements...)
	return append(U32(append(b, id), uint32(len(body))), body...)
}

func str(b []byte, s string) []byte { return append(U32(b, uint32(len(s))), s...) }

// U32 appends v as unsigned LEB128.
func U32(b []byte, v uint32) []byte {
	for v >= 0x80 {
		b = append(b, byte(v)|0x80)
		v >>= 7
	}
	return append(b, byte(v))
}
