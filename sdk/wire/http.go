package wire

// HTTPRequest is what sluice.http takes. Only event plugins have it, and only for the hosts that were granted.
type HTTPRequest struct {
	Method  string `json:"method,omitempty"` // "" = GET
	URL     string `json:"url,omitempty"`    // absolute, http or https
	Headers []Pair `json:"headers,omitempty"`
	Body    []byte `json:"body,omitempty"`
	Timeout int64  `json:"timeout,omitempty"` // ms, 0 = as long as the host allows
}

// HTTPReply is the answer of the server, or the reason why there is none.
type HTTPReply struct {
	Status  uint32 `json:"status,omitempty"` // 0 = there was no answer
	Headers []Pair `json:"headers,omitempty"`
	Body    []byte `json:"body,omitempty"`
	Error   Error  `json:"error,omitzero"` // Code 0 = there was an answer, whatever its status
}

// Append appends the message to b.
func (m *HTTPRequest) Append(b []byte) []byte {
	b = appendString(b, 1, m.Method)
	b = appendString(b, 2, m.URL)
	b = appendPairs(b, 3, m.Headers)
	b = appendBytes(b, 4, m.Body)
	return appendInt(b, 5, m.Timeout)
}

// Decode replaces the message by what b holds. More than MaxHeaders headers are an error.
func (m *HTTPRequest) Decode(b []byte) error {
	*m = HTTPRequest{Headers: m.Headers[:0]}
	r := decode(b)
	for r.more() {
		switch key := r.key(); key {
		case 1<<3 | bytes:
			m.Method = r.str()
		case 2<<3 | bytes:
			m.URL = r.str()
		case 3<<3 | bytes:
			m.Headers = readHeader(&r, m.Headers)
		case 4<<3 | bytes:
			m.Body = r.raw()
		case 5<<3 | varint:
			m.Timeout = r.int64()
		default:
			r.skip(key)
		}
	}
	return r.err
}

// Append appends the message to b.
func (m *HTTPReply) Append(b []byte) []byte {
	b = appendUint(b, 1, uint64(m.Status))
	b = appendPairs(b, 2, m.Headers)
	b = appendBytes(b, 3, m.Body)
	return appendMessage(b, 4, &m.Error)
}

// Decode replaces the message by what b holds. More than MaxHeaders headers are an error: the host sends fewer.
func (m *HTTPReply) Decode(b []byte) error {
	*m = HTTPReply{Headers: m.Headers[:0]}
	r := decode(b)
	for r.more() {
		switch key := r.key(); key {
		case 1<<3 | varint:
			m.Status = r.uint32()
		case 2<<3 | bytes:
			m.Headers = readHeader(&r, m.Headers)
		case 3<<3 | bytes:
			m.Body = r.raw()
		case 4<<3 | bytes:
			end := r.open()
			m.Error.read(&r)
			r.close(end)
		default:
			r.skip(key)
		}
	}
	return r.err
}
