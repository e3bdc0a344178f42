package wire

// Security is how an endpoint proves who it is. Which fields are used depends on Kind.
type Security struct {
	Kind             string   `json:"kind,omitempty"`               // "" or none, tls, reality
	ServerName       string   `json:"server_name,omitempty"`        // tls, reality
	ALPN             []string `json:"alpn,omitempty"`               // tls
	Fingerprint      string   `json:"fingerprint,omitempty"`        // tls, reality: the browser that is imitated
	ECH              string   `json:"ech,omitempty"`                // tls: ECH configuration list
	VerifyName       string   `json:"verify_name,omitempty"`        // tls: verifyPeerCertByName, comma list
	PinnedCertSHA256 []string `json:"pinned_cert_sha256,omitempty"` // tls: hex SHA-256 of accepted certificates (DER)
	PublicKey        string   `json:"public_key,omitempty"`         // reality
	ShortID          string   `json:"short_id,omitempty"`           // reality
	SpiderX          string   `json:"spider_x,omitempty"`           // reality
	MLDSA65Verify    string   `json:"mldsa65_verify,omitempty"`     // reality
}

// Append appends the message to b.
func (m *Security) Append(b []byte) []byte {
	b = appendString(b, 1, m.Kind)
	b = appendString(b, 2, m.ServerName)
	b = appendStrings(b, 3, m.ALPN)
	b = appendString(b, 4, m.Fingerprint)
	b = appendString(b, 5, m.ECH)
	b = appendString(b, 6, m.VerifyName)
	b = appendStrings(b, 7, m.PinnedCertSHA256)
	b = appendString(b, 8, m.PublicKey)
	b = appendString(b, 9, m.ShortID)
	b = appendString(b, 10, m.SpiderX)
	return appendString(b, 11, m.MLDSA65Verify)
}

// Decode replaces the message by what b holds.
func (m *Security) Decode(b []byte) error {
	*m = Security{ALPN: m.ALPN[:0], PinnedCertSHA256: m.PinnedCertSHA256[:0]}
	r := decode(b)
	m.read(&r)
	return r.err
}

func (m *Security) read(r *reader) {
	for r.more() {
		switch key := r.key(); key {
		case 1<<3 | bytes:
			m.Kind = r.str()
		case 2<<3 | bytes:
			m.ServerName = r.str()
		case 3<<3 | bytes:
			m.ALPN = append(m.ALPN, r.str())
		case 4<<3 | bytes:
			m.Fingerprint = r.str()
		case 5<<3 | bytes:
			m.ECH = r.str()
		case 6<<3 | bytes:
			m.VerifyName = r.str()
		case 7<<3 | bytes:
			m.PinnedCertSHA256 = append(m.PinnedCertSHA256, r.str())
		case 8<<3 | bytes:
			m.PublicKey = r.str()
		case 9<<3 | bytes:
			m.ShortID = r.str()
		case 10<<3 | bytes:
			m.SpiderX = r.str()
		case 11<<3 | bytes:
			m.MLDSA65Verify = r.str()
		default:
			r.skip(key)
		}
	}
}
