package wire

// Pair is a name with a value: a header, or a parameter of an endpoint.
type Pair struct {
	Name  string `json:"name,omitempty"`
	Value string `json:"value,omitempty"`
}

// Append appends the message to b.
func (m *Pair) Append(b []byte) []byte {
	b = appendString(b, 1, m.Name)
	return appendString(b, 2, m.Value)
}

// Decode replaces the message by what b holds.
func (m *Pair) Decode(b []byte) error {
	r := decode(b)
	m.read(&r)
	return r.err
}

func (m *Pair) read(r *reader) {
	*m = Pair{}
	for r.more() {
		switch key := r.key(); key {
		case 1<<3 | bytes:
			m.Name = r.str()
		case 2<<3 | bytes:
			m.Value = r.str()
		default:
			r.skip(key)
		}
	}
}

func appendPairs(b []byte, field uint64, pairs []Pair) []byte {
	for i := range pairs {
		var at int
		b, at = openMessage(b, field)
		b = closeMessage(pairs[i].Append(b), at)
	}
	return b
}

// readPair appends the pair that follows to pairs.
func readPair(r *reader, pairs []Pair) []Pair {
	pairs = extend(pairs)
	end := r.open()
	pairs[len(pairs)-1].read(r)
	r.close(end)
	return pairs
}

// readHeader is readPair with the limit that replies have.
func readHeader(r *reader, headers []Pair) []Pair {
	if len(headers) == MaxHeaders {
		r.fail(errManyHeader)
		return headers
	}
	return readPair(r, headers)
}
