package xui

import (
	"bytes"
	"encoding/json"

	"github.com/danielgtaylor/huma/v2"

	"github.com/sluicehq/sluice/kernel/domain"
)

// document is a JSON object that callers may also send as a string with JSON in it, as 3x-ui's own page does. Nil is null.
type document json.RawMessage

// Schema tells the validation to let any JSON through: object refuses what is none.
func (document) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Description: "a JSON object, a string that holds one, or null"}
}

// UnmarshalJSON keeps whatever was sent.
func (d *document) UnmarshalJSON(data []byte) error {
	*d = append((*d)[:0], data...)
	return nil
}

// MarshalJSON writes the object, null when there is none.
func (d document) MarshalJSON() ([]byte, error) {
	if len(d) == 0 {
		return []byte("null"), nil
	}
	return d, nil
}

// object is the text of the object without spaces around its tokens, as it is shown: what is sent back is no change. It
// is "" for null and for an empty string; the error names the field.
func (d document) object(field string) (string, error) {
	var text string
	if json.Unmarshal(d, &text) == nil { // null too
		d = document(text)
	}
	if len(d) == 0 || string(d) == "null" {
		return "", nil
	}
	var (
		members map[string]json.RawMessage
		compact bytes.Buffer
	)
	if json.Unmarshal(d, &members) != nil || json.Compact(&compact, d) != nil {
		return "", domain.Invalid(field, "must be a JSON object, or a string that holds one")
	}
	return compact.String(), nil
}
