package subscription

import (
	"strings"
	"testing"

	"github.com/sluicehq/sluice/kernel/domain"
	"github.com/sluicehq/sluice/kernel/plugin"
	"github.com/sluicehq/sluice/sdk/wire"
)

// offers are formats as plugins provide them.
func offers(ids ...string) (items []plugin.Item) {
	for _, id := range ids {
		items = append(items, plugin.Item{Plugin: "builtin", Builtin: true, SHA256: "b", Item: wire.Item{ID: id, Cache: wire.CacheRevision}})
	}
	return items
}

var everyFormat = offers("clash", "html", "links", "links-base64", "outline", "sing-box", "xray-json")

// The User-Agents are those that the apps send.
func TestDefaultRules(t *testing.T) {
	s := &snapshot{rules: rulesOf(&domain.Settings{})}
	const browser = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
	for _, c := range []struct{ agent, accept, want string }{
		{"HiddifyNext/2.5.7 (android) like ClashMeta v2ray sing-box", "", "links-base64"},
		{"Happ/3.8.1", "", "links-base64"},
		{"v2rayNG/1.10.26", "", "links-base64"},
		{"v2rayN/7.15.0", "", "links-base64"},
		{"Streisand/1.6.50", "", "links-base64"},
		{"Shadowrocket/2678 CFNetwork/1568.300.101 Darwin/24.2.0 iPhone15,3", "", "links-base64"},
		{"Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) V2Box/9.9", browser, "links-base64"},
		{"FoXray/1 CFNetwork/1474 Darwin/23.0.0", "", "links-base64"},
		{"v2raytun/android", "*/*", "links-base64"},
		{"NekoBox/Android/1.3.8 (Prefer ClashMeta Format)", "", "clash"},
		{"Throne/1.0.5 (Prefer ClashMeta Format)", "", "clash"},
		{"Throne/1.0.5", "", "links-base64"},
		{"clash-verge/v2.4.2", "", "clash"},
		{"ClashMetaForAndroid/2.11.15.Meta", "", "clash"},
		{"FlClash/v0.8.87 Platform/android clash-verge", "", "clash"},
		{"ClashX Pro/1.118.0", "", "clash"},
		{"mihomo/1.19.12", "", "clash"},
		{"mihomo.party/v1.8.8 (clash.meta)", "", "clash"},
		{"Stash/3.1.1 Clash/1.9.0", "", "clash"},
		{"SFA/1.12.4 (Build 577; sing-box 1.12.4; language en_US)", "", "sing-box"},
		{"SFI/1.12.4", "", "sing-box"},
		{"SFM/1.12.4", "", "sing-box"},
		{"SFT/1.12.4", "", "sing-box"},
		{"sing-box 1.12.4", "", "sing-box"},
		{"Karing/1.2.5.1002 ClashMeta", "", "links-base64"},
		{"Outline-Client/1.15", "", "outline"},
		{"Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", browser, "html"},
		{"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36", browser, "html"},
		{"Mozilla/5.0 (X11; Linux x86_64)", "*/*", "links-base64"},
		{"SFA", "", "sing-box"},
		{"SFAX/1.0", browser, "html"},
		{"curl/8.5.0", "*/*", "links-base64"},
		{"", "", "links-base64"},
	} {
		t.Run(c.agent, func(t *testing.T) {
			if got := s.choose(everyFormat, &Request{UserAgent: c.agent, Accept: c.accept}); got.format != c.want || got.item == nil {
				t.Errorf("%s by %s, rule %d; want %s", got.format, got.step, got.rule, c.want)
			}
		})
	}
}

// Every rule that comes with Sluice can be reached: no earlier one takes all of its apps.
func TestDefaultRulesAreAllUsed(t *testing.T) {
	if err := CheckRules(DefaultRules()); err != nil {
		t.Fatal(err)
	}
	s := &snapshot{rules: rulesOf(&domain.Settings{})}
	for i, r := range DefaultRules() {
		agent := r.Agent
		if s.rules[i].regexp != nil {
			agent = map[string]string{`/^sf[aimt]\b/`: "sfa", `/sing-?box/`: "singbox"}[r.Agent]
		}
		if got := s.choose(everyFormat, &Request{UserAgent: strings.ToUpper(agent)}); got.rule != i {
			t.Errorf("rule %d (%s) is behind rule %d", i, r.Agent, got.rule)
		}
	}
	DefaultRules()[0].Agent = "changed"
	if DefaultRules()[0].Agent != "hiddify" {
		t.Error("whoever asks for the rules can change them")
	}
}

