package xui

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/url"
	"reflect"
	"strconv"
	"strings"

	"github.com/gofiber/fiber/v2"
)

// ReadForm turns a body that is a form into the JSON that it stands for, so that the routes behind it know one form of a
// request. A body that begins like JSON is none, whatever its Content-Type says: curl -d names a wrong one.
func ReadForm(c *fiber.Ctx) error {
	body := c.Request().Body()
	kind, params, _ := mime.ParseMediaType(c.Get(fiber.HeaderContentType)) // what can not be read is no form either
	start := bytes.TrimLeft(body, " \t\r\n")
	if len(start) == 0 || start[0] == '{' || start[0] == '[' {
		return c.Next()
	}
	var (
		values url.Values
		err    error
	)
	switch kind {
	case fiber.MIMEApplicationForm:
		values, err = url.ParseQuery(string(body))
	case fiber.MIMEMultipartForm:
		values, err = readMultipart(body, params["boundary"])
	default:
		return c.Next()
	}
	if err != nil {
		return Fail(c, fiber.StatusOK, "the request body is not a valid form: "+oneLine(err.Error()))
	}
	text, err := formJSON(values)
	if err != nil {
		return Fail(c, fiber.StatusOK, err.Error())
	}
	c.Request().SetBodyRaw(text)
	return c.Next()
}

// readMultipart reads the parts of a form. A file is a value like any other: it is how curl sends a long one.
func readMultipart(body []byte, boundary string) (url.Values, error) {
	values := url.Values{}
	for r := multipart.NewReader(bytes.NewReader(body), boundary); ; {
		part, err := r.NextPart()
		if err == io.EOF { // alone: it is wrapped when the form has no end
			return values, nil
		}
		if err != nil {
			return nil, err
		}
		text, err := io.ReadAll(part)
		if err != nil {
			return nil, err
		}
		values.Add(part.FormName(), string(text))
	}
}

// formKinds are the types of the fields that are no text in JSON.
var formKinds = kindsOf(reflect.TypeFor[inboundInput]())

func kindsOf(input reflect.Type) map[string]reflect.Kind {
	kinds := map[string]reflect.Kind{}
	for i := range input.NumField() {
		member := input.Field(i)
		value, _ := member.Type.FieldByName("Value") // of field
		if value.Type.Kind() == reflect.Pointer {
			value.Type = value.Type.Elem()
		}
		kinds[member.Tag.Get("json")] = value.Type.Kind()
	}
	return kinds
}

// formJSON writes a form as JSON. A number or boolean that is none stays text, which the validation refuses by its field's
// name, as it does in JSON; an empty one is 0 or false, as 3x-ui reads it.
func formJSON(values url.Values) ([]byte, error) {
	object := map[string]any{}
	for name, given := range values {
		if len(given) > 1 {
			return nil, errors.New(oneLine(name) + " is given more than once")
		}
		text := strings.TrimSpace(given[0])
		object[name] = given[0]
		switch formKinds[name] {
		case reflect.Int, reflect.Int64:
			if n, err := strconv.ParseInt(text, 10, 64); err == nil || text == "" {
				object[name] = n
			}
		case reflect.Bool:
			if b, err := strconv.ParseBool(text); err == nil || text == "" {
				object[name] = b
			}
		}
	}
	return json.Marshal(object)
}

// takeForms says in the API's document which routes take forms.
func (r routes) takeForms(paths ...string) {
	for _, path := range paths {
		content := r.api.OpenAPI().Paths[Prefix+path].Post.RequestBody.Content
		for _, kind := range []string{fiber.MIMEApplicationForm, fiber.MIMEMultipartForm} {
			content[kind] = content[fiber.MIMEApplicationJSON]
		}
	}
}
