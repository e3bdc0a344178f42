package links

import (
	"github.com/sluicehq/sluice/plugins/text"
	"github.com/sluicehq/sluice/sdk/wire"
)

// vmessParts writes the object that a vmess link holds, keys sorted: head ends before the id, middle before the remark,
// tail starts after the cipher. The object is version 2 of the form that v2rayN made; a few keys have a meaning of their
// own there: type is the disguise or the grpc mode, path the grpc service or the kcp seed.
func (w *writer) vmessParts(t *template, e *wire.Endpoint, p *params) {
	kind := p.headerType
	switch p.network {
	case "grpc":
		p.path, kind, p.mode = p.serviceName, p.mode, ""
	case "kcp":
		p.path = p.seed
	}
	w.Open('{')
	w.Member(`"add":`, e.Address)
	w.Str(`,"aid":"0"`)
	w.Optional(`"allowInsecure":`, p.insecure)
	w.listMember(`"alpn":`, p.alpn)
	w.Optional(`"authority":`, p.authority)
	w.Optional(`"ech":`, p.ech)
	w.Optional(`"extra":`, p.extra)
	w.Optional(`"fm":`, p.finalmask)
	w.Optional(`"fp":`, p.fingerprint)
	w.Optional(`"host":`, p.host)
	start := w.Literal(`,"id":`)
	w.Optional(`"mode":`, p.mode)
	w.Number(`"mtu":`, p.mtu)
	w.Member(`"net":`, p.network)
	w.Optional(`"path":`, p.path)
	w.Optional(`"pbk":`, p.publicKey)
	w.listMember(`"pcs":`, p.pins)
	w.Number(`"port":`, e.Port)
	w.Optional(`"pqv":`, p.mldsa)
	t.middle = w.Literal(`,"ps":`)
	w.Optional(`"sid":`, p.shortID)
	w.Optional(`"sni":`, p.sni)
	w.Optional(`"spx":`, p.spiderX)
	w.Member(`"tls":`, p.security)
	w.Number(`"tti":`, p.tti)
	w.Member(`"type":`, orNone(kind))
	w.Str(`,"v":"2"`)
	w.Optional(`"vcn":`, p.verifyName)
	w.Optional(`"x_padding_bytes":`, p.padding)
	t.tail = w.Literal("}")
	t.carry = start[len(start)-len(start)%3:]
	w.Str("vmess://")
	w.base64(start[:len(start)-len(t.carry)])
	t.head = w.Part()
}

// vmess writes the line of a link, the object in base64.
func (r *Renderer) vmess(w *writer, t *template, a *wire.Account) bool {
	security := cipher(a.Security)
	object := &r.object
	object.N = 0
	object.Room(len(t.carry) + len(t.middle) + len(t.tail) + 6*(len(a.ID)+len(a.Remark)+len(security)) + len(`"""""",scy:""`))
	buf, n := object.Buf, copy(object.Buf, t.carry)
	n = text.QuoteTo(buf, n, a.ID)
	n += copy(buf[n:], t.middle)
	n = text.QuoteTo(buf, n, a.Remark)
	n += copy(buf[n:], `,"scy":`)
	n = text.QuoteTo(buf, n, security)
	n += copy(buf[n:], t.tail)

	w.Raw(t.head)
	w.base64(buf[:n])
	w.Byte('\n')
	return true
}

// cipher is what the app is told. none and zero would send the user's data open, so that they are left to the app too.
func cipher(security string) string {
	switch security {
	case "", "none", "zero":
		return "auto"
	}
	return security
}

// listMember writes the values as one string with commas between them.
func (w *writer) listMember(key string, values []string) {
	if len(values) == 0 {
		return
	}
	w.Key(key)
	w.Byte('"')
	for i, v := range values {
		if i > 0 {
			w.Byte(',')
		}
		w.Quoted(v)
	}
	w.Byte('"')
}
