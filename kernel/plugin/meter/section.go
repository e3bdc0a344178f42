package meter

import (
	"errors"
	"fmt"
)

// rewrite returns the new content of a section, nil when the module has none.
func (m *module) rewrite(id byte) ([]byte, error) {
	old := m.sections[id]
	r := &reader{b: old}
	switch id {
	case secType: // the tick's signature becomes the last type
		return append(grow(r), 0x60, 0, 1, 0x7f), r.err
	case secImport:
		b := appendName(appendName(grow(r), Module), Function)
		return appendU32(append(b, kindFunc), uint32(len(m.params))), r.err
	case secGlobal:
		return m.globalSection(r)
	}
	if old == nil {
		return nil, nil
	}
	switch id {
	case secTable:
		return m.tableSection(r)
	case secExport:
		return m.exportSection(r)
	case secStart:
		return appendU32(nil, m.function(r)), r.end()
	case secElement:
		return m.elementSection(r)
	case secCode:
		return m.codeSection(r)
	case secData:
		return m.dataSection(r)
	}
	return old, nil
}

// grow copies a section with a count that is one higher; the caller appends the new element.
func grow(r *reader) []byte {
	n := r.count()
	return append(appendU32(nil, n+1), r.b[r.i:]...)
}

// globalSection appends the fuel: a mutable i32 of one unit, so that the first check asks the host.
func (m *module) globalSection(r *reader) ([]byte, error) {
	n := r.count()
	b := appendU32(nil, n+1)
	for i := uint32(0); r.next(i, n); i++ {
		b = append(b, r.bytes(2)...)
		b = m.constant(r, b)
	}
	return append(b, typeI32, 1, opI32Const, 1, opEnd), r.end()
}

// tableSection lowers every table's maximum: a table lives in the host's heap, outside the limit on memory.
func (m *module) tableSection(r *reader) ([]byte, error) {
	n := r.count()
	if m.tables+min(n, MaxTables+1) > MaxTables {
		return nil, fmt.Errorf("it has more than %d tables", MaxTables)
	}
	b := appendU32(nil, n)
	for i := uint32(0); r.next(i, n); i++ {
		kind := r.byte()
		if kind != typeFuncref && kind != typeExternref {
			return nil, errors.New("a table holds an unsupported type")
		}
		low, high, bounded := r.limits()
		if low > MaxTableSize {
			return nil, fmt.Errorf("a table of %d elements is larger than %d", low, MaxTableSize)
		}
		if bounded && high < low {
			return nil, errors.New("a table's maximum is below its minimum")
		}
		if !bounded || high > MaxTableSize {
			high = MaxTableSize
		}
		b = appendU32(appendU32(append(b, kind, 1), low), high)
	}
	return b, r.end()
}

// exportSection shifts functions. The fuel can not be exported: another module could then set it.
func (m *module) exportSection(r *reader) ([]byte, error) {
	n := r.count()
	b := appendU32(nil, n)
	for i := uint32(0); r.next(i, n); i++ {
		b = appendName(b, r.name())
		kind := r.byte()
		b = append(b, kind)
		switch kind {
		case kindFunc:
			b = appendU32(b, m.function(r))
		case kindGlobal:
			b = appendU32(b, m.global(r))
		default:
			b = appendU32(b, r.u32())
		}
	}
	return b, r.end()
}

// The bits of an element segment's flag.
const (
	elemNotActive  = 1 // passive or declarative
	elemIndexed    = 2 // an active one names its table, a passive one is declarative
	elemExpression = 4 // elements are constant expressions instead of function indices
)

// elementSection shifts functions in every one of the eight forms that a segment can have.
func (m *module) elementSection(r *reader) ([]byte, error) {
	n := r.count()
	b := appendU32(nil, n)
	for i := uint32(0); r.next(i, n); i++ {
		flag := r.u32()
		if flag > elemNotActive|elemIndexed|elemExpression {
			return nil, fmt.Errorf("element segment kind %d is not supported", flag)
		}
		b = appendU32(b, flag)
		if flag&elemNotActive == 0 {
			if flag&elemIndexed != 0 {
				b = appendU32(b, r.u32())
			}
			b = m.constant(r, b)
		}
		if flag&(elemNotActive|elemIndexed) != 0 {
			b = append(b, r.byte())
		}
		b = m.elements(r, b, flag&elemExpression != 0)
	}
	return b, r.end()
}

func (m *module) elements(r *reader, b []byte, expressions bool) []byte {
	n := r.u32()
	b = appendU32(b, n)
	for i := uint32(0); r.next(i, n); i++ {
		if expressions {
			b = m.constant(r, b)
		} else {
			b = appendU32(b, m.reference(r))
		}
	}
	return b
}

// dataSection changes nothing; it is read because an offset may name a global.
func (m *module) dataSection(r *reader) ([]byte, error) {
	n := r.count()
	for i := uint32(0); r.next(i, n); i++ {
		flag := r.u32()
		if flag > 2 {
			return nil, fmt.Errorf("data segment kind %d is not supported", flag)
		}
		if flag == 2 {
			r.u32()
		}
		if flag != 1 {
			m.constant(r, nil)
		}
		r.bytes(r.u32())
	}
	return r.b, r.end()
}

// constant copies a constant expression with its function indices shifted.
func (m *module) constant(r *reader, b []byte) []byte {
	for r.err == nil {
		start := r.i
		op := r.byte()
		switch op {
		case opEnd:
			return append(b, op)
		case opI32Const, opI64Const:
			r.skipNumber()
		case opGlobalGet:
			m.global(r)
		case opF32Const:
			r.bytes(4)
		case opF64Const:
			r.bytes(8)
		case opRefNull:
			r.byte()
		case opRefFunc:
			b = appendU32(append(b, op), m.reference(r))
			continue
		case opVector:
			if r.u32() != vecConst {
				r.fail(errors.New("a constant expression is not constant"))
			}
			r.bytes(16)
		default:
			r.fail(fmt.Errorf("opcode %#x is not supported in a constant expression", op))
		}
		b = append(b, r.b[start:r.i]...)
	}
	return b
}
