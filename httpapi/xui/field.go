package xui

import (
	"encoding/json"

	"github.com/sluicehq/sluice/httpapi/optional"
)

// field is a member of a request: absent leaves alone what it is about, null clears it.
type field[T any] = optional.Field[T]

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
