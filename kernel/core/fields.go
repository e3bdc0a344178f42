package core

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/sluicehq/sluice/kernel/domain"
)

// fields says which JSON fields an object may have. Names are compared as encoding/json does, without regard to case:
// otherwise another spelling would pass the check and still be understood by the core.
type fields map[string]shape

// shape says what a field may hold.
type shape struct {
	kind kind
	sub  fields // of object and list
}

type kind int

const (
	kindValue  kind = iota // anything that names no file and no socket
	kindObject             // an object of sub
	kindList               // a list of objects of sub
	kindFile               // a path, "" = none
	kindTarget             // an address to connect to, but no socket in the file system
	kindUnused             // accepted for the sake of clients that send it, and not passed on
	kindBlank              // accepted only if it says nothing
)

var (
	value  = shape{kind: kindValue}
	file   = shape{kind: kindFile}
	target = shape{kind: kindTarget}
	unused = shape{kind: kindUnused}
	blank  = shape{kind: kindBlank}
)

// object is a field that holds an object, list one that holds a list of them.
func object(sub fields) shape { return shape{kindObject, sub} }
func list(sub fields) shape   { return shape{kindList, sub} }

// with returns f and more.
func (f fields) with(more fields) fields {
	all := maps.Clone(f)
	maps.Copy(all, more)
	return all
}

// values makes fields of kindValue from a list of names.
func values(names string) fields {
	f := fields{}
	for _, name := range strings.Fields(names) {
		f[name] = value
	}
	return f
}

// shape finds a field by its name as the core would.
func (f fields) shape(name string) (shape, bool) {
	if s, ok := f[name]; ok {
		return s, true
	}
	for known, s := range f {
		if strings.EqualFold(known, name) {
			return s, true
		}
	}
	return shape{}, false
}

// parseObject reads a JSON object; "" is an empty one. Numbers keep their spelling.
func parseObject(field, text string) (map[string]any, error) {
	doc := map[string]any{}
	if strings.TrimSpace(text) == "" {
		return doc, nil
	}
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	err := d.Decode(&doc)
	if err == nil {
		if _, err = d.Token(); err == nil {
			err = errors.New("text after the object")
		} else if errors.Is(err, io.EOF) {
			err = nil
		}
	}
	if err != nil || doc == nil {
		if field == "" {
			field = "the base configuration"
		}
		return nil, domain.Invalid(field, "is not a valid JSON object").Because(err)
	}
	return doc, nil
}

// walker checks a document against its fields and takes out what the core does not need to see.
type walker struct {
	certDir string // files may lie below it only, "" = nowhere
	what    string // what a field that is not known is not a field of
}

// object checks the fields of an object, in the order of their names so that of several faults always the same is named.
func (w walker) object(path string, doc map[string]any, allowed fields) error {
	for _, name := range slices.Sorted(maps.Keys(doc)) {
		at := name
		if path != "" {
			at = path + "." + name
		}
		s, known := allowed.shape(name)
		if !known {
			return domain.Invalid(at, "is not a field of "+w.what)
		}
		if s.kind == kindUnused {
			delete(doc, name)
			continue
		}
		if doc[name] == nil {
			continue // null is as good as absent
		}
		v, err := w.value(at, doc[name], s)
		if err != nil {
			return err
		}
		doc[name] = v
	}
	return nil
}

// value checks one value and returns what the core is to see in its place.
func (w walker) value(at string, v any, s shape) (any, error) {
	switch s.kind {
	case kindObject:
		sub, ok := v.(map[string]any)
		if !ok {
			return nil, domain.Invalid(at, "must be an object")
		}
		return v, w.object(at, sub, s.sub)
	case kindList:
		return v, w.list(at, v, s.sub)
	case kindFile:
		return w.file(at, v)
	case kindTarget:
		if text, ok := v.(string); ok && strings.HasPrefix(text, "/") || ok && strings.HasPrefix(text, "@") {
			return nil, domain.Invalid(at, "must be an address with a port, not a socket of this machine")
		}
	case kindBlank:
		if v != "" && v != false {
			return nil, domain.Invalid(at, "may not be set")
		}
	}
	return v, nil
}

// list checks the objects of a list.
func (w walker) list(at string, v any, sub fields) error {
	items, ok := v.([]any)
	if !ok {
		return domain.Invalid(at, "must be a list")
	}
	for i, item := range items {
		at := fmt.Sprintf("%s[%d]", at, i)
		doc, ok := item.(map[string]any)
		if !ok {
			return domain.Invalid(at, "must be an object")
		}
		if err := w.object(at, doc, sub); err != nil {
			return err
		}
	}
	return nil
}

// file checks a path. A relative one is taken from the certificate directory. Links are followed by whoever made them:
// nobody can make one over the API.
func (w walker) file(at string, v any) (any, error) {
	text, ok := v.(string)
	if ok && text == "" {
		return v, nil
	}
	if ok && w.certDir != "" {
		path := text
		if !filepath.IsAbs(path) {
			path = filepath.Join(w.certDir, path)
		}
		if rel, err := filepath.Rel(w.certDir, path); err == nil && filepath.IsLocal(rel) {
			return path, nil
		}
	}
	return nil, domain.Invalid(at, "must be a file below the certificate directory")
}
