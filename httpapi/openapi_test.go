package httpapi

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.uber.org/zap"
)

// The document lists every route there is, and no route that is not there.
func TestOpenAPI(t *testing.T) {
	b := newBench(t)
	server := New(Options{Kernel: b.kernel, Log: zap.NewNop(), Version: "1.2.3", API: true, Sub: true})
	_, _, body := httpRequest{method: http.MethodGet, path: "/openapi.json"}.send(t, serve(t, server))
	var doc struct {
		OpenAPI string
		Info    struct{ Version string }
		Tags    []struct{ Name, Description string }
		Paths   map[string]map[string]struct {
			OperationID string
			Summary     string
			Tags        []string
			Security    []map[string][]string
		}
	}
	if err := json.Unmarshal([]byte(body), &doc); err != nil {
		t.Fatal(err)
	}
	if doc.OpenAPI != "3.1.0" || doc.Info.Version != "1.2.3" {
		t.Errorf("OpenAPI %s of version %s", doc.OpenAPI, doc.Info.Version)
	}
	wantSchemas(t, body)
	var described, ids, tags []string
	for path, methods := range doc.Paths {
		for method, op := range methods {
			described = append(described, strings.ToUpper(method)+" "+path)
			ids = append(ids, op.OperationID)
			tags = append(tags, op.Tags...)
			if op.Summary == "" || (len(op.Security) == 0) != open(path) {
				t.Errorf("%s %s: summary %q, security %v", method, path, op.Summary, op.Security)
			}
		}
	}
	var registered []string
	for _, route := range server.app.GetRoutes(true) { // without middleware
		if route.Method != http.MethodHead && !strings.HasPrefix(route.Path, "/openapi") && !strings.HasPrefix(route.Path, "/docs") {
			registered = append(registered, route.Method+" "+braces(route.Path))
		}
	}
	slices.Sort(described)
	slices.Sort(registered)
	if len(registered) < 15 || !slices.Equal(described, registered) {
		t.Errorf("described  %q\nregistered %q", described, registered)
	}
	slices.Sort(ids)
	if len(slices.Compact(ids)) != len(described) {
		t.Errorf("operation ids are not unique: %q", ids)
	}
	for _, tag := range doc.Tags {
		if tag.Description == "" {
			t.Errorf("the tag %q is not described", tag.Name)
		}
	}
	slices.Sort(tags)
	for _, tag := range slices.Compact(tags) {
		if !slices.ContainsFunc(doc.Tags, func(known struct{ Name, Description string }) bool { return known.Name == tag }) {
			t.Errorf("the tag %q is not in the list of tags", tag)
		}
	}
}

// open says of a path that it is for everybody.
func open(path string) bool { return strings.HasPrefix(path, "/sub/") || path == "/api/admin/token" }

// wantSchemas checks that every type in the document is one that JSON Schema has.
func wantSchemas(t *testing.T, document string) {
	t.Helper()
	known := []string{"null", "boolean", "object", "array", "number", "string", "integer"}
	var walk func(at string, v any)
	walk = func(at string, v any) {
		switch v := v.(type) {
		case map[string]any:
			for key, value := range v {
				if key == "example" { // what is called type there is no schema's
					continue
				}
				types, isList := value.([]any)
				name, isName := value.(string)
				if isName {
					types = []any{name}
				}
				if key == "type" && (isList || isName) && !strings.Contains(at, "securitySchemes") {
					for _, one := range types {
						if !slices.Contains(known, fmt.Sprint(one)) {
							t.Errorf("%s: the type %q does not exist", at, one)
						}
					}
				}
				walk(at+"."+key, value)
			}
		case []any:
			for i, value := range v {
				walk(fmt.Sprintf("%s[%d]", at, i), value)
			}
		}
	}
	var doc any
	if err := json.Unmarshal([]byte(document), &doc); err != nil {
		t.Fatal(err)
	}
	walk("", doc)
}

// braces writes the parameters of a fiber path as OpenAPI does.
func braces(path string) string {
	parts := strings.Split(path, "/")
	for i, part := range parts {
		if name, ok := strings.CutPrefix(part, ":"); ok {
			parts[i] = "{" + name + "}"
		}
	}
	return strings.Join(parts, "/")
}

