package xui

import (
	"github.com/sluicehq/sluice/httpapi/parameters"
	"github.com/sluicehq/sluice/kernel/domain"
)

// never is this dialect's name of the policy that never resets.
const never = "never"

// resetNames are this dialect's names of the other dialect's periods.
var resetNames = map[string]string{"": never, "no_reset": never, "day": "daily", "week": "weekly", "month": "monthly"}

func shownReset(policy string) string {
	if name, ok := resetNames[policy]; ok {
		return name
	}
	return policy
}

// resetPolicy is the policy and its parameters after a change of the given ones. What is given is compared with what was
// shown before: another policy with the old parameters sent back has none.
func (c *ClientInput) resetPolicy(policy, params string) (string, string, error) {
	shownDay, shownParams := shownResetDay(policy, params), parameters.Text(parameters.Of(params))
	if given := c.TrafficReset.Or(shownReset(policy)); given != shownReset(policy) {
		policy, params = given, ""
	}
	if policy == never {
		policy = ""
	}
	switch day := c.TrafficResetDay.Or(shownDay); {
	case day < 0 || day > 31:
		return "", "", domain.Invalid("trafficResetDay", "must be between 0 and 31")
	case day == shownDay || shownReset(policy) != "monthly":
	case day == 0:
		params = ""
	default: // of the calendar, also for who had months of 30 days
		policy, params = "monthly", parameters.Text(map[string]any{"day": day})
	}
	if given := parameters.Text(c.TrafficResetParams.Value); c.TrafficResetParams.Set && given != shownParams {
		params = given
	}
	return policy, params, nil
}

// shownResetDay is the day of the month on which usage is reset, 1 for everything that is not monthly, as 3x-ui has it.
func shownResetDay(policy, params string) int {
	if day, ok := parameters.Of(params)["day"].(float64); ok && policy == "monthly" {
		return int(day)
	}
	return 1
}

// shownParams are the parameters of a period, an object also when there are none.
func shownParams(stored string) map[string]any {
	if params := parameters.Of(stored); params != nil {
		return params
	}
	return map[string]any{}
}

// resetPolicy is a reset policy as it is stored.
type resetPolicy struct {
	ID     string         `json:"id"`
	Params map[string]any `json:"params"`
	NextAt int64          `json:"next_at" doc:"ms since the epoch of the next reset, 0 = none"`
}

func newResetPolicy(u *domain.User) *resetPolicy {
	if u.ResetPolicy == "" {
		return nil
	}
	return &resetPolicy{u.ResetPolicy, shownParams(u.ResetParams), orZero(u.NextResetAt)}
}
