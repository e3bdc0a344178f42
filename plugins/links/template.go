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
	vmess                   // base64 of: head, id, middle, remark, cipher, tail
)

// template is a link without what belongs to the user: text that is the same for every account, in up to three parts,
// between which the account's values go.
type template struct {
	form               form
	head, middle, tail []byte
	method, serverKey  string // shadowsocks
}

// prepare makes t, which is zero before, of the endpoint. Its parts are written to w and stay valid when w goes on.
func (t *template) prepare(w *writer, e *wire.Endpoint) {
	w.begin()
	if e.RawURI != "" {
		t.form = external
		t.head = w.literal(e.RawURI)
		return
	}
	var p params
	p.collect(e)
	switch e.Protocol {
	case "vless":
		t.form = vless
		p.encryption = orNone(e.VLESSEncryption)
		t.head = w.literal("vless://")
		w.address(e)
		w.queryToFlow(&p)
		t.middle = w.part()
		w.queryFromFlow(&p)
		t.tail = w.part()
	case "trojan":
		t.form = password
		t.head = w.literal("trojan://")
		w.address(e)
		w.queryToFlow(&p)
		w.queryFromFlow(&p)
		t.middle = w.part()
	case "hysteria":
		t.form = password
		t.head = w.literal("hysteria2://")
		w.address(e)
		w.hysteriaQuery(&e.Hysteria, &p)
		t.middle = w.part()
	case "shadowsocks":
		t.form = shadowsocks
		t.method, t.serverKey = e.Shadowsocks.Method, e.Shadowsocks.ServerKey
		t.head = w.literal("ss://")
		w.address(e)
		if p.security == "none" { // here it is not written
			p.security = ""
		}
		w.queryToFlow(&p)
		w.queryFromFlow(&p)
		t.middle = w.part()
	case "vmess":
		t.form = vmess
		t.head, t.middle, t.tail = w.vmessParts(e, &p)
	}
}

// address writes @host:port. An IPv6 address is in brackets, because it has colons of its own.
func (w *writer) address(e *wire.Endpoint) {
	w.byte('@')
	if strings.IndexByte(e.Address, ':') >= 0 {
		w.byte('[')
		w.str(e.Address)
		w.byte(']')
	} else {
		w.escape(e.Address)
	}
	w.byte(':')
	w.uint(e.Port)
}

// begin starts a part, part ends it and starts the next.
func (w *writer) begin() { w.from = w.n }

func (w *writer) part() []byte {
	part := w.buf[w.from:w.n:w.n]
	w.from = w.n
	return part
}

// literal writes s as it is and ends the part.
func (w *writer) literal(s string) []byte {
	w.str(s)
	return w.part()
}

// orNone spells out the default where apps want it spelled out.
func orNone(s string) string {
	if s == "" {
		return "none"
	}
	return s
}