// dialectRoutes are the routes of the 3x-ui dialect: the 41 of its reference page, and those around them.
const dialectRoutes = `
GET /clients/list
GET /clients/list/paged
GET /clients/get/{email}
POST /clients/add
POST /clients/update/{email}
POST /clients/del/{email}
POST /clients/{email}/attach
POST /clients/{email}/detach
POST /clients/{email}/externalLinks
POST /clients/resetAllTraffics
POST /clients/delDepleted
POST /clients/delOrphans
GET /clients/export
POST /clients/import
POST /clients/bulkAdjust
POST /clients/bulkEnable
POST /clients/bulkDisable
POST /clients/bulkDel
POST /clients/bulkCreate
POST /clients/groups/bulkAdd
POST /clients/groups/bulkRemove
POST /clients/bulkAttach
POST /clients/bulkDetach
POST /clients/bulkResetTraffic
GET /clients/groups
GET /clients/groups/{name}/emails
POST /clients/groups/create
POST /clients/groups/rename
POST /clients/groups/delete
POST /clients/resetTraffic/{email}
POST /clients/updateTraffic/{email}
POST /clients/ips/{email}
POST /clients/clearIps/{email}
POST /clients/onlines
POST /clients/onlinesByGuid
POST /clients/clientIpsByGuid
POST /clients/activeInbounds
POST /clients/lastOnline
GET /clients/traffic/{email}
GET /clients/subLinks/{subId}
GET /clients/links/{email}

GET /clients/get/tgId/{tgId}
POST /clients/groups/resetTraffic

GET /inbounds/list
GET /inbounds/get/{id}
POST /inbounds/add
POST /inbounds/update/{id}
POST /inbounds/del/{id}
POST /inbounds/setEnable/{id}
POST /inbounds/{id}/resetTraffic

GET /setting/apiTokens
POST /setting/apiTokens/create
POST /setting/apiTokens/setEnabled/{id}
POST /setting/apiTokens/delete/{id}
GET /server/status
`

// Every route is served and described, with a summary and an example of what goes in and what comes out.
func TestOpenAPIRoutes(t *testing.T) {
	b := newBench(t)
	doc := b.document()
	sample := strings.NewReplacer("{email}", "nobody", "{subId}", "nobody", "{name}", "nobody", "{id}", "99", "{tgId}", "99")
	routes := strings.Fields(dialectRoutes)
	if len(routes) != 2*(41+14) {
		t.Fatalf("there are %d routes in the list", len(routes)/2)
	}
	for i := 0; i < len(routes); i += 2 {
		method, path := routes[i], "/panel/api"+routes[i+1]
		t.Run(method+" "+routes[i+1], func(t *testing.T) {
			status, _, body := httpRequest{method: method, path: sample.Replace(path), token: b.admin, body: "{}"}.send(t, b.url)
			if status != http.StatusOK {
				t.Errorf("it answers %d %s", status, body)
			}
			op := doc.Paths[path][strings.ToLower(method)]
			if op.Summary == "" {
				t.Fatal("it is not described")
			}
			if len(op.Responses["200"].Content["application/json"].Example) == 0 {
				t.Error("its answer has no example")
			}
			if op.RequestBody != nil && len(op.RequestBody.Content["application/json"].Example) == 0 {
				t.Error("its request has no example")
			}
		})
	}
}

// apiDocument is /openapi.json as far as tests look at it.
type apiDocument struct {
	text  string
	Paths map[string]map[string]struct {
		Summary     string
		RequestBody *bodies
		Responses   map[string]bodies
	}
}

// bodies are those of a request or an answer, by content type.
type bodies struct {
	Content map[string]struct{ Example, Schema json.RawMessage }
}

func (b *bench) document() (doc apiDocument) {
	b.t.Helper()
	status, headers, text := httpRequest{method: http.MethodGet, path: "/openapi.json"}.send(b.t, b.url)
	if status != http.StatusOK || headers.Get("Content-Type") != "application/openapi+json" {
		b.t.Fatalf("%d, %v", status, headers)
	}
	if err := json.Unmarshal([]byte(text), &doc); err != nil {
		b.t.Fatal(err)
	}
	doc.text = text
	return doc
}

// schemas finds the schemas in the document.
func (d apiDocument) schemas(t *testing.T) *jsonschema.Compiler {
	t.Helper()
	c := jsonschema.NewCompiler()
	if err := c.AddResource("openapi.json", parsed(t, d.text)); err != nil {
		t.Fatal(err)
	}
	return c
}

// parsed is JSON as the validator wants it.
func parsed(t *testing.T, text string) any {
	t.Helper()
	value, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return value
}

// pointer is where something stands in the document.
func pointer(steps ...string) string {
	at := "openapi.json#"
	for _, step := range steps {
		at += "/" + url.PathEscape(strings.NewReplacer("~", "~0", "/", "~1").Replace(step))
	}
	return at
}

