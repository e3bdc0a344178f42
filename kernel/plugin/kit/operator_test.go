package kit

import (
	"reflect"
	"testing"

	"github.com/sluicehq/sluice/kernel/domain"
	"github.com/sluicehq/sluice/sdk/wire"
)

func TestGrants(t *testing.T) {
	wanted := []wire.Permission{
		{Name: wire.PermissionKV}, {Name: wire.PermissionHTTP, Hosts: []string{"api.example.com", wire.AnyHost}},
	}
	for name, c := range map[string]struct {
		settings string
		hosts    []string
	}{
		"no settings":      {"", []string{"kit.example.com"}},
		"no URL":           {`{"name":"shop.example","at":"/hook"}`, []string{"kit.example.com"}},
		"a URL":            {`{"url":"https://Shop.Example/hook"}`, []string{"shop.example"}},
		"escaped slashes":  {`{"url":"https:\/\/shop.example\/hook"}`, []string{"shop.example"}},
		"a port, a login":  {`{"url":"http://me:secret@10.0.0.1:8080"}`, []string{"10.0.0.1:8080"}},
		"several, nested":  {`{"to":[{"url":"https://b.example"},{"url":"https://a.example"},"https://b.example/2"]}`, []string{"a.example", "b.example"}},
		"what is no JSON":  {`{"url":`, []string{"kit.example.com"}},
		"a number, a null": {`{"a":1,"b":null}`, []string{"kit.example.com"}},
	} {
		t.Run(name, func(t *testing.T) {
			want := []domain.PluginGrant{
				{Name: wire.PermissionKV}, {Name: wire.PermissionHTTP, Hosts: append([]string{"api.example.com"}, c.hosts...)},
			}
			if got := grants(wanted, c.settings); !reflect.DeepEqual(got, want) {
				t.Errorf("it is granted %+v, want %+v", got, want)
			}
		})
	}
}

// TestSettingsAreAskedFor checks a plugin that can do nothing until it has a URL, with and without one of the author's
// own choice.
func TestSettingsAreAskedFor(t *testing.T) {
	wasm := guest(t, "../../../../examples/webhook")
	report := check(t, wasm, patient(nil))
	last := report.Findings[len(report.Findings)-1]
	want := Finding{Rule: "settings to check it with", Verdict: Warn, Reason: "its items need settings, give them with --settings: url is required"}
	if last != want || !report.OK || report.Count(Warn) != 1 {
		t.Errorf("without settings: %+v", report.Findings)
	}
	o := patient(nil)
	o.Settings = `{"url":"https://shop.example/hook"}`
	if report = check(t, wasm, o); !report.OK || report.Count(Warn) != 0 {
		t.Errorf("with settings: %+v", report.Findings)
	}
}
