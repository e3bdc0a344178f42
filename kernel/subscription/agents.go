package subscription

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/sluicehq/sluice/kernel/domain"
	"github.com/sluicehq/sluice/kernel/plugin"
)

// Bounds of the operator's rules. Every fetch of an app that no rule knows is compared with all of them.
const (
	maxRules = 100
	maxRule  = 200 // bytes of an agent
	maxSeen  = 512 // bytes of a User-Agent that are compared
)

// DefaultRules are the rules while the operator has none. The first match counts, so what is more exact comes first: many
// apps name others in their User-Agent. Source: what the apps send and take, as of 2026.
func DefaultRules() []domain.AgentRule { return slices.Clone(defaultRules) }

var defaultRules = []domain.AgentRule{
	{Agent: "hiddify", Format: formatBase64},     // "like ClashMeta v2ray sing-box", but it reads every link
	{Agent: "karing", Format: formatBase64},      // "ClashMeta", the same
	{Agent: "prefer clashmeta", Format: "clash"}, // what NekoBox, NekoRay and Throne ask for in so many words
	{Agent: "nekobox", Format: formatBase64},
	{Agent: "nekoray", Format: formatBase64},
	{Agent: "throne", Format: formatBase64},
	{Agent: "happ/", Format: formatBase64},
	{Agent: "v2rayng", Format: formatBase64},
	{Agent: "v2rayn", Format: formatBase64},
	{Agent: "v2raytun", Format: formatBase64},
	{Agent: "v2box", Format: formatBase64},
	{Agent: "streisand", Format: formatBase64},
	{Agent: "shadowrocket", Format: formatBase64},
	{Agent: "foxray", Format: formatBase64},
	{Agent: "exclave", Format: formatBase64},
	{Agent: "quantumult", Format: formatBase64},
	{Agent: "loon/", Format: formatBase64},
	{Agent: "outline", Format: "outline"},
	{Agent: "stash", Format: "clash"},
	{Agent: "clash", Format: "clash"}, // Verge, FlClash, ClashX, Clash Meta for Android...
	{Agent: "mihomo", Format: "clash"},
	{Agent: `/^sf[aimt]\b/`, Format: "sing-box"}, // sing-box for Android, iOS, macOS, tvOS
	{Agent: `/sing-?box/`, Format: "sing-box"},
	{Agent: "v2ray", Format: formatBase64},
	{Agent: "xray", Format: formatBase64},
}

// The places that rules come from, as an explanation names them.
const (
	fromSettings = "settings"
	fromDefaults = "defaults"
	fromPlugin   = "plugin " // and its name
)

// rule is an AgentRule that is ready to be asked.
type rule struct {
	domain.AgentRule
	from   string
	part   string         // in lower case
	regexp *regexp.Regexp // in the place of part, nil = none
}

// matches says whether the rule is about the User-Agent, of which lower is the lower case.
func (r *rule) matches(agent, lower string) bool {
	if r.regexp != nil {
		return r.regexp.MatchString(agent)
	}
	return strings.Contains(lower, r.part)
}

// newRule reads a rule. Its error is the end of a sentence that begins with the field.
func newRule(from string, given domain.AgentRule) (rule, error) {
	r := rule{AgentRule: given, from: from, part: strings.ToLower(given.Agent)}
	inside, opened := strings.CutPrefix(given.Agent, "/")
	inside, closed := strings.CutSuffix(inside, "/")
	switch {
	case strings.TrimSpace(given.Agent) == "" || opened && closed && inside == "":
		return r, errors.New("cannot be empty: it would match every app")
	case len(given.Agent) > maxRule:
		return r, fmt.Errorf("is longer than %d bytes", maxRule)
	case !opened || !closed:
		return r, nil
	}
	var err error
	if r.regexp, err = regexp.Compile("(?i)" + inside); err != nil {
		return r, fmt.Errorf("is not a regular expression of RE2: %q", given.Agent)
	}
	return r, nil
}

// CheckRules refuses rules that can not be asked, with an error that names the field of settings and the rule.
func CheckRules(rules []domain.AgentRule) error {
	if len(rules) > maxRules {
		return domain.Invalid("user_agent_rules", fmt.Sprintf("has more than %d rules", maxRules))
	}
	for i, given := range rules {
		field := fmt.Sprintf("user_agent_rules[%d].", i)
		if _, err := newRule(fromSettings, given); err != nil {
			return domain.Invalid(field+"agent", err.Error())
		}
		if strings.TrimSpace(given.Format) == "" {
			return domain.Invalid(field+"format", "cannot be empty")
		}
	}
	return nil
}

// rulesOf are the rules that the settings stand for.
func rulesOf(s *domain.Settings) []rule {
	given, from := s.AgentRules, fromSettings
	if given == nil {
		given, from = defaultRules, fromDefaults
	}
	rules := make([]rule, 0, len(given))
	for _, g := range given {
		if r, err := newRule(from, g); err == nil { // they were checked when they were set
			rules = append(rules, r)
		}
	}
	return rules
}

// declared are the rules that plugins bring along, by the names of the plugins and then by the ids of the formats.
func declared(formats []plugin.Item) (rules []rule) {
	formats = slices.Clone(formats)
	slices.SortStableFunc(formats, func(a, b plugin.Item) int { return strings.Compare(a.Plugin, b.Plugin) })
	for _, item := range formats {
		for _, agent := range item.UserAgents {
			given := domain.AgentRule{Agent: agent, Format: item.ID}
			if agent != "" { // a part, whatever is in it: the manifest knows no regular expressions
				rules = append(rules, rule{AgentRule: given, from: fromPlugin + item.Plugin, part: strings.ToLower(agent)})
			}
		}
	}
	return rules
}
