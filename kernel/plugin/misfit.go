package plugin

import (
	"cmp"
	"encoding/json"
	"math/big"
	"slices"
	"strconv"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"
	"golang.org/x/text/language"
	localized "golang.org/x/text/message"
)

// misfit is one way in which a value does not fit its schema, for people.
type misfit struct {
	path    string // members and indexes joined by dots, "" = the whole value
	message string // goes on after the path: must be at most 31
}

// misfits flattens the library's tree of errors, which follows the schema, into what is wrong with the value: sorted,
// never empty.
func misfits(e *jsonschema.ValidationError) []misfit {
	var list []misfit
	switch k := e.ErrorKind.(type) {
	case *kind.Required:
		for _, name := range k.Missing {
			list = append(list, misfitAt(e, "is required", name))
		}
	case *kind.AdditionalProperties:
		for _, name := range k.Properties {
			list = append(list, misfitAt(e, "is not a known parameter", name))
		}
	case *kind.OneOf, *kind.AnyOf:
		list = []misfit{noForm(e)}
	default:
		for _, cause := range e.Causes {
			list = append(list, misfits(cause)...)
		}
		if len(list) == 0 {
			list = []misfit{misfitAt(e, predicate(e.ErrorKind))}
		}
	}
	slices.SortFunc(list, func(a, b misfit) int {
		return cmp.Or(strings.Compare(a.path, b.path), strings.Compare(a.message, b.message))
	})
	return list
}

// noForm explains a value that fits none, or too many, of several forms. If each of them only lacks something, that is
// what is said; else the first form's reason.
func noForm(e *jsonschema.ValidationError) misfit {
	var missing []string
	for _, cause := range e.Causes {
		if k, ok := cause.ErrorKind.(*kind.Required); ok {
			missing = append(missing, strings.Join(k.Missing, " with "))
		}
	}
	switch {
	case len(e.Causes) == 0:
		return misfitAt(e, "fits several forms of which only one is allowed")
	case len(missing) == len(e.Causes):
		return misfitAt(e, "must have "+strings.Join(missing, " or "))
	}
	return misfits(e.Causes[0])[0]
}

func misfitAt(e *jsonschema.ValidationError, message string, below ...string) misfit {
	path := strings.Join(append(slices.Clone(e.InstanceLocation), below...), ".")
	return misfit{plain(path, 100), plain(message, 200)}
}

// predicate says what a value would have to be.
func predicate(k jsonschema.ErrorKind) string {
	switch k := k.(type) {
	case *kind.Type:
		return "must be " + strings.Join(typeNames(k.Want), " or ")
	case *kind.Enum:
		return "must be one of " + values(k.Want)
	case *kind.Const:
		return "must be " + values([]any{k.Want})
	case *kind.Pattern: // the value, which may be a secret, is in no message
		return "must match " + k.Want
	case *kind.Minimum:
		return "must be at least " + number(k.Want)
	case *kind.Maximum:
		return "must be at most " + number(k.Want)
	case *kind.FalseSchema:
		return "is not allowed here"
	}
	return "does not fit: " + k.LocalizedString(localized.NewPrinter(language.English))
}

func typeNames(types []string) []string {
	names := map[string]string{
		"integer": "a whole number", "number": "a number", "string": "a string", "boolean": "true or false",
		"object": "an object", "array": "a list",
	}
	var list []string
	for _, t := range types {
		list = append(list, cmp.Or(names[t], t))
	}
	return list
}

// values lists values as they would be written in JSON.
func values(list []any) string {
	b, err := json.Marshal(list)
	if err != nil {
		return "a value that can not be shown" // not possible for what came out of JSON
	}
	return strings.Trim(string(b), "[]")
}

// number writes a limit as a schema does, which reads it as a float64 too.
func number(n *big.Rat) string {
	f, _ := n.Float64()
	return strconv.FormatFloat(f, 'f', -1, 64)
}
