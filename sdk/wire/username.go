package wire

// UsernameRequest asks a username item for names.
type UsernameRequest struct {
	ID       string         `json:"id,omitempty"`      // the item
	Now      int64          `json:"now,omitempty"`     // ms UTC; use it instead of a clock
	Entropy  []byte         `json:"entropy,omitempty"` // EntropySize random bytes; use them instead of a generator
	Params   string         `json:"params,omitempty"`  // JSON object by the item's schema, "" = none
	Base     string         `json:"base,omitempty"`
	Start    int64          `json:"start,omitempty"`   // the first number of a series
	Count    int64          `json:"count,omitempty"`   // how many names are wanted
	Attempt  int64          `json:"attempt,omitempty"` // 0 at first, one more each time the kernel asks again
	Rejected []RejectedName `json:"rejected,omitempty"`
}

// RejectedName is a name that the last attempt offered in vain.
type RejectedName struct {
	Name   string `json:"name,omitempty"`
	Reason string `json:"reason,omitempty"` // RejectedTaken or RejectedInvalid
}

// Reasons of a RejectedName.
const (
	RejectedTaken   = "taken"   // a user has it, or it came twice
	RejectedInvalid = "invalid" // not a possible username
)

// UsernameReply holds bare names; the kernel adds prefix and suffix, and decides which are free.
type UsernameReply struct {
	Names []string `json:"names,omitempty"` // at most MaxNames
}

// Append appends the message to b.
func (m *UsernameRequest) Append(b []byte) []byte {
	b = appendString(b, 1, m.ID)
	b = appendInt(b, 2, m.Now)
	b = appendBytes(b, 3, m.Entropy)
	b = appendString(b, 4, m.Params)
	b = appendString(b, 5, m.Base)
	b = appendInt(b, 6, m.Start)
	b = appendInt(b, 7, m.Count)
	b = appendInt(b, 8, m.Attempt)
	for i := range m.Rejected {
		var at int
		b, at = openMessage(b, 9)
		b = closeMessage(m.Rejected[i].Append(b), at)
	}
	return b
}

// Decode replaces the message by what b holds.
func (m *UsernameRequest) Decode(b []byte) error {
	*m = UsernameRequest{Rejected: m.Rejected[:0]}
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
		case 5<<3 | bytes:
			m.Base = r.str()
		case 6<<3 | varint:
			m.Start = r.int64()
		case 7<<3 | varint:
			m.Count = r.int64()
		case 8<<3 | varint:
			m.Attempt = r.int64()
		case 9<<3 | bytes:
			m.Rejected = extend(m.Rejected)
			end := r.open()
			m.Rejected[len(m.Rejected)-1].read(&r)
			r.close(end)
		default:
			r.skip(key)
		}
	}
	return r.err
}

// Append appends the message to b.
func (m *RejectedName) Append(b []byte) []byte {
	b = appendString(b, 1, m.Name)
	return appendString(b, 2, m.Reason)
}

// Decode replaces the message by what b holds.
func (m *RejectedName) Decode(b []byte) error {
	r := decode(b)
	m.read(&r)
	return r.err
}

func (m *RejectedName) read(r *reader) {
	*m = RejectedName{}
	for r.more() {
		switch key := r.key(); key {
		case 1<<3 | bytes:
			m.Name = r.str()
		case 2<<3 | bytes:
			m.Reason = r.str()
		default:
			r.skip(key)
		}
	}
}

// Append appends the message to b.
func (m *UsernameReply) Append(b []byte) []byte { return appendStrings(b, 1, m.Names) }

// Decode replaces the message by what b holds. More than MaxNames names are an error.
func (m *UsernameReply) Decode(b []byte) error {
	m.Names = m.Names[:0]
	r := decode(b)
	for r.more() {
		switch key := r.key(); key {
		case 1<<3 | bytes:
			if m.Names = append(m.Names, r.str()); len(m.Names) > MaxNames {
				r.fail(errManyNames)
			}
		default:
			r.skip(key)
		}
	}
	return r.err
}
