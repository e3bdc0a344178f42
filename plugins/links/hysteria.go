package links

import "github.com/sluicehq/sluice/sdk/wire"

// hysteriaQuery writes the query of a hysteria2 link, which has names of its own.
func (w *writer) hysteriaQuery(h *wire.Hysteria, p *params) {
	w.Sep = '?'
	w.list("alpn=", p.alpn)
	w.param("ech=", p.ech)
	w.param("fm=", p.finalmask)
	w.param("fp=", p.fingerprint)
	w.param("insecure=", p.insecure)
	w.param("mport=", h.Ports)
	w.param("obfs=", h.Obfs)
	w.param("obfs-password=", h.ObfsPassword)
	w.list("pinSHA256=", p.pins)
	w.param("security=", p.security)
	w.param("sni=", p.sni)
	w.param("vcn=", p.verifyName)
}
