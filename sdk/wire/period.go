package wire

// PeriodRequest asks a period item for the next boundary after Now.
type PeriodRequest struct {
	ID          string       `json:"id,omitempty"`          // the item
	Now         int64        `json:"now,omitempty"`         // ms UTC; use it instead of a clock
	Entropy     []byte       `json:"entropy,omitempty"`     // EntropySize random bytes
	Params      string       `json:"params,omitempty"`      // JSON object by the item's schema, "" = none
	Anchor      int64        `json:"anchor,omitempty"`      // ms UTC from which boundaries are counted
	Last        int64        `json:"last,omitempty"`        // ms UTC of the last boundary, 0 = none yet
	TimeZone    string       `json:"time_zone,omitempty"`   // IANA name, for messages only
	Transitions []Transition `json:"transitions,omitempty"` // ascending, from before Anchor to ten years after Now
}

// Transition says which offset a time zone has from a moment on: a guest has no zone database.
type Transition struct {
	At     int64 `json:"at,omitempty"`     // ms UTC
	Offset int64 `json:"offset,omitempty"` // seconds east of UTC
}

// PeriodReply is the next boundary.
type PeriodReply struct {
	Next  int64 `json:"next,omitempty"`  // ms UTC, after the request's Now
	Never bool  `json:"never,omitempty"` // there is no further boundary; Next is ignored
}

// Append appends the message to b.
func (m *PeriodRequest) Append(b []byte) []byte {
	b = appendString(b, 1, m.ID)
	b = appendInt(b, 2, m.Now)
	b = appendBytes(b, 3, m.Entropy)
	b = appendString(b, 4, m.Params)
	b = appendInt(b, 5, m.Anchor)
	b = appendInt(b, 6, m.Last)
	b = appendString(b, 7, m.TimeZone)
	for i := range m.Transitions {
		var at int
		b, at = openMessage(b, 8)
		b = closeMessage(m.Transitions[i].Append(b), at)
	}
	return b
}

// Decode replaces the message by what b holds.
func (m *PeriodRequest) Decode(b []byte) error {
	*m = PeriodRequest{Transitions: m.Transitions[:0]}
	r := decode(b)
	for r.more() {
		switch key := r.key(); key {
		case 1<<3 | bytes:
			m.ID = r.str()
		case 2<<3 | varint:
			m.Now = r.int64()
		case 3<<3 | bytes:
			m.Entropy = r.raw()
		case 4<<3 | bytes:
			m.Params = r.str()
		case 5<<3 | varint:
			m.Anchor = r.int64()
		case 6<<3 | varint:
			m.Last = r.int64()
		case 7<<3 | bytes:
			m.TimeZone = r.str()
		case 8<<3 | bytes:
			m.Transitions = extend(m.Transitions)
			end := r.open()
			m.Transitions[len(m.Transitions)-1].read(&r)
			r.close(end)
		default:
			r.skip(key)
		}
	}
	return r.err
}

// Append appends the message to b.
func (m *Transition) Append(b []byte) []byte {
	b = appendInt(b, 1, m.At)
	return appendInt(b, 2, m.Offset)
}

// Decode replaces the message by what b holds.
func (m *Transition) Decode(b []byte) error {
	r := decode(b)
	m.read(&r)
	return r.err
}

func (m *Transition) read(r *reader) {
	*m = Transition{}
	for r.more() {
		switch key := r.key(); key {
		case 1<<3 | varint:
			m.At = r.int64()
		case 2<<3 | varint:
			m.Offset = r.int64()
		default:
			r.skip(key)
		}
	}
}

// Append appends the message to b.
func (m *PeriodReply) Append(b []byte) []byte {
	b = appendInt(b, 1, m.Next)
	return appendBool(b, 2, m.Never)
}

// Decode replaces the message by what b holds.
func (m *PeriodReply) Decode(b []byte) error {
	*m = PeriodReply{}
	r := decode(b)
	for r.more() {
		switch key := r.key(); key {
		case 1<<3 | varint:
			m.Next = r.int64()
		case 2<<3 | varint:
			m.Never = r.bool()
		default:
			r.skip(key)
		}
	}
	return r.err
}
