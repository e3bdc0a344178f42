package wire

// Shadowsocks is what only shadowsocks endpoints have.
type Shadowsocks struct {
	Method    string `json:"method,omitempty"`     // the inbound's cipher, "" = each account names its own
	ServerKey string `json:"server_key,omitempty"` // 2022 methods: base64 key of the server
}

// Hysteria is what only hysteria (version 2) endpoints have.
type Hysteria struct {
	Obfs         string `json:"obfs,omitempty"` // salamander, "" = none
	ObfsPassword string `json:"obfs_password,omitempty"`
	Ports        string `json:"ports,omitempty"` // port hopping, such as 20000-30000,40000; "" = none
	Up           string `json:"up,omitempty"`    // the client's bandwidth, such as 100 mbps; "" = unknown
	Down         string `json:"down,omitempty"`
}

// WireGuard is what only wireguard endpoints have.
type WireGuard struct {
	PublicKey  string   `json:"public_key,omitempty"` // base64 key of the server
	MTU        uint32   `json:"mtu,omitempty"`        // bytes, 0 = the client's default
	DNS        []string `json:"dns,omitempty"`
	AllowedIPs []string `json:"allowed_ips,omitempty"` // CIDR that the client sends into the tunnel
	Keepalive  uint32   `json:"keepalive,omitempty"`   // seconds, 0 = off
	Reserved   string   `json:"reserved,omitempty"`    // three bytes as 1,2,3; "" = none
}

// Append appends the message to b.
func (m *Shadowsocks) Append(b []byte) []byte {
	b = appendString(b, 1, m.Method)
	return appendString(b, 2, m.ServerKey)
}

// Decode replaces the message by what b holds.
func (m *Shadowsocks) Decode(b []byte) error {
	*m = Shadowsocks{}
	r := decode(b)
	m.read(&r)
	return r.err
}

func (m *Shadowsocks) read(r *reader) {
	for r.more() {
		switch key := r.key(); key {
		case 1<<3 | bytes:
			m.Method = r.str()
		case 2<<3 | bytes:
			m.ServerKey = r.str()
		default:
			r.skip(key)
		}
	}
}

// Append appends the message to b.
func (m *Hysteria) Append(b []byte) []byte {
	b = appendString(b, 1, m.Obfs)
	b = appendString(b, 2, m.ObfsPassword)
	b = appendString(b, 3, m.Ports)
	b = appendString(b, 4, m.Up)
	return appendString(b, 5, m.Down)
}

// Decode replaces the message by what b holds.
func (m *Hysteria) Decode(b []byte) error {
	*m = Hysteria{}
	r := decode(b)
	m.read(&r)
	return r.err
}

func (m *Hysteria) read(r *reader) {
	for r.more() {
		switch key := r.key(); key {
		case 1<<3 | bytes:
			m.Obfs = r.str()
		case 2<<3 | bytes:
			m.ObfsPassword = r.str()
		case 3<<3 | bytes:
			m.Ports = r.str()
		case 4<<3 | bytes:
			m.Up = r.str()
		case 5<<3 | bytes:
			m.Down = r.str()
		default:
			r.skip(key)
		}
	}
}

// Append appends the message to b.
func (m *WireGuard) Append(b []byte) []byte {
	b = appendString(b, 1, m.PublicKey)
	b = appendUint(b, 2, uint64(m.MTU))
	b = appendStrings(b, 3, m.DNS)
	b = appendStrings(b, 4, m.AllowedIPs)
	b = appendUint(b, 5, uint64(m.Keepalive))
	return appendString(b, 6, m.Reserved)
}

// Decode replaces the message by what b holds.
func (m *WireGuard) Decode(b []byte) error {
	*m = WireGuard{DNS: m.DNS[:0], AllowedIPs: m.AllowedIPs[:0]}
	r := decode(b)
	m.read(&r)
	return r.err
}

func (m *WireGuard) read(r *reader) {
	for r.more() {
		switch key := r.key(); key {
		case 1<<3 | bytes:
			m.PublicKey = r.str()
		case 2<<3 | varint:
			m.MTU = r.uint32()
		case 3<<3 | bytes:
			m.DNS = append(m.DNS, r.str())
		case 4<<3 | bytes:
			m.AllowedIPs = append(m.AllowedIPs, r.str())
		case 5<<3 | varint:
			m.Keepalive = r.uint32()
		case 6<<3 | bytes:
			m.Reserved = r.str()
		default:
			r.skip(key)
		}
	}
}
