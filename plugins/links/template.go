package links

import (
	"strings"

	"github.com/sluicehq/sluice/sdk/wire"
)

// form says how a template and an account become a link.
type form int

const (
	none        form = iota // there is no link
	external                // head
	vless                   // head, id, middle, flow, tail, remark
	password                // head, password, middle, remark
	shadowsocks             // head, method and keys, middle, remark
	vmess                   // head, and base64 of: carry, id, middle, remark, cipher, tail
)

// template is a link without what belongs to the user: text that is the same for every account, in up to three parts,
// between which the account's values go.
type template struct {
	form               form
	head, middle, tail []byte
	carry              []byte // vmess: the end of what is before the id, less than three bytes, which head has no place for
	method, serverKey  string // shadowsocks
}

// prepare makes t, which is zero before, of the endpoint. Its parts are written to w and stay valid when w goes on.
func (t *template) prepare(w *writer, e *wire.Endpoint) {
	w.Begin()
	if e.RawURI != "" {
		t.form = external
		t.head = w.Literal(e.RawURI)
		return
	}
	var p params
	p.collect(e)
	switch e.Protocol {
	case "vless":
		t.form = vless
		p.encryption = orNone(e.VLESSEncryption)
		t.head = w.Literal("vless://")
		w.address(e)
		w.queryToFlow(&p)
		t.middle = w.Part()
		w.queryFromFlow(&p)
		t.tail = w.Part()
	case "trojan":
		t.form = password
		t.head = w.Literal("trojan://")
		w.address(e)
		w.queryToFlow(&p)
		w.queryFromFlow(&p)
		t.middle = w.Part()
	case "hysteria":
		t.form = password
		t.head = w.Literal("hysteria2://")
		w.address(e)
		w.hysteriaQuery(&e.Hysteria, &p)
		t.middle = w.Part()
	case "shadowsocks":
		t.form = shadowsocks
		t.method, t.serverKey = e.Shadowsocks.Method, e.Shadowsocks.ServerKey
		t.head = w.Literal("ss://")
		w.address(e)
		if p.security == "none" { // here it is not written
			p.security = ""
		}
		w.queryToFlow(&p)
		w.queryFromFlow(&p)
		t.middle = w.Part()
	case "vmess":
		t.form = vmess
		w.vmessParts(t, e, &p)
	}
}

// address writes @host:port. An IPv6 address is in brackets, because it has colons of its own.
func (w *writer) address(e *wire.Endpoint) {
	w.Byte('@')
	if strings.IndexByte(e.Address, ':') >= 0 {
		w.Byte('[')
		w.Str(e.Address)
		w.Byte(']')
	} else {
		w.Escape(e.Address)
	}
	w.Byte(':')
	w.Uint(e.Port)
}

// orNone spells out the default where apps want it spelled out.
func orNone(s string) string {
	if s == "" {
		return "none"
	}
	return s
}
