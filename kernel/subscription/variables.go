package subscription

import (
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/sluicehq/sluice/kernel/domain"
)

// viewer is whom a text is told to, and of which endpoint: everything that variables can say.
type viewer struct {
	user   *domain.User
	status domain.Status
	used   int64          // bytes
	now    int64          // ms UTC
	zone   *time.Location // of dates
	owner  string         // the user's admin, "" where nothing names it

	door    *endpoint // nil = the text is of the whole subscription
	address string    // where clients would reach that without a host
	lot     lot
}

// forever stands where there is no limit, and nothing where there is no such thing.
const (
	forever = "∞"
	nothing = "-"
)

// variable is what may stand in braces in a text.
type variable struct {
	name  string
	moves bool   // what it says changes with time or traffic, without any commit: a body that has it can not be kept
	about string // in Markdown
	say   func(*viewer) string
}

// table is every variable, as the documentation shows them. Sizes are in units of 1024. Source of the names: PasarGuard
// hosts.
var table = []variable{
	{"USERNAME", false, "the user's name", func(v *viewer) string { return v.user.Username }},
	{"ADMIN_USERNAME", false, "the name of its admin", func(v *viewer) string { return v.owner }},
	{"DATA_USAGE", true, "what it has used since the last reset: `1.5 GB`", func(v *viewer) string { return size(v.used) }},
	{"DATA_LIMIT", false, "its quota, `∞` without one", func(v *viewer) string { return v.ofQuota(size) }},
	{"DATA_LEFT", true, "what is left of the quota, `∞` without one", func(v *viewer) string {
		return v.ofQuota(func(quota int64) string { return size(quota - v.used) })
	}},
	{"USAGE_PERCENTAGE", true, "the used part of the quota, without a sign: `33.33`", func(v *viewer) string { return v.ofQuota(v.percentage) }},
	{"DAYS_LEFT", true, "days until the expiry, begun ones count; `∞` without one", func(v *viewer) string { return v.ofTime(daysIn) }},
	{"TIME_LEFT", true, "the same in the two largest units: `11d 23h`", func(v *viewer) string { return v.ofTime(spell) }},
	{"EXPIRE_DATE", false, "the expiry in the time zone of the settings: `2026-12-31`", (*viewer).expireDate},
	{"STATUS_TEXT", false, "`Active`, `On hold`, `Expired`, `Limited` or `Disabled`", func(v *viewer) string { return statusTexts[v.status] }},
	{"STATUS_EMOJI", false, "the same as ✅ ⏸ ⌛ 🪫 ❌", func(v *viewer) string { return statusEmojis[v.status] }},
	{"PROTOCOL", false, "of the inbound: `vless`; `-` where there is none", func(v *viewer) string {
		return v.ofDoor(func(e *endpoint) string { return e.Protocol })
	}},
	{"TRANSPORT", false, "of the inbound, as the core spells it: `raw`, `ws`", func(v *viewer) string {
		return v.ofDoor(func(e *endpoint) string { return e.Transport.Network })
	}},
	{"SERVER_IP", false, "the address, or the name for it, that clients would have without the host", func(v *viewer) string {
		return v.ofDoor(func(*endpoint) string { return v.address })
	}},
}

var variables = func() map[string]variable {
	byName := make(map[string]variable, len(table))
	for _, v := range table {
		byName[v.name] = v
	}
	return byName
}()

// VariableTable is the variables as a table in Markdown, for the documentation.
func VariableTable() string {
	var b strings.Builder
	b.WriteString("| variable | what it says | changes by itself |\n|---|---|---|\n")
	for _, v := range table {
		moves := ""
		if v.moves {
			moves = "yes"
		}
		b.WriteString("| `{" + v.name + "}` | " + v.about + " | " + moves + " |\n")
	}
	return b.String()
}

// UnknownVariable is the first one in the text that is in no table, with its braces; "" = there is none.
func UnknownVariable(raw string) string {
	for _, found := range inBraces.FindAllString(raw, -1) {
		if _, known := variables[strings.Trim(found, "{}")]; !known {
			return found
		}
	}
	return ""
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

// text is something that clients are told, cut at its variables.
type text []part

// part is a literal, or what say answers.
type part struct {
	literal string
	say     func(*viewer) string // nil = literal
	moves   bool                 // as variable.moves
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
	if v, known := variables[strings.Trim(name, "{}")]; known {
		return part{say: v.say, moves: v.moves}
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

// moves says whether the text changes for one user without a commit.
func (t text) moves() bool { return slices.ContainsFunc(t, func(p part) bool { return p.moves }) }

func anyMoves(texts []text) bool { return slices.ContainsFunc(texts, text.moves) }

// namesOwner says whether a text names the user's admin, who is read for that alone.
func namesOwner(raw string) bool { return strings.Contains(raw, "{ADMIN_USERNAME}") }

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

func (v *viewer) ofDoor(say func(*endpoint) string) string {
	if v.door == nil {
		return nothing
	}
	return say(v.door)
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
		return nothing
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
