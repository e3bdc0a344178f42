// Package optional tells a member of a JSON object that is absent from one that is null.
package optional

import (
	"encoding/json"
	"reflect"

	"github.com/danielgtaylor/huma/v2"
)

// Field is a member of a JSON object that may be absent, or null: then Set is true and Value is zero.
type Field[T any] struct {
	Set   bool
	Value T
}

// Schema is that of the value, or null.
func (Field[T]) Schema(r huma.Registry) *huma.Schema {
	s := *r.Schema(reflect.TypeFor[T](), false, "")
	s.Nullable = s.Type != "" // what has no type takes null already
	return &s
}

// UnmarshalJSON is called for members that are present only.
func (f *Field[T]) UnmarshalJSON(data []byte) error {
	f.Set = true
	return json.Unmarshal(data, &f.Value)
}

// Put writes the value to where it belongs if it was given.
func (f Field[T]) Put(to *T) {
	if f.Set {
		*to = f.Value
	}
}

// Or is the value, or preset when it was not given.
func (f Field[T]) Or(preset T) T {
	if f.Set {
		return f.Value
	}
	return preset
}
