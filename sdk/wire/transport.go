package wire

// Transport is how an endpoint's bytes travel. Which fields are used depends on Network.
type Transport struct {
	Network     string `json:"network,omitempty"`      // raw, ws, grpc, httpupgrade, xhttp, kcp, hysteria
	Path        string `json:"path,omitempty"`         // ws, httpupgrade, xhttp; raw with the http header
	Host        string `json:"host,omitempty"`         // ws, httpupgrade, xhttp; raw with the http header
	Headers     []Pair `json:"headers,omitempty"`      // ws, httpupgrade, xhttp: without Host
	HeaderType  string `json:"header_type,omitempty"`  // raw: http; kcp: the disguise; "" = none
	ServiceName string `json:"service_name,omitempty"` // grpc
	Authority   string `json:"authority,omitempty"`    // grpc
	MultiMode   bool   `json:"multi_mode,omitempty"`   // grpc
	Mode        string `json:"mode,omitempty"`         // xhttp: auto, packet-up, stream-up, stream-one
	Padding     string `json:"padding,omitempty"`      // xhttp: xPaddingBytes, a range such as 100-1000
	Extra       string `json:"extra,omitempty"`        // xhttp: JSON of what has no field here
	MTU         uint32 `json:"mtu,omitempty"`          // kcp: bytes, 0 = the core's default
	TTI         uint32 `json:"tti,omitempty"`          // kcp: ms, 0 = the core's default
	Seed        string `json:"seed,omitempty"`         // kcp
}

// Append appends the message to b.
func (m *Transport) Append(b []byte) []byte {
	b = appendString(b, 1, m.Network)
	b = appendString(b, 2, m.Path)
	b = appendString(b, 3, m.Host)
	b = appendPairs(b, 4, m.Headers)
	b = appendString(b, 5, m.HeaderType)
	b = appendString(b, 6, m.ServiceName)
	b = appendString(b, 7, m.Authority)
	b = appendBool(b, 8, m.MultiMode)
	b = appendString(b, 9, m.Mode)
	b = appendString(b, 10, m.Padding)
	b = appendString(b, 11, m.Extra)
	b = appendUint(b, 12, uint64(m.MTU))
	b = appendUint(b, 13, uint64(m.TTI))
	return appendString(b, 14, m.Seed)
}

// Decode replaces the message by what b holds.
func (m *Transport) Decode(b []byte) error {
	*m = Transport{Headers: m.Headers[:0]}
	r := decode(b)
	m.read(&r)
	return r.err
}

func (m *Transport) read(r *reader) {
	for r.more() {
		switch key := r.key(); key {
		case 1<<3 | bytes:
			m.Network = r.str()
		case 2<<3 | bytes:
			m.Path = r.str()
		case 3<<3 | bytes:
			m.Host = r.str()
		case 4<<3 | bytes:
			m.Headers = readPair(r, m.Headers)
		case 5<<3 | bytes:
			m.HeaderType = r.str()
		case 6<<3 | bytes:
			m.ServiceName = r.str()
		case 7<<3 | bytes:
			m.Authority = r.str()
		case 8<<3 | varint:
			m.MultiMode = r.bool()
		case 9<<3 | bytes:
			m.Mode = r.str()
		case 10<<3 | bytes:
			m.Padding = r.str()
		case 11<<3 | bytes:
			m.Extra = r.str()
		case 12<<3 | varint:
			m.MTU = r.uint32()
		case 13<<3 | varint:
			m.TTI = r.uint32()
		case 14<<3 | bytes:
			m.Seed = r.str()
		default:
			r.skip(key)
		}
	}
}
