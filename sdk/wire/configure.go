package wire

// ConfigureRequest hands an instance the operator's settings before its first call.
type ConfigureRequest struct {
	Now      int64  `json:"now,omitempty"`      // ms UTC
	Entropy  []byte `json:"entropy,omitempty"`  // EntropySize random bytes
	Settings string `json:"settings,omitempty"` // JSON object by the manifest's settings schema
}

// ConfigureReply is empty: settings that can not be used are an Error of CodeInvalid.
type ConfigureReply struct{}

// Append appends the message to b.
func (m *ConfigureRequest) Append(b []byte) []byte {
	b = appendInt(b, 2, m.Now)
	b = appendBytes(b, 3, m.Entropy)
	return appendString(b, 4, m.Settings)
}

// Decode replaces the message by what b holds.
func (m *ConfigureRequest) Decode(b []byte) error {
	*m = ConfigureRequest{}
	r := decode(b)
	for r.more() {
		switch key := r.key(); key {
		case 2<<3 | varint:
			m.Now = r.int64()
		case 3<<3 | bytes:
			m.Entropy = r.raw()
		case 4<<3 | bytes:
			m.Settings = r.str()
		default:
			r.skip(key)
		}
	}
	return r.err
}

// Append appends nothing.
func (m *ConfigureReply) Append(b []byte) []byte { return b }

// Decode checks that b is a message.
func (m *ConfigureReply) Decode(b []byte) error { return skipAll(b) }

// skipAll decodes a message of which this version knows no field.
func skipAll(b []byte) error {
	r := decode(b)
	for r.more() {
		r.skip(r.key())
	}
	return r.err
}
