package wire

// KVRequest is what kv_get, kv_set and kv_delete take. Keys belong to the plugin: no other sees them.
type KVRequest struct {
	Key   string `json:"key,omitempty"`   // 1 to 256 bytes
	Value []byte `json:"value,omitempty"` // kv_set only
}

// KVReply is what they answer. A failure is in Error; a key that does not exist is none.
type KVReply struct {
	Found bool   `json:"found,omitempty"` // the key existed before the call
	Value []byte `json:"value,omitempty"` // kv_get only
	Error Error  `json:"error,omitzero"`  // Code 0 = it worked
}

// Append appends the message to b.
func (m *KVRequest) Append(b []byte) []byte {
	b = appendString(b, 1, m.Key)
	return appendBytes(b, 2, m.Value)
}

// Decode replaces the message by what b holds.
func (m *KVRequest) Decode(b []byte) error {
	*m = KVRequest{}
	r := decode(b)
	for r.more() {
		switch key := r.key(); key {
		case 1<<3 | bytes:
			m.Key = r.str()
		case 2<<3 | bytes:
			m.Value = r.raw()
		default:
			r.skip(key)
		}
	}
	return r.err
}

// Append appends the message to b.
func (m *KVReply) Append(b []byte) []byte {
	b = appendBool(b, 1, m.Found)
	b = appendBytes(b, 2, m.Value)
	return appendMessage(b, 3, &m.Error)
}

// Decode replaces the message by what b holds.
func (m *KVReply) Decode(b []byte) error {
	*m = KVReply{}
	r := decode(b)
	for r.more() {
		switch key := r.key(); key {
		case 1<<3 | varint:
			m.Found = r.bool()
		case 2<<3 | bytes:
			m.Value = r.raw()
		case 3<<3 | bytes:
			end := r.open()
			m.Error.read(&r)
			r.close(end)
		default:
			r.skip(key)
		}
	}
	return r.err
}
