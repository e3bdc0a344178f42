package profile

import (
	"strings"

	"github.com/sluicehq/sluice/plugins/text"
	"github.com/sluicehq/sluice/sdk/wire"
)

// Hole is a place in an entry into which a value of the account goes, as a quoted string.
type Hole int

// The holes.
const (
	none     Hole = iota
	Name          // the remark, changed if another entry has it
	ID            // vless, vmess
	Password      // trojan, hysteria
	Cipher        // vmess: one that every app knows
	Method        // shadowsocks
	Secret        // shadowsocks: the key, on 2022 methods behind that of the server
	Flow          // vless
	noFlow        // no value: text that is there only for an account without a flow
)

// Need is what an account must have to be filled into an entry.
type Need int

// The needs.
const (
	Nothing   Need = iota // there is no such account: the endpoint is left out
	AnID                  // vless, vmess
	APassword             // trojan, shadowsocks, hysteria
	AnAEADKey             // shadowsocks with a cipher from before 2022, of those that every client has
)

// met says whether the account has what the template needs.
func (t *template) met(a *wire.Account) bool {
	switch t.need {
	case AnID:
		return a.ID != ""
	case APassword:
		return a.Password != ""
	case AnAEADKey:
		switch t.methodOf(a) {
		case "aes-128-gcm", "aes-192-gcm", "aes-256-gcm", "chacha20-ietf-poly1305":
			return a.Password != ""
		}
	}
	return false
}

// template is an entry without what belongs to the user.
type template struct {
	need              Need
	pieces            []piece
	address           string // names an entry whose account has no remark
	method, serverKey string // shadowsocks
}

// piece is text with a hole behind it.
type piece struct {
	text []byte
	hole Hole
}

// Writer writes the text of templates.
type Writer struct {
	text.Writer
	pieces []piece
}

// template makes the template of an endpoint. It stays valid when the writer goes on.
func (w *Writer) template(f *Format, e *wire.Endpoint) template {
	t := template{address: e.Address, method: e.Shadowsocks.Method, serverKey: e.Shadowsocks.ServerKey}
	from, start := len(w.pieces), w.N
	w.Begin()
	if e.RawURI == "" { // else it is a link, for apps that take links
		w.Sep = 0
		t.need = f.Entry(w, e)
	}
	if t.need == Nothing {
		w.pieces, w.N = w.pieces[:from], start
		return t
	}
	w.cut(none)
	t.pieces = w.pieces[from:len(w.pieces):len(w.pieces)]
	return t
}

// cut ends a piece.
func (w *Writer) cut(h Hole) { w.pieces = append(w.pieces, piece{w.Part(), h}) }

// Hole writes a member whose value is the account's.
func (w *Writer) Hole(key string, h Hole) {
	w.Key(key)
	w.cut(h)
}

// FlowHole writes a member that only accounts with a flow have. It must not be the first of its object.
func (w *Writer) FlowHole(key string) {
	w.cut(none)
	w.Hole(key, Flow)
}

// WithoutFlow writes a member, value as it is, that only accounts without a flow have. It must not be the first of its
// object.
func (w *Writer) WithoutFlow(key, value string) {
	w.cut(none)
	w.Key(key)
	w.Str(value)
	w.cut(noFlow)
}

// entry writes the template with the account's values in it.
func (d *Document) entry(t *template, a *wire.Account) {
	for i := range t.pieces {
		p := &t.pieces[i]
		if p.hole == Flow && a.Flow == "" || p.hole == noFlow && a.Flow != "" {
			continue
		}
		d.Raw(p.text)
		switch p.hole {
		case Name:
			from := d.N
			d.Quote(d.names.take(a.Remark, t.address))
			d.called = append(d.called, d.Buf[from:d.N])
		case ID:
			d.Quote(a.ID)
		case Password:
			d.Quote(a.Password)
		case Cipher:
			d.Quote(cipher(a.Security))
		case Method:
			d.Quote(t.methodOf(a))
		case Secret:
			d.secret(t, a)
		case Flow:
			d.Quote(a.Flow)
		}
	}
}

// cipher spells out what apps are to use for vmess. What they make of "auto" over TLS, this core does not take any more,
// and none and zero would send the user's data open.
func cipher(security string) string {
	if security == "chacha20-poly1305" {
		return security
	}
	return "aes-128-gcm"
}

// methodOf is the cipher of the account.
func (t *template) methodOf(a *wire.Account) string {
	if a.Method != "" {
		return a.Method
	}
	return t.method
}

// secret writes the shadowsocks password: on a 2022 method it names the server's key and the user's.
func (d *Document) secret(t *template, a *wire.Account) {
	d.Byte('"')
	if t.serverKey != "" && strings.HasPrefix(t.methodOf(a), "2022-") {
		d.Quoted(t.serverKey)
		d.Byte(':')
	}
	d.Quoted(a.Password)
	d.Byte('"')
}
