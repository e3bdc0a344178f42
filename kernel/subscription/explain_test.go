package subscription

import (
	"slices"
	"testing"

	"github.com/sluicehq/sluice/kernel/domain"
	"github.com/sluicehq/sluice/kernel/plugin"
	"github.com/sluicehq/sluice/sdk/wire"
	"github.com/sluicehq/sluice/storage"
)

// several provides formats and renders none.
type several struct {
	*plugin.Host
	items []plugin.Item
}

func (s several) Items(string) []plugin.Item { return s.items }

func TestExplain(t *testing.T) {
	b := newBench(t)
	alice := b.user("alice")
	b.Directory = remembering(map[string]*domain.User{"sub-alice": alice})
	items := offers("html", "links", "links-base64")
	items[0].Cache = wire.CacheNone
	surge := plugin.Item{Plugin: "acme", SHA256: "5", Item: wire.Item{ID: "surge", UserAgents: []string{"Loon", "surge"}, Cache: wire.CacheRevision}}
	b.Renderer = several{renderer, append(items, surge)}
	b.write(func(tx *storage.Tx) error {
		return tx.SaveSettings(t.Context(), domain.Settings{AgentRules: []domain.AgentRule{{Agent: "app", Format: "clash"}, {Agent: "/^App/", Format: "links"}}})
	})
	b.reload()
	const notSaid = "the manifest of plugin builtin does not say that the format may be kept"
	for _, c := range []struct {
		name, agent, accept, format string
		want                        Explanation
		decides                     int
	}{
		{"by name", "app", "", "links", Explanation{Step: StepAsked, Because: "the URL asks for it by name", Format: "links", Plugin: "builtin", SHA256: "b", Builtin: true, Kept: true}, -1},
		{"by a name that nothing has", "", "", "pigeon", Explanation{Step: StepAsked, Because: "the URL asks for a format that is not loaded", Format: "pigeon", WhyNot: "the format is not loaded"}, -1},
		{"a rule", "app/1", "", "", Explanation{Step: StepRule, Because: `the User-Agent matches "/^App/", rule 2 of settings`, Format: "links", Plugin: "builtin", SHA256: "b", Builtin: true, Kept: true}, 1},
		{"a plugin's own", "Surge iOS", "text/html", "", Explanation{Step: StepPlugin, Because: `the User-Agent matches "surge", rule 2 of plugin acme`, Format: "surge", Plugin: "acme", SHA256: "5", Kept: true}, 3},
		{"a browser", "Mozilla", "text/html", "", Explanation{Step: StepAccept, Because: "no rule knows the User-Agent, and it asks for text/html, as browsers do", Format: "html", Plugin: "builtin", SHA256: "b", Builtin: true, WhyNot: notSaid}, -1},
		{"anything else", "curl", "*/*", "", Explanation{Step: StepDefault, Because: "no rule knows the User-Agent, and it does not ask for text/html", Format: "links-base64", Plugin: "builtin", SHA256: "b", Builtin: true, Kept: true}, -1},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := b.Explain(t.Context(), "alice", c.agent, c.accept, c.format)
			if err != nil {
				t.Fatal(err)
			}
			if decides := slices.IndexFunc(got.Rules, func(v Verdict) bool { return v.Decides }); decides != c.decides || len(got.Rules) != 4 {
				t.Errorf("rule %d decides of %+v", decides, got.Rules)
			}
			got.Rules = nil
			if string(mustJSON(t, got)) != string(mustJSON(t, c.want)) {
				t.Errorf("got  %+v\nwant %+v", got, c.want)
			}
		})
	}
	got, err := b.Explain(t.Context(), "alice", "application", "", "")
	want := []Verdict{
		{From: "settings", Agent: "app", Format: "clash", Matches: true},
		{From: "settings", Agent: "/^App/", Format: "links", Matches: true, Loaded: true, Decides: true},
		{From: "plugin acme", Agent: "Loon", Format: "surge", Loaded: true},
		{From: "plugin acme", Agent: "surge", Format: "surge", Loaded: true},
	}
	if err != nil || !slices.Equal(got.Rules, want) {
		t.Errorf("rules %+v, %v", got.Rules, err)
	}
	b.Directory = remembering(nil)
	if got, err := b.Explain(t.Context(), "alice", "", "", "links"); err != nil || got.WhyNot != "this process does not know the user yet" {
		t.Errorf("%+v, %v", got, err)
	}
	if _, err := b.Explain(t.Context(), "nobody", "", "", ""); domain.CodeOf(err) != domain.CodeNotFound {
		t.Errorf("of nobody: %v", err)
	}
	if noted := b.fetches.take(); len(noted) != 0 {
		t.Errorf("it is noted as a fetch: %v", noted)
	}
}
