package pasarguard

import "github.com/sluicehq/sluice/httpapi/parameters"

// noReset is this dialect's name of the policy that never resets.
const noReset = "no_reset"

// policyNames are this dialect's names of the other dialect's periods (decisions.md §1.2, usage reset).
var policyNames = map[string]string{"": noReset, "never": noReset, "daily": "day", "weekly": "week", "monthly": "month"}

// shownPolicy is the name of a reset policy: PasarGuard's, else the id of its plugin.
func shownPolicy(id string) string {
	if name, ok := policyNames[id]; ok {
		return name
	}
	return id
}

// givenPolicy is the id of the policy that a caller names. Whoever sends what is shown already means no change: see
// PolicyInput.
func givenPolicy(name string) string {
	if name == noReset || name == "never" {
		return ""
	}
	return name
}

// PolicyInput is a reset policy as callers send it; what is absent or null leaves the stored one alone. It is exported
// because the API's document passes over embedded types that are not.
type PolicyInput struct {
	Strategy *string        `json:"data_limit_reset_strategy" doc:"no_reset, day, week, month, year, or the id of any loaded period plugin"`
	Params   map[string]any `json:"data_limit_reset_params" doc:"parameters of the strategy"`
}

// edit changes a stored policy and its parameters. What is given is compared with what was shown before: another strategy
// with the old one's parameters sent back has none.
func (p *PolicyInput) edit(policy, params *string) {
	shown := parameters.Text(parameters.Of(*params))
	if p.Strategy != nil && *p.Strategy != shownPolicy(*policy) {
		*policy, *params = givenPolicy(*p.Strategy), ""
	}
	if given := parameters.Text(p.Params); p.Params != nil && given != shown {
		*params = given
	}
}
