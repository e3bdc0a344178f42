package links

import (
	"strings"

	"github.com/sluicehq/sluice/sdk/wire"
)

// shadowsocks writes the two forms of SIP002: method and password as one base64 word, or, for the 2022 methods, method,
// server key and user key in the open, each percent-encoded.
func (r *Renderer) shadowsocks(w *writer, t *template, a *wire.Account) {
	method := a.Method
	if method == "" {
		method = t.method
	}
	w.raw(t.head)
	if strings.HasPrefix(method, "2022-") {
		w.escape(method)
		if t.serverKey != "" {
			w.byte(':')
			w.escape(t.serverKey)
		}
		w.byte(':')
		w.escape(a.Password)
	} else {
		secret := &r.object
		secret.n = 0
		secret.str(method)
		secret.byte(':')
		secret.str(a.Password)
		w.base64URL(secret.buf[:secret.n])
	}
	w.raw(t.middle)
	w.fragment(a.Remark)
}
