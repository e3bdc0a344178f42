package meter

import (
	"errors"
	"fmt"
)

const headerSize = 8 // magic and version

// The sections that matter here, by their ids.
const (
	secType     = 1
	secImport   = 2
	secFunction = 3
	secTable    = 4
	secMemory   = 5
	secGlobal   = 6
	secExport   = 7
	secStart    = 8
	secElement  = 9
	secCode     = 10
	secData     = 11
	secCount    = 12
)

// sectionOrder is the order in which the specification wants them; the data count stands before the code.
var sectionOrder = []byte{
	secType, secImport, secFunction, secTable, secMemory, secGlobal,
	secExport, secStart, secElement, secCount, secCode, secData,
}

const lastSection = secCount

// The kinds of imports and exports.
const (
	kindFunc   = 0
	kindTable  = 1
	kindMemory = 2
	kindGlobal = 3
)

// module holds a module's sections and the counts that its indices are checked against and shifted by.
type module struct {
	sections [lastSection + 1][]byte // nil = absent

	params    []uint32 // parameter count of every type
	funcTypes []uint32 // type of every function that is not imported
	imported  uint32   // functions imported; the tick becomes the one behind them
	globals   uint32   // globals, imported ones included; the fuel becomes the one behind them
	tables    uint32   // tables, imported ones included
}

// parse splits wasm into its sections and reads what the rewriting needs to know beforehand.
func parse(wasm []byte) (*module, error) {
	if len(wasm) < headerSize || string(wasm[:headerSize]) != "\x00asm\x01\x00\x00\x00" {
		return nil, errors.New("it is not a WebAssembly 1 module")
	}
	m := &module{}
	if err := m.split(wasm[headerSize:]); err != nil {
		return nil, err
	}
	for _, read := range []func(*module) error{
		(*module).readTypes, (*module).readImports, (*module).readFunctions, (*module).readGlobals,
	} {
		if err := read(m); err != nil {
			return nil, err
		}
	}
	return m, nil
}

// split cuts the sections apart. Their order is checked because they are written again in the right one, which must not
// turn a wrong module into a valid one.
func (m *module) split(b []byte) error {
	var rank [lastSection + 1]int
	for i, id := range sectionOrder {
		rank[id] = i + 1
	}
	last := 0
	r := &reader{b: b}
	for r.more() {
		id := r.byte()
		body := r.bytes(r.u32())
		if r.err != nil {
			return r.err
		}
		if id == 0 { // custom: of no use here, but its name must be one
			name := &reader{b: body}
			if name.name(); name.err != nil {
				return name.err
			}
			continue
		}
		if id > lastSection {
			return fmt.Errorf("section %d is not supported", id)
		}
		if rank[id] <= last {
			return fmt.Errorf("section %d is repeated or out of order", id)
		}
		last = rank[id]
		m.sections[id] = body
	}
	return nil
}

// readTypes reads how many parameters each type has: they are the first of a function's locals.
func (m *module) readTypes() error {
	r := &reader{b: m.sections[secType]}
	n := r.count()
	for i := uint32(0); r.next(i, n); i++ {
		if r.byte() != 0x60 {
			return errors.New("a type is not a function type")
		}
		params := r.u32()
		r.bytes(params)
		r.bytes(r.u32())
		m.params = append(m.params, params)
	}
	return r.end()
}

// readImports counts what is imported, because imports come first in every index space.
func (m *module) readImports() error {
	r := &reader{b: m.sections[secImport]}
	n := r.count()
	for i := uint32(0); r.next(i, n); i++ {
		if r.name() == Module {
			return ErrReserved
		}
		r.name()
		switch kind := r.byte(); kind {
		case kindFunc:
			r.index("type", uint32(len(m.params)))
			m.imported++
		case kindTable:
			r.byte()
			r.limits()
			m.tables++
		case kindMemory:
			r.limits()
		case kindGlobal:
			r.bytes(2)
			m.globals++
		default:
			return fmt.Errorf("import kind %d is not supported", kind)
		}
	}
	return r.end()
}

func (m *module) readFunctions() error {
	r := &reader{b: m.sections[secFunction]}
	n := r.count()
	for i := uint32(0); r.next(i, n); i++ {
		m.funcTypes = append(m.funcTypes, r.index("type", uint32(len(m.params))))
	}
	return r.end()
}

// readGlobals reads only their number; globalSection goes through them.
func (m *module) readGlobals() error {
	r := &reader{b: m.sections[secGlobal]}
	n := r.count()
	if uint64(n) > uint64(len(r.b)) {
		return errTruncated
	}
	m.globals += n
	return r.err
}

// count reads the number of elements that begins a section; an absent section has none.
func (r *reader) count() uint32 {
	if r.b == nil {
		return 0
	}
	return r.u32()
}

// limits reads the bounds of a table or memory.
func (r *reader) limits() (low, high uint32, bounded bool) {
	flag := r.byte()
	if flag > 1 {
		r.fail(errors.New("shared and 64-bit memories are not supported"))
	}
	low = r.u32()
	if flag == 1 {
		high, bounded = r.u32(), true
	}
	return low, high, bounded
}

// functions is the number of functions, imported ones included, before the tick is added.
func (m *module) functions() uint32 { return m.imported + uint32(len(m.funcTypes)) }

// function reads a function index and answers where that function stands once the tick has been added.
func (m *module) function(r *reader) uint32 {
	x := r.index("function", m.functions())
	if x >= m.imported {
		return x + 1
	}
	return x
}

// reference reads the index of a function whose address is taken. That of an imported one is refused: a call through
// a table would reach the host without the check that stands before every direct call of an import.
func (m *module) reference(r *reader) uint32 {
	x := m.function(r)
	if r.err == nil && x < m.imported {
		r.fail(fmt.Errorf("it takes the address of the imported function %d", x))
	}
	return x
}

// global reads a global index; the one behind the last is the fuel and must stay out of reach.
func (m *module) global(r *reader) uint32 {
	x := r.u32()
	if r.err == nil && x >= m.globals {
		r.fail(ErrReserved)
	}
	return x
}
