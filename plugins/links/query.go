package links

import "github.com/sluicehq/sluice/plugins/text"

// queryToFlow and queryFromFlow write the parameters as a URL query, sorted by key. Between them is the place of flow,
// the one parameter that belongs to the user; where flow may come, encryption is never empty, so that it is not first.
func (w *writer) queryToFlow(p *params) {
	w.Sep = '?'
	w.param("allowInsecure=", p.insecure)
	w.list("alpn=", p.alpn)
	w.param("authority=", p.authority)
	w.param("ech=", p.ech)
	w.param("encryption=", p.encryption)
	w.param("extra=", p.extra)
}

func (w *writer) queryFromFlow(p *params) {
	w.param("fm=", p.finalmask)
	w.param("fp=", p.fingerprint)
	w.param("headerType=", p.headerType)
	w.param("host=", p.host)
	w.param("mode=", p.mode)
	w.number("mtu=", p.mtu)
	w.param("path=", p.path)
	w.param("pbk=", p.publicKey)
	w.list("pcs=", p.pins)
	w.param("pqv=", p.mldsa)
	w.param("security=", p.security)
	w.param("seed=", p.seed)
	w.param("serviceName=", p.serviceName)
	w.param("sid=", p.shortID)
	w.param("sni=", p.sni)
	w.param("spx=", p.spiderX)
	w.number("tti=", p.tti)
	w.param("type=", p.network)
	w.param("vcn=", p.verifyName)
	w.param("x_padding_bytes=", p.padding)
}

// param writes a parameter unless it is empty. It is small enough to be inlined: most parameters of a link are empty.
func (w *writer) param(key, value string) {
	if value != "" {
		w.pair(key, value)
	}
}

// pair writes one parameter. It makes room for the whole of it, because this is where most bytes of a link come from.
func (w *writer) pair(key, value string) {
	w.Room(1 + len(key) + 3*len(value))
	w.Buf[w.N] = w.Sep
	w.Sep = '&'
	w.N += 1 + copy(w.Buf[w.N+1:], key)
	w.N = text.EscapeTo(w.Buf, w.N, value)
}

// number writes a parameter unless it is 0.
func (w *writer) number(key string, value uint32) {
	if value != 0 {
		w.pair(key, "")
		w.Uint(value)
	}
}

// list writes the values with commas between them, escaped like the rest of the value.
func (w *writer) list(key string, values []string) {
	for i, v := range values {
		if i == 0 {
			w.pair(key, v)
		} else {
			w.Str("%2C")
			w.Escape(v)
		}
	}
}
