package optional

import (
	"encoding/json"
	"testing"
)

func TestField(t *testing.T) {
	for _, c := range []struct {
		name, body string
		set        bool
		put, or    int // of a 7 that was there
	}{
		{"absent", `{}`, false, 7, 7},
		{"null", `{"n":null}`, true, 0, 0},
		{"zero", `{"n":0}`, true, 0, 0},
		{"a value", `{"n":5}`, true, 5, 5},
	} {
		t.Run(c.name, func(t *testing.T) {
			var in struct {
				N Field[int] `json:"n"`
			}
			if err := json.Unmarshal([]byte(c.body), &in); err != nil {
				t.Fatal(err)
			}
			put := 7
			in.N.Put(&put)
			if or := in.N.Or(7); in.N.Set != c.set || put != c.put || or != c.or {
				t.Errorf("set %v, put %d, or %d", in.N.Set, put, or)
			}
		})
	}
}
