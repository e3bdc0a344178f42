package links

import "github.com/sluicehq/sluice/sdk/wire"

// vmessParts writes the object that a vmess link holds, keys sorted: head ends before the id, middle before the remark,
// tail starts after the cipher. The object is version 2 of the form that v2rayN made; a few keys have a meaning of their
// own there: type is the disguise or the grpc mode, path the grpc service or the kcp seed.
func (w *writer) vmessParts(e *wire.Endpoint, p *params) (head, middle, tail []byte) {
	kind := p.headerType
	switch p.network {
	case "grpc":
		p.path, kind, p.mode = p.serviceName, p.mode, ""
	case "kcp":
		p.path = p.seed
	}
	w.sep = '{'
	w.member(`"add":`, e.Address)
	w.str(`,"aid":"0"`)
	w.optional(`"allowInsecure":`, p.insecure)
	w.listMember(`"alpn":`, p.alpn)
	w.optional(`"authority":`, p.authority)
	w.optional(`"ech":`, p.ech)
	w.optional(`"extra":`, p.extra)
	w.optional(`"fm":`, p.finalmask)
	w.optional(`"fp":`, p.fingerprint)
	w.optional(`"host":`, p.host)
	head = w.literal(`,"id":`)
	w.optional(`"mode":`, p.mode)
	w.numberMember(`"mtu":`, p.mtu)
	w.member(`"net":`, p.network)
	w.optional(`"path":`, p.path)
	w.optional(`"pbk":`, p.publicKey)
	w.listMember(`"pcs":`, p.pins)
	w.numberMember(`"port":`, e.Port)
	w.optional(`"pqv":`, p.mldsa)
	middle = w.literal(`,"ps":`)
	w.optional(`"sid":`, p.shortID)
	w.optional(`"sni":`, p.sni)
	w.optional(`"spx":`, p.spiderX)
	w.member(`"tls":`, p.security)
	w.numberMember(`"tti":`, p.tti)
	w.member(`"type":`, orNone(kind))
	w.str(`,"v":"2"`)
	w.optional(`"vcn":`, p.verifyName)
	w.optional(`"x_padding_bytes":`, p.padding)
	return head, middle, w.literal("}")
}

// vmess writes vmess:// and the object in base64.
func (r *Renderer) vmess(w *writer, t *template, a *wire.Account) {
	object := &r.object
	object.n = 0
	object.raw(t.head)
	object.quote(a.ID)
	object.raw(t.middle)
	object.quote(a.Remark)
	object.str(`,"scy":`)
	object.quote(cipher(a.Security))
	object.raw(t.tail)
	w.str("vmess://")
	w.base64(object.buf[:object.n])
}

// cipher is what the app is told. none and zero would send the user's data open, so that they are left to the app too.
func cipher(security string) string {
	switch security {
	case "", "none", "zero":
		return "auto"
	}
	return security
}

// member writes key, which has quotes and colon already, and a string.
func (w *writer) member(key, value string) {
	w.byte(w.sep)
	w.str(key)
	w.quote(value)
	w.sep = ','
}

// optional is member for values that are left out when empty.
func (w *writer) optional(key, value string) {
	if value != "" {
		w.member(key, value)
	}
}

// numberMember writes a number unless it is 0.
func (w *writer) numberMember(key string, value uint32) {
	if value != 0 {
		w.byte(w.sep)
		w.str(key)
		w.uint(value)
	}
}

// listMember writes the values as one string with commas between them.
func (w *writer) listMember(key string, values []string) {
	if len(values) == 0 {
		return
	}
	w.byte(w.sep)
	w.str(key)
	w.byte('"')
	for i, v := range values {
		if i > 0 {
			w.byte(',')
		}
		w.quoted(v)
	}
	w.byte('"')
}
