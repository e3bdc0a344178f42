// Package profile has what the formats share that are one whole document for an app: endpoints written once as
// templates, the user's accounts filled in, names that no other entry has, and what of an endpoint every app can do.
package profile

import (
	"github.com/sluicehq/sluice/plugins/text"
	"github.com/sluicehq/sluice/sdk/wire"
)

// Format is one kind of document.
type Format struct {
	// Entry writes what stands in the document for an endpoint, with holes where the account's values go, and returns
	// which of them an account must have; Nothing leaves the endpoint out, because the app can not use it.
	Entry func(w *Writer, e *wire.Endpoint) Need
	// Document writes the document around the entries.
	Document func(d *Document)
	// Reserved are names that entries must not have.
	Reserved []string
}

// Set is a list of endpoints made ready for one format: all that is the same for every user is written already. It does
// not change, but shares strings with the endpoints that it was made from.
type Set struct {
	format  *Format
	text    Writer
	entries []template
}

// Prepare makes a Set of the endpoints, in their order.
func (f *Format) Prepare(endpoints []wire.Endpoint) *Set {
	set := new(Set)
	set.compile(f, endpoints)
	return set
}

// compile replaces the set and keeps its room.
func (s *Set) compile(f *Format, endpoints []wire.Endpoint) {
	s.format, s.entries = f, s.entries[:0]
	s.text.N, s.text.pieces = 0, s.text.pieces[:0]
	for i := range endpoints {
		s.entries = append(s.entries, s.text.template(f, &endpoints[i]))
	}
}

// Renderer turns requests into documents. It keeps its buffers from call to call; the zero value is ready. It is not
// safe for concurrent use.
type Renderer struct {
	document Document
	set      Set // of Render
}

// Render renders the endpoints of a request as Fill does.
func (r *Renderer) Render(f *Format, req *wire.FormatRequest) (body []byte, left int) {
	r.set.compile(f, req.Endpoints)
	return r.Fill(&r.set, req.Accounts)
}

// Fill renders the document of a set for the accounts; accounts[i] belongs to endpoint i. left counts the endpoints that
// are not in it: the app can not use them, or the account lacks its credential. The body is valid until the next call.
func (r *Renderer) Fill(set *Set, accounts []wire.Account) (body []byte, left int) {
	d := &r.document
	d.N, d.Sep = 0, 0
	d.set, d.accounts, d.Left, d.written = set, accounts, 0, 0
	d.called = d.called[:0]
	d.names.reset(set.format.Reserved)
	set.format.Document(d)
	return d.Buf[:d.N], d.Left
}

// Document is a document that is being written for one user.
type Document struct {
	text.Writer
	Left int // endpoints that are not in it

	set      *Set
	accounts []wire.Account
	written  int // entries
	names    names
	called   [][]byte // the names of the entries as they stand in the document, quoted
}

// Entries writes the entries in their order, at most limit of them (0 = all), with separator between them.
func (d *Document) Entries(separator string, limit int) {
	for i := range d.set.entries {
		t, a := &d.set.entries[i], &d.accounts[i]
		if !t.met(a) || limit > 0 && d.written == limit {
			d.Left++
			continue
		}
		if d.written > 0 {
			d.Str(separator)
		}
		d.entry(t, a)
		d.written++
	}
}

// Empty says whether no entry was written.
func (d *Document) Empty() bool { return d.written == 0 }

// Names writes what the entries are called, quoted and with commas between them; without entries, it writes instead.
func (d *Document) Names(instead string) {
	if len(d.called) == 0 {
		d.Quote(instead)
	}
	for i, name := range d.called {
		if i > 0 {
			d.Byte(',')
		}
		d.Raw(name)
	}
}
