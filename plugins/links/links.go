// Package links renders share links, the form in which every app takes an endpoint: one URL that can be pasted or
// scanned. The same code runs in the built-in plugin and natively in tests.
//
// The forms are those of 3x-ui where panels differ: query parameters sorted by key, spaces as %20, IPv6 in brackets,
// empty parameters left out. All characters of a value survive, so that any URL parser gives back what was put in.
package links

import (
	"github.com/sluicehq/sluice/plugins/text"
	"github.com/sluicehq/sluice/sdk/wire"
)

// writer is a text.Writer that knows the parts of links.
type writer struct{ text.Writer }

// Set is a list of endpoints made ready to become links: all that is the same for every user is written already. It
// does not change, but shares strings with the endpoints that it was made from.
type Set []template

// Prepare makes a Set of the endpoints, in their order.
func Prepare(endpoints []wire.Endpoint) Set {
	var w writer
	return compile(nil, &w, endpoints)
}

// compile appends the endpoints to set; their text goes to w.
func compile(set Set, w *writer, endpoints []wire.Endpoint) Set {
	for i := range endpoints {
		set = append(set, template{})
		set[len(set)-1].prepare(w, &endpoints[i])
	}
	return set
}

// Renderer turns requests into link lists. It keeps its buffers from call to call; the zero value is ready. It is not
// safe for concurrent use.
type Renderer struct {
	lines   writer // the list
	object  writer // what goes into a link as base64
	encoded writer // the list as base64

	set  Set // of Links
	text writer
}

// Links renders the endpoints of a request as List does.
func (r *Renderer) Links(req *wire.FormatRequest) (body []byte, left int) {
	r.text.N = 0
	r.set = compile(r.set[:0], &r.text, req.Endpoints)
	return r.List(r.set, req.Accounts)
}

// List renders one link per line, every line ended by \n, in the order of the set; accounts[i] belongs to set[i]. left
// counts the endpoints that have no link: a protocol without one, or an account without its credential. The body is
// valid until the next call.
func (r *Renderer) List(set Set, accounts []wire.Account) (body []byte, left int) {
	w := &r.lines
	w.N = 0
	for i := range set {
		if !r.link(w, &set[i], &accounts[i]) {
			left++
		}
	}
	return w.Buf[:w.N], left
}

// Base64 is list in standard base64, valid until the next call.
func (r *Renderer) Base64(list []byte) []byte {
	r.encoded.N = 0
	r.encoded.base64(list)
	return r.encoded.Buf[:r.encoded.N]
}

// link writes the line of one link, or nothing if there is none. Room for the whole line is made once, and what it is
// made of is told where to write: in a guest w is memory, buf and n are not.
func (r *Renderer) link(w *writer, t *template, a *wire.Account) (ok bool) {
	size := len(t.head) + len(t.middle) + len(t.tail) + 3*(len(a.Flow)+len(a.Remark)) + len("&flow=#\n")
	secret := a.Password
	switch t.form {
	case vmess:
		return a.ID != "" && r.vmess(w, t, a)
	case external:
		w.Raw(t.head)
		w.Byte('\n')
		return true
	case vless:
		secret = a.ID
	case shadowsocks:
		size += 3 * (len(t.methodOf(a)) + len(t.serverKey) + len("::"))
	}
	if t.form == none || secret == "" {
		return false
	}
	w.Room(size + 3*len(secret))
	buf, n := w.Buf, w.N
	n += copy(buf[n:], t.head)
	if t.form == shadowsocks {
		n = r.shadowsocks(buf, n, t, a)
	} else {
		n = text.EscapeTo(buf, n, secret)
	}
	n += copy(buf[n:], t.middle)
	if t.form == vless {
		if a.Flow != "" {
			n += copy(buf[n:], "&flow=")
			n = text.EscapeTo(buf, n, a.Flow)
		}
		n += copy(buf[n:], t.tail)
	}
	if a.Remark != "" {
		buf[n] = '#'
		n = text.EscapeTo(buf, n+1, a.Remark)
	}
	buf[n] = '\n'
	w.N = n + 1
	return true
}
