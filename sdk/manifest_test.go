package sdk

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"github.com/sluicehq/sluice/sdk/wire"
)

func TestManifest(t *testing.T) {
	var p plugin
	p.info = Info{Name: "all", Version: "1.2.3", Description: "Everything."}
	p.settingsSchema = `{"type":"object"}`
	p.username("u", UsernameOptions{Title: "U", Params: `{"a":[1]}`, Base: wire.BaseNone, Collision: wire.CollisionRetry}, nil)
	p.period("p", PeriodOptions{Description: "P", QuotaOnly: true}, nil)
	p.format("f", FormatOptions{
		ContentType: "text/yaml", UserAgents: []string{"clash", "mihomo"}, Cache: wire.CacheRevision,
		Prepare: func(*PrepareRequest) (RenderFunc, error) { return nil, nil },
	}, nil)
	p.event("e", EventOptions{Events: []string{"user.created"}}, nil)
	p.permissions = []wire.Permission{
		{Name: "kv", Reason: "counts"}, {Name: "http", Reason: "calls", Hosts: []string{"a.example.com", "b.example.com"}},
	}
	want := wire.Manifest{
		ABI: 1, Name: "all", Version: "1.2.3", Description: "Everything.", Settings: wire.RawJSON(`{"type":"object"}`),
		Provides: []wire.Item{
			{Kind: "username", ID: "u", Title: "U", Params: wire.RawJSON(`{"a":[1]}`), Base: "none", Collision: "retry"},
			{Kind: "period", ID: "p", Description: "P", QuotaOnly: true},
			{
				Kind: "format", ID: "f", ContentType: "text/yaml", UserAgents: []string{"clash", "mihomo"},
				Cache: "revision", Prepare: true,
			},
			{Kind: "event", ID: "e", Events: []string{"user.created"}},
		},
		Permissions: p.permissions,
	}
	var got wire.Manifest
	decoder := json.NewDecoder(strings.NewReader(string(p.manifest(nil))))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&got); err != nil {
		t.Fatalf("%v in %s", err, p.manifest(nil))
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

func TestManifestOfNothing(t *testing.T) {
	var p plugin
	if got, want := string(p.manifest(nil)), `{"abi":1,"name":"","version":"","provides":[]}`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// FuzzJSONString compares with encoding/json, which must read back the same from both.
func FuzzJSONString(f *testing.F) {
	for _, s := range []string{
		"", "plain", `"quoted" and \ back`, "\x00\x1f\x7f\n\t", "ü 語 🏳️‍🌈", "\xff\xfe", "\xed\xa0\x80", "\u2028",
		"</script>", "\ufffd",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		theirs, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		var got, want string
		if err := json.Unmarshal(appendJSON(nil, s), &got); err != nil {
			t.Fatalf("%v in %s", err, appendJSON(nil, s))
		}
		if err := json.Unmarshal(theirs, &want); err != nil {
			t.Fatal(err)
		}
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	})
}
