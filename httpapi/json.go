package httpapi

import (
	"encoding/json"
	"errors"

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
	case errors.As(err, &number) && number.Field != "":
		return errors.New(number.Field + " can not be the " + number.Value)
	case errors.As(err, &number):
		return errors.New("the " + number.Value + " is out of range")
	}
	return err
}
