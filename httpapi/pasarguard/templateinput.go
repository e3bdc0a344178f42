package pasarguard

import (
	"errors"
	"math"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/sluicehq/sluice/httpapi/detail"
	"github.com/sluicehq/sluice/kernel/domain"
	"github.com/sluicehq/sluice/kernel/username"
)

const (
	maxTemplateName = 64                       // characters
	maxGroups       = 1000                     // of one template: each is looked up
	maxDuration     = 100 * 365 * 24 * 60 * 60 // seconds: a hundred years, as the domain has it
)

// templateInput is a template as callers send it. Null is the same as absent: in a new template the default, in a stored
// one no change (decisions.md D13). Unknown fields are ignored.
type templateInput struct {
	Name           *string        `json:"name" doc:"1 to 64 characters, unique"`
	DataLimit      *int64         `json:"data_limit" doc:"bytes, 0 = none"`
	ExpireDuration *int64         `json:"expire_duration" doc:"seconds, 0 = users never expire"`
	UsernamePrefix *string        `json:"username_prefix" doc:"at most 20 characters"`
	UsernameSuffix *string        `json:"username_suffix" doc:"at most 20 characters"`
	GroupIDs       []int64        `json:"group_ids" doc:"an empty list leaves those of a stored template alone"`
	ExtraSettings  *extraSettings `json:"extra_settings"`
	Status         *string        `json:"status" doc:"active or on_hold"`
	ResetUsages    *bool          `json:"reset_usages" doc:"set the usage of a user to zero who is brought to the template"`
	OnHoldTimeout  *int64         `json:"on_hold_timeout" doc:"seconds after which a hold ends by itself, 0 = never"`
	PolicyInput
	IsDisabled *bool `json:"is_disabled" doc:"let nobody use the template"`
}

// missing adds what a new template needs and was not given.
func (in *templateInput) missing(faults detail.Fields) {
	if in.Name == nil {
		faults["name"] = noName
	}
	if len(in.GroupIDs) == 0 {
		faults["group_ids"] = badGroups
	}
}

// faults are what is wrong with it, whatever is stored, in the texts of decisions.md §3.
func (in *templateInput) faults() detail.Fields {
	faults := detail.Fields{}
	add := func(field, sentence string) {
		if sentence != "" {
			faults[field] = sentence
		}
	}
	add("name", nameFault(in.Name))
	add("username_prefix", affixFault("Prefix", in.UsernamePrefix))
	add("username_suffix", affixFault("Suffix", in.UsernameSuffix))
	add("data_limit", amountFault("Data limit", in.DataLimit, math.MaxInt64))
	add("expire_duration", amountFault("Expire duration", in.ExpireDuration, maxDuration))
	add("on_hold_timeout", amountFault("On hold timeout", in.OnHoldTimeout, maxDuration))
	if len(in.GroupIDs) > maxGroups {
		add("group_ids", "List should have at most 1000 items")
	}
	if in.Status != nil && *in.Status != activeStatus && *in.Status != onHoldStatus {
		add("status", "Input should be 'active' or 'on_hold'")
	}
	if extra := in.ExtraSettings; extra != nil {
		if _, ok := givenFlow(extra.Flow); !ok {
			add("flow", flowFault)
		}
		if _, ok := givenMethod(extra.Method); !ok {
			add("method", methodFault)
		}
	}
	return faults
}

const noName = "name can't be empty"

func nameFault(name *string) string {
	switch {
	case name == nil:
		return ""
	case strings.TrimSpace(*name) == "":
		return noName
	case utf8.RuneCountInString(*name) > maxTemplateName:
		return "Name too long"
	case strings.ContainsFunc(*name, unicode.IsControl):
		return invalidCharacters
	}
	return ""
}

const invalidCharacters = "Invalid characters"

func affixFault(what string, affix *string) string {
	if affix == nil {
		return ""
	}
	switch err := username.CheckAffix("", *affix); {
	case errors.Is(err, username.ErrAffixLength):
		return what + " too long"
	case err != nil:
		return invalidCharacters
	}
	return ""
}

func amountFault(what string, amount *int64, most int64) string {
	switch {
	case amount == nil:
		return ""
	case *amount < 0:
		return what + " must be 0 or greater"
	case *amount > most:
		return what + " is too large"
	}
	return ""
}

// edit changes a stored template, or a new one, and checks what its fields are together.
func (in *templateInput) edit(t *domain.Template) error {
	fill(&t.Name, in.Name)
	if in.DataLimit != nil {
		t.Quota = noneIfZero(*in.DataLimit)
	}
	if in.ExpireDuration != nil {
		t.Duration = milliseconds(*in.ExpireDuration)
	}
	if in.OnHoldTimeout != nil {
		t.HoldTimeout = noneIfZero(milliseconds(*in.OnHoldTimeout))
	}
	if in.UsernamePrefix != nil {
		t.Prefix = in.UsernamePrefix
	}
	if in.UsernameSuffix != nil {
		t.Suffix = in.UsernameSuffix
	}
	if len(in.GroupIDs) > 0 {
		t.Groups = once(in.GroupIDs)
	}
	if extra := in.ExtraSettings; extra != nil {
		t.HasExtra = true
		t.Flow, _ = givenFlow(extra.Flow) // faults has looked at both
		t.Method, _ = givenMethod(extra.Method)
	}
	if in.Status != nil {
		t.Hold = *in.Status == onHoldStatus
	}
	fill(&t.ResetUsage, in.ResetUsages)
	in.PolicyInput.edit(&t.ResetPolicy, &t.ResetParams)
	fill(&t.Disabled, in.IsDisabled)
	if t.Hold && (t.Duration == 0 || t.HoldTimeout == nil) { // decisions.md D9
		return detail.Fields{"status": noDuration}.Of()
	}
	return nil
}
