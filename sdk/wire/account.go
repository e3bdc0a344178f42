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
	m.reset()
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

// reset clears the account but keeps the room of its slice. It is written out, because clearing a whole struct is a slow
// instruction in a guest.
func (m *Account) reset() {
	m.Remark, m.ID, m.Password, m.Flow = "", "", "", ""
	m.Method, m.Security, m.PrivateKey, m.PresharedKey = "", "", "", ""
	m.Addresses = m.Addresses[:0]
}

// readAccount appends the account that follows to accounts.
func readAccount(r *reader, accounts []Account) []Account {
	accounts = extend(accounts)
	if m := &accounts[len(accounts)-1]; !m.readShort(r) {
		end := r.open()
		m.read(r)
		r.close(end)
	}
	return accounts
}

// readShort is open, read and close for the usual account: under 128 bytes, without the fields of wireguard. It is
// written without calls, which are what a guest's time goes into, because accounts are most of what a request for a
// prepared set has. Of any other it reads nothing and says so.
func (m *Account) readShort(r *reader) (ok bool) {
	src, off := r.src, r.off+1
	if off > r.end || src[off-1] > 0x7f || int(src[off-1]) > r.end-off {
		return false
	}
	end := off + int(src[off-1])
	m.reset()
	for off < end {
		key, start := src[off], off+2
		if start > end || int(src[start-1]) > end-start {
			return false
		}
		off = start + int(src[start-1])
		switch s := src[start:off]; key {
		case 1<<3 | bytes:
			m.Remark = s
		case 2<<3 | bytes:
			m.ID = s
		case 3<<3 | bytes:
			m.Password = s
		case 4<<3 | bytes:
			m.Flow = s
		case 5<<3 | bytes:
			m.Method = s
		case 6<<3 | bytes:
			m.Security = s
		default:
			return false
		}
	}
	r.off = end
	return true
}
