package wire

// Code says what kind of failure an Error is.
type Code uint32

// The codes of ABI 1. None of them counts against the plugin's health: a plugin that answers is a plugin that works.
const (
	CodeInvalid       Code = 1 // the request can never succeed as it is: parameters, settings, an unknown item
	CodeUnimplemented Code = 2 // this plugin does not have the op
	CodeInternal      Code = 3 // the plugin failed
	CodeRetry         Code = 4 // the same request may succeed later
	CodeNotPrepared   Code = 5 // this instance does not hold the prepared set: send it, then ask again
)

// Error is the payload of a packed reply with the error bit, and how an import reports a failure. The zero value is no
// error.
type Error struct {
	Code    Code   `json:"code,omitempty"`
	Message string `json:"message,omitempty"` // one plain sentence, shown to the operator
}

// Error returns the sentence.
func (m *Error) Error() string { return m.Message }

// Append appends the message to b.
func (m *Error) Append(b []byte) []byte {
	b = appendUint(b, 1, uint64(m.Code))
	return appendString(b, 2, m.Message)
}

// Decode replaces the message by what b holds.
func (m *Error) Decode(b []byte) error {
	*m = Error{}
	r := decode(b)
	m.read(&r)
	return r.err
}

func (m *Error) read(r *reader) {
	for r.more() {
		switch key := r.key(); key {
		case 1<<3 | varint:
			m.Code = Code(r.uint32())
		case 2<<3 | bytes:
			m.Message = r.str()
		default:
			r.skip(key)
		}
	}
}
