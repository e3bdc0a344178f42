package plugin

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/sluicehq/sluice/kernel/domain"
	"github.com/sluicehq/sluice/sdk/wire"
)

// periodWith is the manifest of a plugin whose period x has this schema.
func periodWith(schema string) string {
	return manifestOf("a", `{"kind":"period","id":"x","params_schema":`+schema+`}`)
}

func TestCheckParams(t *testing.T) {
	const object = `{"type":"object","additionalProperties":false,"properties":{` +
		`"days":{"type":"integer","minimum":1,"maximum":31},"part":{"exclusiveMinimum":0,"maximum":0.5},` +
		`"unit":{"enum":["d","w",7]},"zone":{"type":["string","boolean"],"minLength":2},"one":{"const":1},` +
		`"list":{"type":"array","maxItems":2,"items":{"type":"object","required":["a"]}}}}`
	const either = `{"properties":{"c":{"type":"integer"}},"oneOf":[{"required":["a"],"properties":{"b":false}},` +
		`{"required":["b"],"properties":{"a":false}}]}`
	for _, c := range []struct{ name, schema, params, field, message string }{
		{"fits", object, `{"days":31,"part":0.25,"unit":"w","zone":true,"one":1,"list":[{"a":1}]}`, "", ""},
		{"nothing", object, "", "", ""},
		{"empty", object, " {} ", "", ""},
		{"2.0 is whole", object, `{"days":2.0}`, "", ""},
		{"no schema, no parameters", "", "{}", "", ""},
		{"no schema, a parameter", "", `{"days":1}`, "days", "is not a known parameter"},
		{"every value fits true", "true", `{"a":[null]}`, "", ""},
		{"too much", object, `{"days":32}`, "days", "must be at most 31"},
		{"too little", object, `{"days":0}`, "days", "must be at least 1"},
		{"a fraction", object, `{"part":0.75}`, "part", "must be at most 0.5"},
		{"not whole", object, `{"days":1.5}`, "days", "must be a whole number"},
		{"a string", object, `{"days":"1"}`, "days", "must be a whole number"},
		{"null", object, `{"days":null}`, "days", "must be a whole number"},
		{"one of several types", object, `{"zone":1}`, "zone", "must be true or false or a string"},
		{"none of the words", object, `{"unit":"m"}`, "unit", `must be one of "d","w",7`},
		{"not the one", object, `{"one":2}`, "one", "must be 1"},
		{"unknown", object, `{"b":1,"a":1}`, "a", "is not a known parameter"},
		{"the first of several", object, `{"unit":"m","days":0,"part":1}`, "days", "must be at least 1"},
		{"inside", object, `{"list":[{"a":1},{}]}`, "list.1.a", "is required"},
		{"a pattern", `{"properties":{"token":{"pattern":"^[0-9]+:"}}}`, `{"token":"my secret"}`, "token", "must match ^[0-9]+:"},
		{"another rule", object, `{"zone":"x"}`, "zone", "does not fit: minLength: got 1, want 2"},
		{"one form", either, `{"a":1}`, "", ""},
		{"no form", either, `{"c":1}`, "", "must have a or b"},
		{"both forms", either, `{"a":1,"b":1}`, "b", "is not allowed here"},
		{"several of one", `{"oneOf":[{},{}]}`, `{}`, "", "fits several forms of which only one is allowed"},
		{"a list", object, `[]`, "", "must be a JSON object"},
		{"null itself", object, `null`, "", "must be a JSON object"},
		{"two objects", object, `{}{}`, "", "must be a JSON object"},
		{"no JSON", object, `{days:1}`, "", "must be a JSON object"},
		{"a number beyond all", object, `{"days":1e99999999}`, "", "must be a JSON object"},
		{"a large number", object, `{"days":1e300}`, "days", "must be at most 31"},
		{"large", "true", `{"a":"` + strings.Repeat("a", 4089) + `"}`, "", "must have at most 4096 bytes"},
	} {
		t.Run(c.name, func(t *testing.T) {
			manifest := manifestOf("a", `{"kind":"period","id":"x"}`)
			if c.schema != "" {
				manifest = periodWith(c.schema)
			}
			h, _ := openHost(t, Options{})
			load(t, h, "a.wasm", guest{manifest: manifest}.wasm())
			err := h.CheckParams(wire.KindPeriod, "x", c.params)
			if c.message == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			var got *domain.Error
			if !errors.As(err, &got) || got.Code != domain.CodeInvalid || got.Field != c.field || got.Message != c.message {
				t.Errorf("got %#v\nwant %q %q", err, c.field, c.message)
			}
		})
	}
}