func TestChoose(t *testing.T) {
	third := plugin.Item{Plugin: "zebra", SHA256: "z", Item: wire.Item{ID: "surge", UserAgents: []string{"", "Surge", "/x/"}}}
	earlier := plugin.Item{Plugin: "ant", SHA256: "a", Item: wire.Item{ID: "zzz", UserAgents: []string{"surge pro"}}}
	formats := append(offers("html", "links", "links-base64"), third, earlier)
	for _, c := range []struct {
		name    string
		rules   []domain.AgentRule
		request Request
		want    string
		step    string
		rule    int
	}{
		{"by name", []domain.AgentRule{{Agent: "a", Format: "links"}}, Request{Format: "html", UserAgent: "a"}, "html", StepAsked, -1},
		{"by another name", nil, Request{Format: "links_base64"}, "links-base64", StepAsked, -1},
		{"by a name that nothing has", nil, Request{Format: "pigeon"}, "pigeon", StepAsked, -1},
		{"the first match", []domain.AgentRule{{Agent: "b", Format: "html"}, {Agent: "a", Format: "links"}, {Agent: "a", Format: "html"}}, Request{UserAgent: "xAx"}, "links", StepRule, 1},
		{"another name in a rule", []domain.AgentRule{{Agent: "a", Format: "links_base64"}}, Request{UserAgent: "a"}, "links-base64", StepRule, 0},
		{"what is not loaded is passed over", []domain.AgentRule{{Agent: "a", Format: "clash"}, {Agent: "a", Format: "html"}}, Request{UserAgent: "a"}, "html", StepRule, 1},
		{"a regular expression", []domain.AgentRule{{Agent: `/^app\/[12]\./`, Format: "links"}}, Request{UserAgent: "APP/2.5"}, "links", StepRule, 0},
		{"that does not match", []domain.AgentRule{{Agent: `/^app\/[12]\./`, Format: "links"}}, Request{UserAgent: "app/3.5"}, "links-base64", StepDefault, -1},
		{"a plugin's list", []domain.AgentRule{}, Request{UserAgent: "surge/5"}, "surge", StepPlugin, 1},
		{"the plugin that comes first", []domain.AgentRule{{Agent: "b", Format: "html"}}, Request{UserAgent: "Surge Pro/5"}, "zzz", StepPlugin, 1},
		{"a plugin's list knows no expressions", []domain.AgentRule{}, Request{UserAgent: "a/x/b"}, "surge", StepPlugin, 2},
		{"an operator's rule is before it", []domain.AgentRule{{Agent: "surge", Format: "links"}}, Request{UserAgent: "surge"}, "links", StepRule, 0},
		{"a rule is before HTML", []domain.AgentRule{{Agent: "mozilla", Format: "links"}}, Request{UserAgent: "Mozilla", Accept: "text/html"}, "links", StepRule, 0},
		{"no rules at all", []domain.AgentRule{}, Request{UserAgent: "clash", Accept: "text/html"}, "html", StepAccept, -1},
		{"only what is compared counts", []domain.AgentRule{{Agent: "end", Format: "html"}}, Request{UserAgent: strings.Repeat("x", maxSeen) + "end"}, "links-base64", StepDefault, -1},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := &snapshot{rules: rulesOf(&domain.Settings{AgentRules: c.rules})}
			got := s.choose(formats, &c.request)
			if got.format != c.want || got.step != c.step || got.rule != c.rule || (got.item == nil) != (c.want == "pigeon") {
				t.Errorf("%s by %s, rule %d; want %s by %s, rule %d", got.format, got.step, got.rule, c.want, c.step, c.rule)
			}
		})
	}
	s := &snapshot{}
	if got := s.choose(offers("links-base64"), &Request{Accept: "text/html"}); got.format != "links-base64" || got.step != StepDefault {
		t.Errorf("without a page a browser gets %s by %s", got.format, got.step)
	}
}

func TestCheckRules(t *testing.T) {
	ok := domain.AgentRule{Agent: "a", Format: "links"}
	for _, c := range []struct {
		name, field, want string
		rule              domain.AgentRule
	}{
		{"a part", "", "", ok},
		{"a format that is not loaded", "", "", domain.AgentRule{Agent: "a", Format: "tomorrow"}},
		{"one slash", "", "", domain.AgentRule{Agent: "/", Format: "links"}},
		{"slashes inside", "", "", domain.AgentRule{Agent: "a/b/c", Format: "links"}},
		{"empty", "user_agent_rules[1].agent", "cannot be empty: it would match every app", domain.AgentRule{Format: "links"}},
		{"spaces", "user_agent_rules[1].agent", "cannot be empty: it would match every app", domain.AgentRule{Agent: "  ", Format: "links"}},
		{"an empty expression", "user_agent_rules[1].agent", "cannot be empty: it would match every app", domain.AgentRule{Agent: "//", Format: "links"}},
		{"a broken expression", "user_agent_rules[1].agent", `is not a regular expression of RE2: "/(/"`, domain.AgentRule{Agent: "/(/", Format: "links"}},
		{"one that ends early", "user_agent_rules[1].agent", `is not a regular expression of RE2: "/a)b/"`, domain.AgentRule{Agent: "/a)b/", Format: "links"}},
		{"one that goes on", "user_agent_rules[1].agent", `is not a regular expression of RE2: "/a)(b/"`, domain.AgentRule{Agent: "/a)(b/", Format: "links"}},
		{"a long one", "user_agent_rules[1].agent", "is longer than 200 bytes", domain.AgentRule{Agent: strings.Repeat("a", 201), Format: "links"}},
		{"no format", "user_agent_rules[1].format", "cannot be empty", domain.AgentRule{Agent: "a"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := CheckRules([]domain.AgentRule{ok, c.rule})
			if c.field == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			wantError(t, err, domain.CodeInvalid, c.field+" "+c.want)
		})
	}
	if err := CheckRules(make([]domain.AgentRule, 101)); err == nil || err.Error() != "user_agent_rules has more than 100 rules" {
		t.Errorf("101 rules: %v", err)
	}
}

// FuzzRules lets an operator write anything, and an app call itself anything.
func FuzzRules(f *testing.F) {
	f.Add("clash", "Clash/1.0")
	f.Add("/^a(b|c)*$/", "abcbcbc")
	f.Add("/(/", "(")
	f.Add("/a\\", "\xff")
	f.Fuzz(func(t *testing.T, agent, app string) {
		rules := []domain.AgentRule{{Agent: agent, Format: "links"}}
		s := &snapshot{rules: rulesOf(&domain.Settings{AgentRules: rules})}
		if valid := CheckRules(rules) == nil; valid != (len(s.rules) == 1) {
			t.Errorf("%q is valid: %v, and %d rules are used", agent, valid, len(s.rules))
		}
		s.choose(everyFormat, &Request{UserAgent: app})
	})
}
