package subscription

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/sluicehq/sluice/sdk/wire"
)

// Explanation is why an app gets the format that it gets.
type Explanation struct {
	Step    string // one of the Step constants
	Because string // one sentence
	Format  string // its id
	Plugin  string // what makes it, "" = it is not loaded: the app gets an error
	SHA256  string // of the plugin, lower-case hex
	Builtin bool   // the plugin is part of the binary
	Rules   []Verdict
	Kept    bool   // the body is kept, and handed out again until something of it changes
	WhyNot  string // one sentence, "" = it is
}

// Verdict is what a rule says of a User-Agent.
type Verdict struct {
	From    string // settings, defaults, or plugin and its name
	Agent   string
	Format  string
	Matches bool // the User-Agent is one of the rule's
	Loaded  bool // its format is
	Decides bool // it is the one that counted
}

// Explain says what an app would get that asks for the subscription of the user of that name: the format by its name, ""
// = none is asked for. Nothing is rendered or noted. An unknown user is not_found.
func (s *Service) Explain(ctx context.Context, username, agent, accept, format string) (Explanation, error) {
	user, err := s.DB.UserByName(ctx, username)
	if err != nil {
		return Explanation{}, err
	}
	h, err := s.holder(ctx, user.SubID, "")
	if err != nil {
		return Explanation{}, err
	}
	r := Request{Format: format, Host: "localhost", UserAgent: agent, Accept: accept}
	f := s.newFetch(&h, &r)
	e := Explanation{Step: f.step, Format: f.format, Rules: f.verdicts(&r)}
	if f.item != nil {
		e.Plugin, e.SHA256, e.Builtin = f.item.Plugin, f.item.SHA256, f.item.Builtin
	}
	e.Because = f.because(e.Rules)
	if e.WhyNot, err = s.whyNotKept(ctx, &f); err != nil {
		return Explanation{}, err
	}
	e.Kept = e.WhyNot == ""
	return e, nil
}

// verdicts ask every rule, also those behind the one that decided.
func (f *fetch) verdicts(r *Request) []Verdict {
	agent := r.UserAgent[:min(len(r.UserAgent), maxSeen)]
	lower := strings.ToLower(agent)
	verdicts := []Verdict{}
	for i, rule := range slices.Concat(f.snap.rules, declared(f.formats)) {
		verdicts = append(verdicts, Verdict{
			From: rule.from, Agent: rule.Agent, Format: rule.Format, Matches: rule.matches(agent, lower),
			Loaded: itemOf(f.formats, formatNamed(rule.Format, f.formats)) != nil, Decides: i == f.rule,
		})
	}
	return verdicts
}

func (f *fetch) because(rules []Verdict) string {
	switch f.step {
	case StepAsked:
		if f.item == nil {
			return "the URL asks for a format that is not loaded"
		}
		return "the URL asks for it by name"
	case StepRule, StepPlugin:
		decided := rules[f.rule]
		return fmt.Sprintf("the User-Agent matches %q, rule %d of %s", decided.Agent, f.placeOf(rules), decided.From)
	case StepAccept:
		return "no rule knows the User-Agent, and it asks for text/html, as browsers do"
	}
	return "no rule knows the User-Agent, and it does not ask for text/html"
}

// placeOf counts the rule that decided among those of its origin, from 1.
func (f *fetch) placeOf(rules []Verdict) int {
	n := 0
	for _, v := range rules[:f.rule+1] {
		if v.From == rules[f.rule].From {
			n++
		}
	}
	return n
}

// whyNotKept is why every fetch is rendered anew, "" = it is not.
func (s *Service) whyNotKept(ctx context.Context, f *fetch) (string, error) {
	switch {
	case f.item == nil:
		return "the format is not loaded", nil
	case f.item.Cache != wire.CacheRevision:
		return fmt.Sprintf("the manifest of plugin %s does not say that the format may be kept", f.item.Plugin), nil
	case s.bodies.limit < 0:
		return "no memory is set aside for it", nil
	case f.whole:
		return "this process does not know the user yet", nil
	}
	user, err := s.DB.UserByID(ctx, f.user.ID)
	if err != nil {
		return "", err
	}
	d, err := s.draft(ctx, f.snap, &user, f.traffic, f.inbounds, f.address, extras{status: true})
	switch {
	case err != nil:
		return sentence(err), nil
	case d.moves:
		return "a remark, a host or the title has a variable that changes by itself, such as {DATA_LEFT}", nil
	}
	return "", nil
}