func TestCheckParamsOfUnknownItems(t *testing.T) {
	h, _ := openHost(t, Options{})
	check(t, h.CheckParams(wire.KindPeriod, "x", ""), ErrNoItem, "there is no period x; none is loaded")
	load(t, h, "a.wasm", guest{manifest: manifestOf("a", `{"kind":"period","id":"b"}`, `{"kind":"period","id":"a"}`)}.wasm())
	err := h.CheckParams(wire.KindPeriod, "x", "")
	check(t, err, ErrNoItem, "there is no period x; known are a, b")
	if got := domain.CodeOf(err); got != domain.CodeInvalid {
		t.Errorf("code %s", got)
	}
	if err := h.Close(background); err != nil {
		t.Fatal(err)
	}
	if got := domain.CodeOf(h.CheckParams(wire.KindPeriod, "a", "")); got != domain.CodeUnavailable {
		t.Errorf("code %s after the end", got)
	}
}

func TestUnusableSchemas(t *testing.T) {
	deep := strings.Repeat(`{"not":`, 32) + `{}` + strings.Repeat(`}`, 32)
	for name, c := range map[string]struct{ schema, want string }{
		"no schema":      {`7`, "must be true or false or an object"},
		"null":           {`null`, "must be true or false or an object"},
		"unknown type":   {`{"properties":{"a":{"type":"int"}}}`, `properties.a.type must be one of "array","boolean","integer","null","number","object","string"`},
		"wrong keyword":  {`{"required":"a"}`, "required must be a list"},
		"a huge number":  {`{"minimum":1e99999999}`, "json: cannot unmarshal number 1e99999999 into Go value of type float64"},
		"reference":      {`{"properties":{"a":{"$ref":"#"}}}`, "$ref is not supported"},
		"file reference": {`{"allOf":[{"$ref":"file:///etc/passwd"}]}`, "$ref is not supported"},
		"anchor":         {`{"$dynamicRef":"#a"}`, "$dynamicRef is not supported"},
		"remote dialect": {`{"$schema":"http://127.0.0.1:1/x"}`, `failing loading "http://127.0.0.1:1/x": nothing is loaded from elsewhere`},
		"pattern":        {`{"pattern":"(?<=a)"}`, `pattern does not fit: '(?<=a)' is not valid regex: error parsing regexp: invalid named capture: ` + "`(?<=a)`"},
		"deep":           {deep, "it is nested deeper than 32 levels"},
	} {
		t.Run(name, func(t *testing.T) {
			h, _ := openHost(t, Options{})
			err := h.Load(background, "a.wasm", guest{manifest: periodWith(c.schema)}.wasm())
			check(t, err, nil, "plugin a.wasm is refused: its manifest gives period x an unusable params_schema: "+c.want)
		})
	}
}

// FuzzParams finds schemas that crash the library, and misfits that say nothing.
func FuzzParams(f *testing.F) {
	for _, schema := range []string{
		`{"type":"integer","minimum":1,"multipleOf":0.5}`,
		`{"oneOf":[{"required":["a"]},{"properties":{"a":false}}]}`,
		`{"$schema":"http://json-schema.org/draft-07/schema","dependencies":{"a":["b"]},"if":{"const":1},"then":false}`,
		`{"$id":"x","$defs":{"x":{"$id":"y"}},"unevaluatedProperties":false,"patternProperties":{"^a":{"format":"date"}}}`,
		`{"propertyNames":{"maxLength":2},"contains":{"type":"null"},"prefixItems":[true],"items":{"uniqueItems":true}}`,
	} {
		f.Add(schema, `{"a":1,"b":[1,2],"c":1e300}`)
	}
	f.Fuzz(func(t *testing.T, schema, params string) {
		compiled, err := compileSchema(wire.RawJSON(schema), "has a bad schema")
		var object map[string]any
		if err != nil || json.Unmarshal([]byte(params), &object) != nil || object == nil {
			return
		}
		var unfit *jsonschema.ValidationError
		if err := compiled.Validate(object); errors.As(err, &unfit) && misfits(unfit)[0].message == "" {
			t.Errorf("no message for %v", err)
		}
	})
}
