package httpapi

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"math"
	"regexp"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

// jsonFormat reads and writes the bodies of every dialect.
var jsonFormat = huma.Format{Marshal: huma.DefaultJSONFormat.Marshal, Unmarshal: readJSON}

// readJSON decodes a body; its errors are for callers: they name the field and nothing of Go.
func readJSON(data []byte, to any) error {
	err := json.Unmarshal(data, to)
	if err != nil {
		if whole, any := wholeNumbers(data); any {
			err = json.Unmarshal(whole, to)
		}
	}
	var (
		syntax *json.SyntaxError
		number *json.UnmarshalTypeError
	)
	switch {
	case errors.As(err, &syntax):
		return errors.New("is not valid JSON: " + err.Error())
	case errors.As(err, &number):
		field := cmp.Or(embedded.ReplaceAllString(number.Field, ""), memberAt(data, number.Offset), "a number")
		return errors.New(field + " is out of range: " + strings.TrimPrefix(number.Value, "number "))
	}
	return err
}

// embedded are the structs on the path to a member that callers know nothing of: names of members begin in lower case.
var embedded = regexp.MustCompile(`\b[A-Z]\w*\.`)

// wholeNumbers writes whole numbers that scripts made with floats, such as 53687091200.0, as the integers that they are.
// any is false when there is none, or when data is no JSON.
func wholeNumbers(data []byte) (whole []byte, any bool) {
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	at := int64(0)
	for {
		token, err := decoder.Token()
		if err != nil {
			return append(whole, data[at:]...), any
		}
		number, ok := token.(json.Number)
		end := decoder.InputOffset()
		if !ok || !strings.ContainsAny(string(number), ".eE") {
			continue
		}
		f, err := number.Float64()
		if n := int64(f); err == nil && math.Abs(f) <= 1<<53 && float64(n) == f {
			whole = append(whole, data[at:end-int64(len(number))]...)
			whole = strconv.AppendInt(whole, n, 10)
			at, any = end, true
		}
	}
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
