package plugin

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/sluicehq/sluice/kernel/domain"
	"github.com/sluicehq/sluice/sdk/wire"
)

// maxParams is the number of bytes that parameters may have: they are stored with every user.
const maxParams = 4 << 10

// CheckParams holds parameters, a JSON object, against the schema of an item; "" is an object without members. An item
// that no plugin provides is an Invalid that lists those there are. So are parameters that do not fit: the Field of that
// error is the path of what is at fault ("days", "hosts.0"), "" for the object as a whole, and its Message a predicate
// ("must be at most 31").
func (c *caller) CheckParams(kind, id, params string) error {
	g := c.registry.Load()
	item := g.items[itemKey{kind, id}]
	if item.provided == nil {
		err := g.missing(kind, id)
		if err.Code == domain.CodeNotFound {
			err.Code = domain.CodeInvalid // the item is a part of what is asked, not what is asked for
		}
		return err
	}
	return fit(item.params, params, maxParams)
}

// fit holds a JSON object against a schema; "" is an object without members. The error is as CheckParams says.
func fit(schema *jsonschema.Schema, text string, limit int) error {
	if len(text) > limit {
		return domain.Invalid("", fmt.Sprintf("must have at most %d bytes", limit))
	}
	object := map[string]any{}
	if text != "" {
		if err := json.Unmarshal([]byte(text), &object); err != nil || object == nil {
			return domain.Invalid("", "must be a JSON object").Because(err)
		}
	}
	err := schema.Validate(object)
	var unfit *jsonschema.ValidationError
	if errors.As(err, &unfit) {
		first := misfits(unfit)[0]
		return domain.Invalid(first.path, first.message).Because(err)
	}
	return err
}

// noParams is the schema of an item that takes none, and of a plugin without settings.
var noParams = wire.RawJSON(`{"additionalProperties":false}`)

// noLoader keeps schemas from reading files or the network.
type noLoader struct{}

// Load refuses.
func (noLoader) Load(string) (any, error) { return nil, errors.New("nothing is loaded from elsewhere") }

// compileSchema compiles a schema, noParams if there is none; what begins the error, which continues "its manifest".
// Numbers are read as float64: the library crashes on some that do not fit into one.
func compileSchema(text wire.RawJSON, what string) (*jsonschema.Schema, error) {
	if len(text) == 0 {
		text = noParams
	}
	unusable := func(why string) error {
		return fmt.Errorf("%s: %s", what, plain(why, 300))
	}
	var doc any
	if err := json.Unmarshal(text, &doc); err != nil {
		return nil, unusable(err.Error())
	}
	if err := bounded(doc, maxSchemaDepth); err != nil {
		return nil, unusable(err.Error())
	}
	const url = "params:schema"
	c := jsonschema.NewCompiler()
	c.UseLoader(noLoader{})
	if err := c.AddResource(url, doc); err != nil {
		return nil, unusable(err.Error())
	}
	schema, err := c.Compile(url)
	var unfit *jsonschema.SchemaValidationError
	var why *jsonschema.ValidationError
	if errors.As(err, &unfit) && errors.As(unfit.Err, &why) {
		first := misfits(why)[0]
		return nil, unusable(first.path + " " + first.message)
	}
	if err != nil {
		return nil, unusable(err.Error())
	}
	return schema, nil
}

// maxSchemaDepth is how deep a schema may be nested; what a person fills in is far from it.
const maxSchemaDepth = 32

// bounded refuses schemas that could take hours to check: with references ten lines are enough for that, without them
// the time is bounded by the sizes of schema and parameters.
func bounded(doc any, depth int) error {
	if depth == 0 {
		return fmt.Errorf("it is nested deeper than %d levels", maxSchemaDepth)
	}
	switch v := doc.(type) {
	case map[string]any:
		for _, name := range []string{"$ref", "$dynamicRef", "$recursiveRef"} {
			if _, ok := v[name]; ok {
				return errors.New(name + " is not supported")
			}
		}
		for _, part := range v {
			if err := bounded(part, depth-1); err != nil {
				return err
			}
		}
	case []any:
		for _, part := range v {
			if err := bounded(part, depth-1); err != nil {
				return err
			}
		}
	}
	return nil
}
