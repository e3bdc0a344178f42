package periods

import (
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/sluicehq/sluice/sdk"
)

// params are the parameters of a request, as the kernel has checked them against the schema. What could do harm here is
// checked once more. They are read by hand because encoding/json would make the bundle half as large again.
type params struct {
	members []member
	err     error // the first, nil = none
}

// member is a member of a JSON object: its value as it is written.
type member struct{ name, value string }

// read takes a flat JSON object apart; "" is one without members.
func read(object string) *params {
	p := &params{}
	rest := strings.TrimSpace(object)
	if rest == "" {
		return p
	}
	for separator := "{"; ; separator = "," {
		var name, value string
		var ok bool
		if rest, ok = strings.CutPrefix(rest, separator); !ok {
			break
		}
		if rest = strings.TrimSpace(rest); rest == "}" && separator == "{" {
			return p
		}
		name, rest = word(rest)
		if rest, ok = strings.CutPrefix(rest, ":"); !ok {
			break
		}
		value, rest = word(strings.TrimSpace(rest))
		name, err := strconv.Unquote(name)
		if err != nil || value == "" {
			break
		}
		p.members = append(p.members, member{name, value})
		if rest == "}" {
			return p
		}
	}
	p.err = sdk.Invalid("the parameters are not an object of numbers and strings")
	return p
}

// word cuts the string, number or name off the beginning of s. It is "" if there is none.
func word(s string) (word, rest string) {
	end := strings.IndexAny(s, " \t\r\n,:{}[]\"")
	if strings.HasPrefix(s, `"`) {
		for end = 1; end < len(s) && s[end] != '"'; end++ {
			if s[end] == '\\' {
				end++
			}
		}
		end++
	}
	if end < 0 || end > len(s) {
		return "", ""
	}
	return s[:end], strings.TrimSpace(s[end:])
}

// whole is the whole number of that name, which may be written as 2 or 2.0; ok is false if it is absent.
func (p *params) whole(name string, least, most int64) (n int64, ok bool) {
	for _, m := range slices.Backward(p.members) { // of two with one name the last counts, as everywhere
		if m.name != name {
			continue
		}
		f, err := strconv.ParseFloat(m.value, 64)
		if err != nil || f != math.Trunc(f) || f < float64(least) || f > float64(most) {
			p.refuse(name + " must be " + strconv.FormatInt(least, 10) + " to " + strconv.FormatInt(most, 10))
			return 0, false
		}
		return int64(f), true
	}
	return 0, false
}

// refuse keeps the first thing that is wrong.
func (p *params) refuse(why string) {
	if p.err == nil {
		p.err = sdk.Invalid(why)
	}
}
