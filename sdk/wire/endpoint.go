package wire

// Endpoint is one way to connect, without anything that differs between users. Its strings are spelled as the core
// spells them; where a value has JSON in it, it is one compact object.
type Endpoint struct {
	InboundID       int64       `json:"inbound_id,omitempty"` // 0 = an external link
	InboundTag      string      `json:"inbound_tag,omitempty"`
	Protocol        string      `json:"protocol,omitempty"` // vless, vmess, trojan, shadowsocks, hysteria, wireguard
	Address         string      `json:"address,omitempty"`  // host name or IP; IPv6 without brackets
	Port            uint32      `json:"port,omitempty"`     // 1 to 65535
	Transport       Transport   `json:"transport,omitzero"`
	Security        Security    `json:"security,omitzero"`
	VLESSEncryption string      `json:"vless_encryption,omitempty"` // vless: the client's encryption, "" = none
	Shadowsocks     Shadowsocks `json:"shadowsocks,omitzero"`
	Hysteria        Hysteria    `json:"hysteria,omitzero"`
	WireGuard       WireGuard   `json:"wireguard,omitzero"`
	Finalmask       string      `json:"finalmask,omitempty"`       // JSON, "" = none
	Mux             string      `json:"mux,omitempty"`             // JSON of the client's mux, "" = none
	StreamSettings  string      `json:"stream_settings,omitempty"` // JSON of the client's streamSettings
	Params          []Pair      `json:"params,omitempty"`          // free parameters of a host; names are unique, sorted
	RawURI          string      `json:"raw_uri,omitempty"`         // an external link, to be passed on; the rest is empty
}

// Append appends the message to b.
func (m *Endpoint) Append(b []byte) []byte {
	b = appendInt(b, 1, m.InboundID)
	b = appendString(b, 2, m.InboundTag)
	b = appendString(b, 3, m.Protocol)
	b = appendString(b, 4, m.Address)
	b = appendUint(b, 5, uint64(m.Port))
	b = appendMessage(b, 6, &m.Transport)
	b = appendMessage(b, 7, &m.Security)
	b = appendString(b, 8, m.VLESSEncryption)
	b = appendMessage(b, 9, &m.Shadowsocks)
	b = appendMessage(b, 10, &m.Hysteria)
	b = appendMessage(b, 11, &m.WireGuard)
	b = appendString(b, 12, m.Finalmask)
	b = appendString(b, 13, m.Mux)
	b = appendString(b, 14, m.StreamSettings)
	b = appendPairs(b, 15, m.Params)
	return appendString(b, 16, m.RawURI)
}

// Decode replaces the message by what b holds.
func (m *Endpoint) Decode(b []byte) error {
	r := decode(b)
	m.read(&r)
	return r.err
}

// reset clears the endpoint but keeps the room of its slices, those of nested messages included.
func (m *Endpoint) reset() {
	headers, alpn, pins := m.Transport.Headers[:0], m.Security.ALPN[:0], m.Security.PinnedCertSHA256[:0]
	dns, allowed, params := m.WireGuard.DNS[:0], m.WireGuard.AllowedIPs[:0], m.Params[:0]
	*m = Endpoint{}
	m.Transport.Headers, m.Security.ALPN, m.Security.PinnedCertSHA256 = headers, alpn, pins
	m.WireGuard.DNS, m.WireGuard.AllowedIPs, m.Params = dns, allowed, params
}

func (m *Endpoint) read(r *reader) {
	m.reset()
	for r.more() {
		switch key := r.key(); key {
		case 1<<3 | varint:
			m.InboundID = r.int64()
		case 2<<3 | bytes:
			m.InboundTag = r.str()
		case 3<<3 | bytes:
			m.Protocol = r.str()
		case 4<<3 | bytes:
			m.Address = r.str()
		case 5<<3 | varint:
			m.Port = r.uint32()
		case 8<<3 | bytes:
			m.VLESSEncryption = r.str()
		case 12<<3 | bytes:
			m.Finalmask = r.str()
		case 13<<3 | bytes:
			m.Mux = r.str()
		case 14<<3 | bytes:
			m.StreamSettings = r.str()
		case 15<<3 | bytes:
			m.Params = readPair(r, m.Params)
		case 16<<3 | bytes:
			m.RawURI = r.str()
		case 6<<3 | bytes, 7<<3 | bytes, 9<<3 | bytes, 10<<3 | bytes, 11<<3 | bytes:
			m.readNested(r, key>>3)
		default:
			r.skip(key)
		}
	}
}

func (m *Endpoint) readNested(r *reader, field uint64) {
	end := r.open()
	switch field {
	case 6:
		m.Transport.read(r)
	case 7:
		m.Security.read(r)
	case 9:
		m.Shadowsocks.read(r)
	case 10:
		m.Hysteria.read(r)
	case 11:
		m.WireGuard.read(r)
	}
	r.close(end)
}

func appendEndpoints(b []byte, field uint64, endpoints []Endpoint) []byte {
	for i := range endpoints {
		var at int
		b, at = openMessage(b, field)
		b = closeMessage(endpoints[i].Append(b), at)
	}
	return b
}

// readEndpoint appends the endpoint that follows to endpoints.
func readEndpoint(r *reader, endpoints []Endpoint) []Endpoint {
	endpoints = extend(endpoints)
	end := r.open()
	endpoints[len(endpoints)-1].read(r)
	r.close(end)
	return endpoints
}
