package subscription

import (
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/sluicehq/sluice/kernel/domain"
)

// viewer is whom a host is told to, and which host: everything that variables can say.
type viewer struct {
	user   *domain.User
	status domain.Status
	used   int64          // bytes
	now    int64          // ms UTC
	zone   *time.Location // of dates
	owner  string         // the user's admin, "" where no host names it

	door    *endpoint // what is behind the host
	address string    // where clients would reach that without the host
	lot     lot
}

// forever stands where there is no limit.
const forever = "∞"

// variables are what may stand in braces in a remark, an address, a path, a host name or an SNI. Sizes are in units of
// 1024. Source of the names: PasarGuard hosts.
var variables = map[string]func(*viewer) string{
	"USERNAME":         func(v *viewer) string { return v.user.Username },
	"ADMIN_USERNAME":   func(v *viewer) string { return v.owner },
	"DATA_USAGE":       func(v *viewer) string { return size(v.used) }, // since the last reset
	"DATA_LIMIT":       func(v *viewer) string { return v.ofQuota(size) },
	"DATA_LEFT":        func(v *viewer) string { return v.ofQuota(func(quota int64) string { return size(quota - v.used) }) },
	"USAGE_PERCENTAGE": func(v *viewer) string { return v.ofQuota(v.percentage) }, // without a % sign
	"DAYS_LEFT":        func(v *viewer) string { return v.ofTime(daysIn) },        // begun ones count
	"TIME_LEFT":        func(v *viewer) string { return v.ofTime(spell) },         // such as 29d 23h
	"EXPIRE_DATE":      (*viewer).expireDate,
	"STATUS_TEXT":      func(v *viewer) string { return statusTexts[v.status] },
	"STATUS_EMOJI":     func(v *viewer) string { return statusEmojis[v.status] },
	"PROTOCOL":         func(v *viewer) string { return v.door.Protocol },
	"TRANSPORT":        func(v *viewer) string { return v.door.Transport.Network }, // as the core spells it: raw, ws...
	"SERVER_IP":        func(v *viewer) string { return v.address },                // or the name that stands for it
}

// unknownVariable stands in the place of a variable that is in no table: visible, so that a typo is found.
const unknownVariable = "<missing>"

var statusTexts = map[domain.Status]string{
	domain.StatusActive: "Active", domain.StatusOnHold: "On hold", domain.StatusExpired: "Expired",
	domain.StatusLimited: "Limited", domain.StatusDisabled: "Disabled",
}

var statusEmojis = map[domain.Status]string{
	domain.StatusActive: "✅", domain.StatusOnHold: "⏸", domain.StatusExpired: "⌛", domain.StatusLimited: "🪫",
	domain.StatusDisabled: "❌",
}

// text is something that a host says, cut at its variables.
type text []part

// part is a literal, or what say answers.
type part struct {
	literal string
	say     func(*viewer) string // nil = literal
}

var inBraces, inBracesOrStar = regexp.MustCompile(`\{\w+\}`), regexp.MustCompile(`\{\w+\}|\*`)

// newText finds the variables in what stands in a remark or a path, where a * is a *.
func newText(raw string) text { return cutAt(inBraces, raw) }

// newName finds the variables in an address, an SNI or a host name. A * in it is random letters of the user's own, the
// same in every name of one host: certificates for *.example.com fit any of them.
func newName(raw string) text { return cutAt(inBracesOrStar, raw) }

func cutAt(variable *regexp.Regexp, raw string) (t text) {
	at := 0
	for _, found := range variable.FindAllStringIndex(raw, -1) {
		if found[0] > at {
			t = append(t, part{literal: raw[at:found[0]]})
		}
		t, at = append(t, variableNamed(raw[found[0]:found[1]])), found[1]
	}
	if at < len(raw) {
		t = append(t, part{literal: raw[at:]})
	}
	return t
}

func variableNamed(name string) part {
	if name == "*" {
		return part{say: func(v *viewer) string { return v.lot.letters() }}
	}
	if say, known := variables[strings.Trim(name, "{}")]; known {
		return part{say: say}
	}
	return part{literal: unknownVariable}
}

// fixed says whether the text is the same for everybody.
func (t text) fixed() bool {
	for _, p := range t {
		if p.say != nil {
			return false
		}
	}
	return true
}

// tell is the text as the viewer reads it. A fixed one needs no viewer.
func (t text) tell(v *viewer) string {
	if len(t) == 1 && t[0].say == nil {
		return t[0].literal
	}
	var b strings.Builder
	for _, p := range t {
		if p.say == nil {
			b.WriteString(p.literal)
		} else {
			b.WriteString(p.say(v))
		}
	}
	return b.String()
}

// Example is an address, an SNI or a host name of a host with an example in the place of every variable and of every *.
// Variables that can be no part of a name stay visible, as others would in a link.
func Example(raw string) string {
	door := &endpoint{}
	door.Protocol, door.Transport.Network = "vless", "ws"
	return newName(raw).tell(&viewer{
		user: &domain.User{Username: "user"}, status: domain.StatusActive, zone: time.UTC, owner: "admin",
		door: door, address: "example.com",
	})
}

func (v *viewer) ofQuota(say func(quota int64) string) string {
	if v.user.Quota == nil {
		return forever
	}
	return say(*v.user.Quota)
}

func (v *viewer) percentage(quota int64) string {
	if quota == 0 { // all of nothing
		return "100"
	}
	return short(float64(v.used) / float64(quota) * 100)
}

// ofTime says what is left: of a user on hold, all that it will get.
func (v *viewer) ofTime(say func(ms int64) string) string {
	switch {
	case v.status == domain.StatusOnHold:
		return say(v.user.HoldDuration)
	case v.user.ExpireAt == nil:
		return forever
	}
	return say(max(*v.user.ExpireAt-v.now, 0))
}

func (v *viewer) expireDate() string {
	switch {
	case v.status == domain.StatusOnHold: // nobody knows yet
		return "-"
	case v.user.ExpireAt == nil:
		return forever
	}
	return time.UnixMilli(*v.user.ExpireAt).In(v.zone).Format(time.DateOnly)
}

const (
	minute = int64(60_000) // ms
	hour   = 60 * minute
	day    = 24 * hour
)

func daysIn(ms int64) string { return strconv.FormatInt((ms+day-1)/day, 10) }

// spell writes a time in its two largest units.
func spell(ms int64) string {
	days, hours, minutes := strconv.FormatInt(ms/day, 10)+"d", strconv.FormatInt(ms%day/hour, 10)+"h", strconv.FormatInt(ms%hour/minute, 10)+"m"
	switch {
	case ms >= day:
		return days + " " + hours
	case ms >= hour:
		return hours + " " + minutes
	}
	return minutes
}

// size writes bytes in the largest unit that there is at least one of; less than nothing is nothing.
func size(bytes int64) string {
	n, unit := float64(max(bytes, 0)), 0
	units := [...]string{"B", "KB", "MB", "GB", "TB", "PB", "EB"}
	for n >= 1024 && unit < len(units)-1 {
		n, unit = n/1024, unit+1
	}
	return short(n) + " " + units[unit]
}

// short writes a number with at most two decimals.
func short(n float64) string { return strconv.FormatFloat(math.Round(n*100)/100, 'f', -1, 64) }
