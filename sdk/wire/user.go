package wire

// User is whose subscription it is. A format that shows what moves (Up, Down, Status, OnlineAt) must not say
// CacheRevision.
type User struct {
	ID          int64  `json:"id,omitempty"` // never reused
	Username    string `json:"username,omitempty"`
	SubID       string `json:"sub_id,omitempty"` // secret: whoever has it gets the subscription
	Status      string `json:"status,omitempty"` // active, on_hold, limited, expired, disabled
	Up          int64  `json:"up,omitempty"`     // bytes since the last reset
	Down        int64  `json:"down,omitempty"`   // bytes since the last reset
	HasQuota    bool   `json:"has_quota,omitempty"`
	Quota       int64  `json:"quota,omitempty"`         // bytes, if HasQuota
	ExpireAt    int64  `json:"expire_at,omitempty"`     // ms UTC, 0 = never
	CreatedAt   int64  `json:"created_at,omitempty"`    // ms UTC
	Note        string `json:"note,omitempty"`          // the operator's
	NextResetAt int64  `json:"next_reset_at,omitempty"` // ms UTC at which the usage starts again from 0, 0 = never
	OnlineAt    int64  `json:"online_at,omitempty"`     // ms UTC of the last byte, 0 = never
}

// Append appends the message to b.
func (m *User) Append(b []byte) []byte {
	b = appendInt(b, 1, m.ID)
	b = appendString(b, 2, m.Username)
	b = appendString(b, 3, m.SubID)
	b = appendString(b, 4, m.Status)
	b = appendInt(b, 5, m.Up)
	b = appendInt(b, 6, m.Down)
	b = appendBool(b, 7, m.HasQuota)
	b = appendInt(b, 8, m.Quota)
	b = appendInt(b, 9, m.ExpireAt)
	b = appendInt(b, 10, m.CreatedAt)
	b = appendString(b, 11, m.Note)
	b = appendInt(b, 12, m.NextResetAt)
	return appendInt(b, 13, m.OnlineAt)
}

// Decode replaces the message by what b holds.
func (m *User) Decode(b []byte) error {
	*m = User{}
	r := decode(b)
	m.read(&r)
	return r.err
}

func (m *User) read(r *reader) {
	for r.more() {
		switch key := r.key(); key {
		case 1<<3 | varint:
			m.ID = r.int64()
		case 2<<3 | bytes:
			m.Username = r.str()
		case 3<<3 | bytes:
			m.SubID = r.str()
		case 4<<3 | bytes:
			m.Status = r.str()
		case 5<<3 | varint:
			m.Up = r.int64()
		case 6<<3 | varint:
			m.Down = r.int64()
		case 7<<3 | varint:
			m.HasQuota = r.bool()
		case 8<<3 | varint:
			m.Quota = r.int64()
		case 9<<3 | varint:
			m.ExpireAt = r.int64()
		case 10<<3 | varint:
			m.CreatedAt = r.int64()
		case 11<<3 | bytes:
			m.Note = r.str()
		case 12<<3 | varint:
			m.NextResetAt = r.int64()
		case 13<<3 | varint:
			m.OnlineAt = r.int64()
		default:
			r.skip(key)
		}
	}
}
