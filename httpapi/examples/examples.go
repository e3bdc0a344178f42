// Package examples puts what requests and answers look like into the API's document.
package examples

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"net/http"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gofiber/fiber/v2"
)

// example is one route's request and answer. Either is nil where there is none.
type example struct {
	Request  json.RawMessage `json:"request"` // RawMessage keeps the order of the fields
	Response json.RawMessage `json:"response"`
}

// Describe adds the examples in files, JSON objects by method and route ("GET /clients/list"), to the operations under
// prefix, however they were registered. The files are a part of the program: what is wrong with one is a panic at the
// first test.
func Describe(api *huma.OpenAPI, prefix string, files fs.FS) {
	all := read(files)
	for path, item := range api.Paths {
		route, ours := strings.CutPrefix(path, prefix)
		if !ours {
			continue
		}
		for method, op := range map[string]*huma.Operation{
			http.MethodGet: item.Get, http.MethodPost: item.Post, http.MethodPut: item.Put, http.MethodDelete: item.Delete,
		} {
			if e, known := all[method+" "+route]; known && op != nil {
				e.attach(op)
			}
		}
	}
}

// read reads every file.
func read(files fs.FS) map[string]example {
	names, err := fs.Glob(files, "*/*.json")
	if err != nil {
		panic(err)
	}
	all := map[string]example{}
	for _, name := range names {
		text, err := fs.ReadFile(files, name)
		if err == nil {
			err = json.Unmarshal(text, &all) // adds to what is there
		}
		if err != nil {
			panic(fmt.Sprintf("%s: %v", name, err))
		}
	}
	return all
}

// attach adds the example to an operation. One that was not registered through huma may have said nothing of its bodies.
func (e example) attach(op *huma.Operation) {
	if e.Request != nil {
		if op.RequestBody == nil {
			op.RequestBody = &huma.RequestBody{}
		}
		op.RequestBody.Content = withExample(op.RequestBody.Content, e.Request)
	}
	if e.Response == nil {
		return
	}
	code := http.StatusOK
	if op.DefaultStatus != 0 {
		code = op.DefaultStatus
	}
	status := strconv.Itoa(code)
	if op.Responses[status] == nil {
		if op.Responses == nil {
			op.Responses = map[string]*huma.Response{}
		}
		op.Responses[status] = &huma.Response{Description: http.StatusText(code)}
	}
	op.Responses[status].Content = withExample(op.Responses[status].Content, e.Response)
}

func withExample(content map[string]*huma.MediaType, value json.RawMessage) map[string]*huma.MediaType {
	if content == nil {
		content = map[string]*huma.MediaType{}
	}
	if content[fiber.MIMEApplicationJSON] == nil {
		content[fiber.MIMEApplicationJSON] = &huma.MediaType{}
	}
	content[fiber.MIMEApplicationJSON].Example = value
	return content
}
