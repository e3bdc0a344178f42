package xui

import (
	"encoding/json"
	"reflect"

	"github.com/danielgtaylor/huma/v2"
)

// field is a member of a JSON object that may be absent, which leaves alone what it is about, or null, which clears it:
// then Set is true and Value is zero.
type field[T any] struct {
	Set   bool
	Value T
}

// Schema is that of the value, or null.
func (field[T]) Schema(r huma.Registry) *huma.Schema {
	s := *r.Schema(reflect.TypeFor[T](), false, "")
	s.Nullable = s.Type != "" // what has no type takes null already
	return &s
}

// UnmarshalJSON is called for members that are present only.
func (f *field[T]) UnmarshalJSON(data []byte) error {
	f.Set = true
	return json.Unmarshal(data, &f.Value)
}

// put writes the value to where it belongs if it was given.
func (f field[T]) put(to *T) {
	if f.Set {
		*to = f.Value
	}
}

// or is the value, or preset when it was not given.
func (f field[T]) or(preset T) T {
	if f.Set {
		return f.Value
	}
	return preset
}

// object is any JSON object, nil = null.
type object map[string]any

// newObject reads an object as it is stored, "" = none.
func newObject(text string) object {
	var o object
	if text != "" {
		_ = json.Unmarshal([]byte(text), &o) // it was checked before it was stored
	}
	return o
}

// text writes the object with its keys in order; none is "".
func (o object) text() string {
	if o == nil {
		return ""
	}
	text, _ := json.Marshal(o) // it came out of JSON
	return string(text)
}
