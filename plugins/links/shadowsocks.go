package links

import (
	"strings"

	"github.com/sluicehq/sluice/plugins/text"
	"github.com/sluicehq/sluice/sdk/wire"
)

// methodOf is the cipher of the account: its own, or else the endpoint's.
func (t *template) methodOf(a *wire.Account) string {
	if a.Method != "" {
		return a.Method
	}
	return t.method
}

// shadowsocks writes what is before the @ to buf[n:] and returns where it ends. SIP002 has two forms: method and password
// as one base64 word, or, for the 2022 methods, method, server key and user key in the open, each percent-encoded.
func (r *Renderer) shadowsocks(buf []byte, n int, t *template, a *wire.Account) int {
	method := t.methodOf(a)
	if !strings.HasPrefix(method, "2022-") {
		secret := &r.object
		secret.N = 0
		secret.Str(method)
		secret.Byte(':')
		secret.Str(a.Password)
		return urlPairs.encode(buf, n, secret.Buf[:secret.N])
	}
	n = text.EscapeTo(buf, n, method)
	if t.serverKey != "" {
		buf[n] = ':'
		n = text.EscapeTo(buf, n+1, t.serverKey)
	}
	buf[n] = ':'
	return text.EscapeTo(buf, n+1, a.Password)
}
