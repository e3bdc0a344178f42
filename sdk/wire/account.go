package wire

// Account is what a user has of its own on one endpoint. Fields that the endpoint's protocol does not use are empty.
type Account struct {
	Remark       string   `json:"remark,omitempty"`        // what the app shows, with every placeholder replaced
	ID           string   `json:"id,omitempty"`            // vless, vmess: uuid
	Password     string   `json:"password,omitempty"`      // trojan, shadowsocks (the user's key on 2022), hysteria: auth
	Flow         string   `json:"flow,omitempty"`          // vless: effective on this endpoint, "" = none
	Method       string   `json:"method,omitempty"`        // shadowsocks: cipher of this account, "" = the endpoint's
	Security     string   `json:"security,omitempty"`      // vmess: cipher, "" = auto
	PrivateKey   string   `json:"private_key,omitempty"`   // wireguard: base64
	PresharedKey string   `json:"preshared_key,omitempty"` // wireguard: base64, "" = none
	Addresses    []string `json:"addresses,omitempty"`     // wireguard: CIDR of the user in the tunnel
}

// Append appends the message to b.
func (m *Account) Append(b []byte) []byte {
	b = appendString(b, 1, m.Remark)
	b = appendString(b, 2, m.ID)
	b = appendString(b, 3, m.Password)
	b = appendString(b, 4, m.Flow)
	b = appendString(b, 5, m.Method)
	b = appendString(b, 6, m.Security)
	b = appendString(b, 7, m.PrivateKey)
	b = appendString(b, 8, m.PresharedKey)
	return appendStrings(b, 9, m.Addresses)
}

// Decode replaces the message by what b holds.
func (m *Account) Decode(b []byte) error {
	r := decode(b)
	m.read(&r)
	return r.err
}

func (m *Account) read(r *reader) {
	addresses := m.Addresses[:0]
	*m = Account{}
	m.Addresses = addresses
	for r.more() {
		switch key := r.key(); key {
		case 1<<3 | bytes:
			m.Remark = r.str()
		case 2<<3 | bytes:
			m.ID = r.str()
		case 3<<3 | bytes:
			m.Password = r.str()
		case 4<<3 | bytes:
			m.Flow = r.str()
		case 5<<3 | bytes:
			m.Method = r.str()
		case 6<<3 | bytes:
			m.Security = r.str()
		case 7<<3 | bytes:
			m.PrivateKey = r.str()
		case 8<<3 | bytes:
			m.PresharedKey = r.str()
		case 9<<3 | bytes:
			m.Addresses = append(m.Addresses, r.str())
		default:
			r.skip(key)
		}
	}
}
