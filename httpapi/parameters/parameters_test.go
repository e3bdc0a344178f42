package parameters

import (
	"reflect"
	"testing"
)

func TestParameters(t *testing.T) {
	for _, c := range []struct {
		name, stored string
		want         map[string]any
		text         string
	}{
		{"none", "", nil, ""},
		{"an empty object", "{}", map[string]any{}, ""},
		{"some", `{"b":1,"a":"x"}`, map[string]any{"a": "x", "b": 1.0}, `{"a":"x","b":1}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			params := Of(c.stored)
			if text := Text(params); !reflect.DeepEqual(params, c.want) || text != c.text {
				t.Errorf("read %v, written %s", params, text)
			}
		})
	}
}
