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
	w.Raw(t.head)
	if strings.HasPrefix(method, "2022-") {
		w.Escape(method)
		if t.serverKey != "" {
			w.Byte(':')
			w.Escape(t.serverKey)
		}
		w.Byte(':')
		w.Escape(a.Password)
	} else {
		secret := &r.object
		secret.N = 0
		secret.Str(method)
		secret.Byte(':')
		secret.Str(a.Password)
		w.base64URL(secret.Buf[:secret.N])
	}
	w.Raw(t.middle)
	w.fragment(a.Remark)
}
