package xui

import (
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gofiber/fiber/v2"
)

// exampleFiles hold what a request and its answer look like, by route. Values are those of 3x-ui's API reference where it
// has an example; what it leaves out of an answer that every answer has (msg, obj) is filled in.
//
//go:embed examples/*.json
var exampleFiles embed.FS

// example is one route's request and answer. Either is nil where there is none.
type example struct {
	Request  json.RawMessage `json:"request"` // RawMessage keeps the order of the fields
	Response json.RawMessage `json:"response"`
}

// describe adds the examples to the dialect's operations, however they were registered.
func describe(api *huma.OpenAPI) {
	all := examples()
	for path, item := range api.Paths {
		route, ours := strings.CutPrefix(path, Prefix)
		if !ours {
			continue
		}
		for method, op := range map[string]*huma.Operation{http.MethodGet: item.Get, http.MethodPost: item.Post} {
			if e, known := all[method+" "+route]; known && op != nil {
				e.attach(op)
			}
		}
	}
}

// attach adds the example to an operation. One that was not registered through huma may have said nothing of its bodies.
func (e example) attach(op *huma.Operation) {
	if e.Request != nil {
		if op.RequestBody == nil {
			op.RequestBody = &huma.RequestBody{}
		}
		op.RequestBody.Content = withExample(op.RequestBody.Content, e.Request)
	}
	if op.Responses["200"] == nil {
		if op.Responses == nil {
			op.Responses = map[string]*huma.Response{}
		}
		op.Responses["200"] = &huma.Response{Description: http.StatusText(http.StatusOK)}
	}
	op.Responses["200"].Content = withExample(op.Responses["200"].Content, e.Response)
}

// examples reads the files, which are a part of the program: what is wrong with one is a panic at the first test.
func examples() map[string]example {
	files, err := fs.Glob(exampleFiles, "examples/*.json")
	if err != nil {
		panic(err)
	}
	all := map[string]example{}
	for _, file := range files {
		text, err := exampleFiles.ReadFile(file)
		if err == nil {
			err = json.Unmarshal(text, &all) // adds to what is there
		}
		if err != nil {
			panic(fmt.Sprintf("%s: %v", file, err))
		}
	}
	return all
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
