package wire

// EventRequest tells an event item what has happened. It may come more than once: EventID is the same each time.
type EventRequest struct {
	ID      string `json:"id,omitempty"`       // the item
	Now     int64  `json:"now,omitempty"`      // ms UTC
	Entropy []byte `json:"entropy,omitempty"`  // EntropySize random bytes
	Type    string `json:"type,omitempty"`     // such as user.created
	EventID int64  `json:"event_id,omitempty"` // unique and ascending
	Time    int64  `json:"time,omitempty"`     // ms UTC at which it happened
	Payload string `json:"payload,omitempty"`  // JSON object, by Type
	Attempt int64  `json:"attempt,omitempty"`  // 0 at first, one more each time it comes again
}

// EventReply is empty; field 1 is reserved for actions.
type EventReply struct{}

// Append appends the message to b.
func (m *EventRequest) Append(b []byte) []byte {
	b = appendString(b, 1, m.ID)
	b = appendInt(b, 2, m.Now)
	b = appendBytes(b, 3, m.Entropy)
	b = appendString(b, 4, m.Type)
	b = appendInt(b, 5, m.EventID)
	b = appendInt(b, 6, m.Time)
	b = appendString(b, 7, m.Payload)
	return appendInt(b, 8, m.Attempt)
}

// Decode replaces the message by what b holds.
func (m *EventRequest) Decode(b []byte) error {
	*m = EventRequest{}
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
			m.Type = r.str()
		case 5<<3 | varint:
			m.EventID = r.int64()
		case 6<<3 | varint:
			m.Time = r.int64()
		case 7<<3 | bytes:
			m.Payload = r.str()
		case 8<<3 | varint:
			m.Attempt = r.int64()
		default:
			r.skip(key)
		}
	}
	return r.err
}

// Append appends nothing.
func (m *EventReply) Append(b []byte) []byte { return b }

// Decode checks that b is a message.
func (m *EventReply) Decode(b []byte) error { return skipAll(b) }
