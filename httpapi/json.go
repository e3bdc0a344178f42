package httpapi

import (
	"cmp"
	"encoding/json"
	"errors"
	"regexp"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

// jsonFormat reads and writes the bodies of every dialect.
var jsonFormat = huma.Format{Marshal: huma.DefaultJSONFormat.Marshal, Unmarshal: readJSON}

// readJSON decodes a body; its errors are for callers: they name the field and nothing of Go.
func readJSON(data []byte, to any) error {
	err := json.Unmarshal(data, to)
	var (
		syntax *json.SyntaxError
		number *json.UnmarshalTypeError
	)
	switch {
	case errors.As(err, &syntax):
		return errors.New("is not valid JSON: " + err.Error())
	case errors.As(err, &number):
		field := cmp.Or(number.Field, memberAt(data, number.Offset), "a number")
		return errors.New(field + " is out of range: " + strings.TrimPrefix(number.Value, "number "))
	}
	return err
}

// member is the name of a member of an object, and as much of its value as has no name in it.
var member = regexp.MustCompile(`"([^"\\]*)"\s*:[^":]*$`)

// memberAt is the name of the member whose value ends at the offset, "" when that can not be told.
func memberAt(data []byte, offset int64) string {
	if found := member.FindSubmatch(data[:min(offset, int64(len(data)))]); found != nil {
		return string(found[1])
	}
	return ""
}
