package wire_test

import (
	"encoding/json"
	"testing"

	"github.com/sluicehq/sluice/sdk/wire"
)

func TestManifestKeepsSchemasAsTheyAre(t *testing.T) {
	in := `{"abi":1,"name":"n","version":"1.0.0","provides":[{"kind":"period","id":"p","params_schema":{"type":"object"}}],` +
		`"permissions":[{"name":"http","reason":"asks a shop","hosts":["shop.example.com"]}],"settings_schema":{"b":1,"a":2}}`
	var m wire.Manifest
	if err := json.Unmarshal([]byte(in), &m); err != nil {
		t.Fatal(err)
	}
	out, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	if string(out) != in {
		t.Errorf("got  %s\nwant %s", out, in)
	}
}

func TestEmptyRawJSONIsNull(t *testing.T) {
	if out, err := json.Marshal(wire.RawJSON(nil)); err != nil || string(out) != "null" {
		t.Errorf("got %s, %v", out, err)
	}
}
