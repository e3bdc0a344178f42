package wire

// FormatRequest asks a format item for the subscription of one user.
type FormatRequest struct {
	ID        string     `json:"id,omitempty"`        // the item
	Now       int64      `json:"now,omitempty"`       // ms UTC; use it instead of a clock
	Entropy   []byte     `json:"entropy,omitempty"`   // EntropySize random bytes
	Settings  string     `json:"settings,omitempty"`  // JSON object by the item's schema, "" = none
	User      User       `json:"user,omitzero"`       //
	Endpoints []Endpoint `json:"endpoints,omitempty"` // in the order in which they are shown; empty if Prepared is set
	Accounts  []Account  `json:"accounts,omitempty"`  // Accounts[i] is the user's account on Endpoints[i]
	Prepared  uint64     `json:"prepared,omitempty"`  // the set that a PrepareRequest has sent, 0 = Endpoints are here

	URL        string `json:"url,omitempty"`         // of this subscription, secret, "" = not known
	Title      string `json:"title,omitempty"`       // of the service, as apps show it, "" = none
	SupportURL string `json:"support_url,omitempty"` // where users ask for help, "" = none
}

// PrepareRequest hands an instance the endpoints once, so that the FormatRequests that follow send only the user. Its
// numbers are those of FormatRequest.
type PrepareRequest struct {
	ID        string     `json:"id,omitempty"`        // the item
	Now       int64      `json:"now,omitempty"`       // ms UTC
	Entropy   []byte     `json:"entropy,omitempty"`   // EntropySize random bytes
	Settings  string     `json:"settings,omitempty"`  // JSON object by the item's schema, "" = none
	Endpoints []Endpoint `json:"endpoints,omitempty"` //
	Handle    uint64     `json:"handle,omitempty"`    // what Prepared will be, not 0; names the set for this item
}

// PrepareReply is empty.
type PrepareReply struct{}

// FormatReply is the rendered subscription.
type FormatReply struct {
	Body        []byte `json:"body,omitempty"`
	ContentType string `json:"content_type,omitempty"` // "" = the item's
	Filename    string `json:"filename,omitempty"`     // for content-disposition, "" = the kernel's
	Headers     []Pair `json:"headers,omitempty"`      // of ReplyHeaders, at most MaxHeaders
}

// Append appends the message to b.
func (m *FormatRequest) Append(b []byte) []byte {
	b = appendString(b, 1, m.ID)
	b = appendInt(b, 2, m.Now)
	b = appendBytes(b, 3, m.Entropy)
	b = appendString(b, 4, m.Settings)
	b = appendMessage(b, 5, &m.User)
	b = appendEndpoints(b, 6, m.Endpoints)
	for i := range m.Accounts {
		var at int
		b, at = openMessage(b, 7)
		b = closeMessage(m.Accounts[i].Append(b), at)
	}
	b = appendUint(b, 8, m.Prepared)
	b = appendString(b, 9, m.URL)
	b = appendString(b, 10, m.Title)
	return appendString(b, 11, m.SupportURL)
}

// Decode replaces the message by what b holds.
func (m *FormatRequest) Decode(b []byte) error {
	endpoints, err := m.DecodeRest(b)
	if err != nil {
		return err
	}
	return m.DecodeEndpoints(endpoints)
}

// DecodeRest is Decode without the endpoints. They are most of a request, and often the ones of the request before: it
// returns the part of b from the first of them to the last, nil if there are none. Equal parts hold equal endpoints.
func (m *FormatRequest) DecodeRest(b []byte) (endpoints []byte, err error) {
	*m = FormatRequest{Endpoints: m.Endpoints[:0], Accounts: m.Accounts[:0]}
	r := decode(b)
	first, last := 0, 0
	for r.more() {
		start := r.off
		switch key := r.key(); key {
		case 1<<3 | bytes:
			m.ID = r.str()
		case 2<<3 | varint:
			m.Now = r.int64()
		case 3<<3 | bytes:
			m.Entropy = r.raw()
		case 4<<3 | bytes:
			m.Settings = r.str()
		case 5<<3 | bytes:
			end := r.open()
			m.User.read(&r)
			r.close(end)
		case 6<<3 | bytes:
			r.advance(r.size())
			if last == 0 {
				first = start
			}
			last = r.off
		case 7<<3 | bytes:
			m.Accounts = readAccount(&r, m.Accounts)
		case 8<<3 | varint:
			m.Prepared = r.uvarint()
		case 9<<3 | bytes:
			m.URL = r.str()
		case 10<<3 | bytes:
			m.Title = r.str()
		case 11<<3 | bytes:
			m.SupportURL = r.str()
		default:
			r.skip(key)
		}
	}
	if r.err != nil || last == 0 {
		return nil, r.err
	}
	return b[first:last:last], nil
}

// DecodeEndpoints replaces the endpoints by those of a part that DecodeRest has returned.
func (m *FormatRequest) DecodeEndpoints(part []byte) error {
	m.Endpoints = m.Endpoints[:0]
	r := decode(part)
	for r.more() {
		if key := r.key(); key == 6<<3|bytes {
			m.Endpoints = readEndpoint(&r, m.Endpoints)
		} else {
			r.skip(key)
		}
	}
	return r.err
}

// Append appends the message to b.
func (m *PrepareRequest) Append(b []byte) []byte {
	b = appendString(b, 1, m.ID)
	b = appendInt(b, 2, m.Now)
	b = appendBytes(b, 3, m.Entropy)
	b = appendString(b, 4, m.Settings)
	b = appendEndpoints(b, 6, m.Endpoints)
	return appendUint(b, 8, m.Handle)
}

// Decode replaces the message by what b holds.
func (m *PrepareRequest) Decode(b []byte) error {
	*m = PrepareRequest{Endpoints: m.Endpoints[:0]}
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
			m.Settings = r.str()
		case 6<<3 | bytes:
			m.Endpoints = readEndpoint(&r, m.Endpoints)
		case 8<<3 | varint:
			m.Handle = r.uvarint()
		default:
			r.skip(key)
		}
	}
	return r.err
}

// Append appends nothing.
func (m *PrepareReply) Append(b []byte) []byte { return b }

// Decode checks that b is a message.
func (m *PrepareReply) Decode(b []byte) error { return skipAll(b) }

// Append appends the message to b.
func (m *FormatReply) Append(b []byte) []byte {
	b = appendBytes(b, 1, m.Body)
	b = appendString(b, 2, m.ContentType)
	b = appendString(b, 3, m.Filename)
	return appendPairs(b, 4, m.Headers)
}

// Decode replaces the message by what b holds. More than MaxHeaders headers are an error.
func (m *FormatReply) Decode(b []byte) error {
	*m = FormatReply{Headers: m.Headers[:0]}
	r := decode(b)
	for r.more() {
		switch key := r.key(); key {
		case 1<<3 | bytes:
			m.Body = r.raw()
		case 2<<3 | bytes:
			m.ContentType = r.str()
		case 3<<3 | bytes:
			m.Filename = r.str()
		case 4<<3 | bytes:
			m.Headers = readHeader(&r, m.Headers)
		default:
			r.skip(key)
		}
	}
	return r.err
}