// The document is what OpenAPI 3.1 says a document is, and its schemas are JSON Schemas.
func TestOpenAPIIsValid(t *testing.T) {
	doc := newBench(t).document()
	// The schema that the OpenAPI Initiative publishes (2022-10-07, Apache-2.0).
	text, err := os.ReadFile("testdata/openapi-3.1.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("openapi-3.1.schema.json", parsed(t, string(text))); err != nil {
		t.Fatal(err)
	}
	openAPI, err := c.Compile("openapi-3.1.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := openAPI.Validate(parsed(t, doc.text)); err != nil {
		t.Error(err)
	}
	if openAPI.Validate(parsed(t, strings.Replace(doc.text, `"operationId"`, `"operationID"`, 1))) == nil {
		t.Error("a mistyped key is valid")
	}
	var named struct {
		Components struct{ Schemas map[string]any }
	}
	if err := json.Unmarshal([]byte(doc.text), &named); err != nil {
		t.Fatal(err)
	}
	schemas := doc.schemas(t)
	for name := range named.Components.Schemas {
		if _, err := schemas.Compile(pointer("components", "schemas", name)); err != nil {
			t.Error(err)
		}
	}
}

// Every example is of the form that its schema says.
func TestExamplesFitTheirSchemas(t *testing.T) {
	doc := newBench(t).document()
	schemas := doc.schemas(t)
	check := func(at []string, b bodies) {
		for kind, media := range b.Content {
			if len(media.Example) == 0 || len(media.Schema) == 0 {
				continue
			}
			schema, err := schemas.Compile(pointer(append(at, "content", kind, "schema")...))
			if err != nil {
				t.Fatal(err)
			}
			if err := schema.Validate(parsed(t, string(media.Example))); err != nil {
				t.Errorf("%v: %v", at, err)
			}
		}
	}
	for path, methods := range doc.Paths {
		for method, op := range methods {
			at := []string{"paths", path, method}
			if op.RequestBody != nil {
				check(append(at, "requestBody"), *op.RequestBody)
			}
			for status, answer := range op.Responses {
				check(append(at, "responses", status), answer)
			}
		}
	}
}

// What the server answers is what the document says.
func TestAnswersFitTheirSchemas(t *testing.T) {
	b := newBench(t)
	b.inbound(1)
	b.client("alice")
	b.panel(http.MethodPost, "/clients/update/alice", `{"tgId":5,"group":"customer-a"}`)
	schemas := b.document().schemas(t)
	for _, c := range []struct{ method, route, path, body string }{
		{http.MethodGet, "/panel/api/clients/get/{email}", "/panel/api/clients/get/alice", ""},
		{http.MethodGet, "/panel/api/clients/get/{email}", "/panel/api/clients/get/nobody", ""},
		{http.MethodGet, "/panel/api/clients/get/tgId/{tgId}", "/panel/api/clients/get/tgId/5", ""},
		{http.MethodGet, "/panel/api/clients/list", "/panel/api/clients/list", ""},
		{http.MethodGet, "/panel/api/clients/list/paged", "/panel/api/clients/list/paged", ""},
		{http.MethodGet, "/panel/api/clients/export", "/panel/api/clients/export", ""},
		{http.MethodGet, "/panel/api/clients/groups", "/panel/api/clients/groups", ""},
		{http.MethodPost, "/panel/api/clients/add", "/panel/api/clients/add", `{"client":{"email":"bob"},"inboundIds":[1]}`},
		{http.MethodPost, "/panel/api/clients/add", "/panel/api/clients/add", `{"client":7}`},
		{http.MethodPost, "/panel/api/clients/bulkAdjust", "/panel/api/clients/bulkAdjust", `{"emails":["alice","x"],"addDays":1}`},
		{http.MethodPost, "/panel/api/clients/lastOnline", "/panel/api/clients/lastOnline", ""},
		{http.MethodGet, "/panel/api/clients/links/{email}", "/panel/api/clients/links/alice", ""},
		{http.MethodGet, "/panel/api/clients/traffic/{email}", "/panel/api/clients/traffic/alice", ""},
		{http.MethodGet, "/panel/api/inbounds/list", "/panel/api/inbounds/list", ""},
		{http.MethodGet, "/panel/api/inbounds/get/{id}", "/panel/api/inbounds/get/1", ""},
		{http.MethodPost, "/panel/api/setting/apiTokens/create", "/panel/api/setting/apiTokens/create", `{"name":"shop"}`},
		{http.MethodGet, "/panel/api/setting/apiTokens", "/panel/api/setting/apiTokens", ""},
		{http.MethodGet, "/panel/api/server/status", "/panel/api/server/status", ""},
		{http.MethodGet, "/api/settings", "/api/settings", ""},
		{http.MethodGet, "/api/core/{core_id}", "/api/core/1", ""},
	} {
		t.Run(c.method+" "+c.path, func(t *testing.T) {
			schema, err := schemas.Compile(pointer("paths", c.route, strings.ToLower(c.method), "responses", "200", "content", "application/json", "schema"))
			if err != nil {
				t.Fatal(err)
			}
			_, _, body := httpRequest{method: c.method, path: c.path, token: b.admin, body: c.body}.send(t, b.url)
			if err := schema.Validate(parsed(t, body)); err != nil {
				t.Errorf("%s: %v", body, err)
			}
		})
	}
}
