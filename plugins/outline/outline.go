// Package outline renders shadowsocks for the clients that know nothing else, in the two forms that there are.
//
// Key is what Outline takes from an ssconf:// address: one server, and not a member more, because newer clients refuse
// what they do not know. It is the first that Outline can use; without any, the document has the message that Outline
// shows. List is SIP008, which shadowsocks-android and others take: all servers. PasarGuard's outline is Key.
package outline

import (
	"github.com/sluicehq/sluice/plugins/profile"
	"github.com/sluicehq/sluice/sdk/wire"
)

// Key is the format for Outline.
var Key = profile.Format{
	Entry: func(w *profile.Writer, e *wire.Endpoint) profile.Need {
		if !bare(e) {
			return profile.Nothing
		}
		w.Open('{')
		server(w, e)
		w.Close('}')
		return profile.AnAEADKey
	},
	Document: func(d *profile.Document) {
		d.Entries("", 1)
		if d.Empty() {
			d.Str(`{"error":{"message":"This subscription has no server that Outline can use."}}`)
		}
		d.Byte('\n')
	},
}

// List is the format by SIP008.
var List = profile.Format{
	Entry: func(w *profile.Writer, e *wire.Endpoint) profile.Need {
		if !bare(e) {
			return profile.Nothing
		}
		w.Open('{')
		w.Member(`"id":`, identity(e))
		w.Hole(`"remarks":`, profile.Name)
		server(w, e)
		w.Close('}')
		return profile.APassword
	},
	Document: func(d *profile.Document) {
		d.Str(`{"version":1,"servers":[`)
		d.Entries(",\n", 0)
		d.Str("]}\n")
	},
}

// bare says whether the endpoint is shadowsocks and nothing around it.
func bare(e *wire.Endpoint) bool {
	t := &e.Transport
	return e.Protocol == "shadowsocks" && (t.Network == "" || t.Network == "raw") && t.HeaderType == "" &&
		!profile.TLS(e) && profile.Plain(e)
}

// server writes the members that both forms have.
func server(w *profile.Writer, e *wire.Endpoint) {
	w.Member(`"server":`, e.Address)
	w.Number(`"server_port":`, e.Port)
	w.Hole(`"method":`, profile.Method)
	w.Hole(`"password":`, profile.Secret)
}

// identity is a UUID that stays the same for as long as the server is the same, as SIP008 wants it.
func identity(e *wire.Endpoint) string {
	var id [16]byte
	low := digest(14695981039346656037, e) // FNV-1a
	high := digest(low, e)
	for i := range 8 {
		id[i], id[8+i] = byte(low>>(8*i)), byte(high>>(8*i))
	}
	id[6], id[8] = id[6]&15|0x80, id[8]&63|0x80 // version 8: made as one likes
	const hex = "0123456789abcdef"
	text := make([]byte, 0, 36)
	for i, b := range id {
		if i == 4 || i == 6 || i == 8 || i == 10 {
			text = append(text, '-')
		}
		text = append(text, hex[b>>4], hex[b&15])
	}
	return string(text)
}

func digest(h uint64, e *wire.Endpoint) uint64 {
	add := func(b byte) { h = (h ^ uint64(b)) * 1099511628211 }
	for i := range 8 {
		add(byte(e.InboundID >> (8 * i)))
	}
	for _, b := range []byte(e.Address) {
		add(b)
	}
	add(byte(e.Port >> 8))
	add(byte(e.Port))
	return h
}
