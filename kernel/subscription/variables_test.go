package subscription

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/sluicehq/sluice/kernel/domain"
)

func TestVariables(t *testing.T) {
	const gib = int64(1) << 30
	quota, half, soon, past, nothing := 2*gib, gib+gib/2, start+29*day+23*hour+59*minute, start-1, int64(0)
	active := &domain.User{Username: "alice", Quota: &quota, ExpireAt: &soon}
	free := &domain.User{Username: "bob"}
	late := int64(1_792_598_400_000) // 2026-10-21 16:00 UTC
	evening := &domain.User{Username: "frank", ExpireAt: &late}
	held := &domain.User{Username: "carol", HoldDuration: 30 * day}
	over := &domain.User{Username: "dave", ExpireAt: &past, Quota: &half}
	zero := &domain.User{Username: "eve", Quota: &nothing}
	for _, c := range []struct {
		raw, want string
		user      *domain.User
		status    domain.Status
		used      int64
	}{
		{"plain", "plain", active, domain.StatusActive, 0},
		{"", "", active, domain.StatusActive, 0},
		{"{USERNAME}", "alice", active, domain.StatusActive, 0},
		{"a {USERNAME}{USERNAME} b", "a alicealice b", active, domain.StatusActive, 0},
		{"{ADMIN_USERNAME}", "root", active, domain.StatusActive, 0},
		{"{PROTOCOL}-{TRANSPORT}", "trojan-ws", active, domain.StatusActive, 0},
		{"{SERVER_IP}", "vpn.example", active, domain.StatusActive, 0},
		{"{NOBODY_KNOWS}", "<missing>", active, domain.StatusActive, 0},
		{"{username}", "<missing>", active, domain.StatusActive, 0},
		{"{}", "{}", active, domain.StatusActive, 0},
		{"{ USERNAME }", "{ USERNAME }", active, domain.StatusActive, 0},
		{"{{USERNAME}}", "{alice}", active, domain.StatusActive, 0},
		{"{USERNAME", "{USERNAME", active, domain.StatusActive, 0},
		{"*", "*", active, domain.StatusActive, 0}, // in a remark

		{"{DATA_USAGE}", "0 B", active, domain.StatusActive, 0},
		{"{DATA_USAGE}", "1023 B", active, domain.StatusActive, 1023},
		{"{DATA_USAGE}", "1 KB", active, domain.StatusActive, 1024},
		{"{DATA_USAGE}", "1.21 GB", active, domain.StatusActive, 1_300_000_000},
		{"{DATA_USAGE}", "8 EB", active, domain.StatusActive, 1<<63 - 1},
		{"{DATA_LIMIT}", "2 GB", active, domain.StatusActive, 0},
		{"{DATA_LIMIT}", "∞", free, domain.StatusActive, 0},
		{"{DATA_LEFT}", "512 MB", active, domain.StatusActive, gib + gib/2},
		{"{DATA_LEFT}", "0 B", active, domain.StatusLimited, 3 * gib},
		{"{DATA_LEFT}", "∞", free, domain.StatusActive, 5},
		{"{USAGE_PERCENTAGE}", "75", active, domain.StatusActive, gib + gib/2},
		{"{USAGE_PERCENTAGE}", "33.33", active, domain.StatusActive, 2 * gib / 3},
		{"{USAGE_PERCENTAGE}", "100", zero, domain.StatusLimited, 0},
		{"{USAGE_PERCENTAGE}", "∞", free, domain.StatusActive, 5},

		{"{DAYS_LEFT}", "30", active, domain.StatusActive, 0},
		{"{DAYS_LEFT}", "30", held, domain.StatusOnHold, 0},
		{"{DAYS_LEFT}", "0", over, domain.StatusExpired, 0},
		{"{DAYS_LEFT}", "∞", free, domain.StatusActive, 0},
		{"{TIME_LEFT}", "29d 23h", active, domain.StatusActive, 0},
		{"{TIME_LEFT}", "30d 0h", held, domain.StatusOnHold, 0},
		{"{TIME_LEFT}", "0m", over, domain.StatusExpired, 0},
		{"{TIME_LEFT}", "∞", free, domain.StatusActive, 0},
		{"{EXPIRE_DATE}", "2026-10-22", evening, domain.StatusActive, 0}, // in Tokyo; in UTC it is the 21st
		{"{EXPIRE_DATE}", "-", held, domain.StatusOnHold, 0},
		{"{EXPIRE_DATE}", "∞", free, domain.StatusActive, 0},

		{"{STATUS_EMOJI} {STATUS_TEXT}", "✅ Active", active, domain.StatusActive, 0},
		{"{STATUS_EMOJI} {STATUS_TEXT}", "⏸ On hold", held, domain.StatusOnHold, 0},
		{"{STATUS_EMOJI} {STATUS_TEXT}", "⌛ Expired", over, domain.StatusExpired, 0},
		{"{STATUS_EMOJI} {STATUS_TEXT}", "🪫 Limited", active, domain.StatusLimited, 0},
		{"{STATUS_EMOJI} {STATUS_TEXT}", "❌ Disabled", active, domain.StatusDisabled, 0},
	} {
		t.Run(c.raw+" of "+c.user.Username, func(t *testing.T) {
			door := &endpoint{}
			door.Protocol, door.Transport.Network = "trojan", "ws"
			v := &viewer{
				user: c.user, status: c.status, used: c.used, now: start, zone: time.FixedZone("Tokyo", 9*60*60), owner: "root",
				door: door, address: "vpn.example",
			}
			if got := newText(c.raw).tell(v); got != c.want {
				t.Errorf("%q, want %q", got, c.want)
			}
		})
	}
}

// Every variable says something for everybody, and what it says is not the sign of an unknown one.
func TestEveryVariableSaysSomething(t *testing.T) {
	for name := range variables {
		for _, status := range []domain.Status{
			domain.StatusActive, domain.StatusOnHold, domain.StatusExpired, domain.StatusLimited, domain.StatusDisabled,
		} {
			door := &endpoint{}
			door.Protocol, door.Transport.Network = "vless", "raw"
			v := &viewer{user: &domain.User{Username: "a"}, status: status, zone: time.UTC, owner: "root", door: door, address: "a.example"}
			if got := newText("{" + name + "}").tell(v); got == "" || strings.ContainsAny(got, "<{") {
				t.Errorf("%s of a user who is %s: %q", name, status, got)
			}
		}
	}
}

func TestSpell(t *testing.T) {
	for ms, want := range map[int64]string{
		0: "0m", minute - 1: "0m", 59 * minute: "59m", hour: "1h 0m", day - 1: "23h 59m", day: "1d 0h", 400*day + 5*hour: "400d 5h",
	} {
		if got := spell(ms); got != want {
			t.Errorf("%d ms: %q, want %q", ms, got, want)
		}
	}
}

func TestExample(t *testing.T) {
	for raw, want := range map[string]string{
		"vpn.example": "vpn.example", "{USERNAME}.example": "user.example", "*.{PROTOCOL}.example": "0000000000000000.vless.example",
		"{SERVER_IP}": "example.com", "{TYPO}.example": "<missing>.example", "{DATA_LEFT}.example": "∞.example",
	} {
		if got := Example(raw); got != want {
			t.Errorf("%s: %q, want %q", raw, got, want)
		}
	}
}

// What is told of the whole subscription has no endpoint.
func TestVariablesWithoutAnEndpoint(t *testing.T) {
	v := &viewer{user: &domain.User{Username: "alice"}, status: domain.StatusActive, zone: time.UTC}
	if got := newText("{USERNAME} {PROTOCOL} {TRANSPORT} {SERVER_IP}").tell(v); got != "alice - - -" {
		t.Errorf("got %q", got)
	}
}

// A variable moves exactly if it says something else after a while, or after some bytes, of the same user.
func TestVariablesThatMove(t *testing.T) {
	quota, expire := int64(1<<30), start+5*day
	user := &domain.User{Username: "alice", Quota: &quota, ExpireAt: &expire}
	door := &endpoint{}
	door.Protocol, door.Transport.Network = "vless", "raw"
	for _, known := range table {
		seen := map[string]bool{}
		for i := range int64(3) {
			v := &viewer{
				user: user, status: domain.StatusActive, used: i << 25, now: start + i*day + i*hour, zone: time.UTC, owner: "root",
				door: door, address: "a.example",
			}
			seen[newText("{"+known.name+"}").tell(v)] = true
		}
		if moves := len(seen) > 1; moves != known.moves || newText("x {"+known.name+"}").moves() != known.moves {
			t.Errorf("%s says %v, and moves: %v", known.name, seen, known.moves)
		}
	}
}

func TestUnknownVariable(t *testing.T) {
	for raw, want := range map[string]string{
		"": "", "plain {} { USERNAME } *": "", "{USERNAME} {DATA_LEFT}": "", "a {username} {X}": "{username}", "{USERNAME}{TYPO}": "{TYPO}",
	} {
		if got := UnknownVariable(raw); got != want {
			t.Errorf("%q: %q, want %q", raw, got, want)
		}
	}
}

// The README is where an operator looks for them.
func TestVariablesAreInTheReadme(t *testing.T) {
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, behind, found := strings.Cut(string(readme), "<!-- variables -->\n")
	got, _, ended := strings.Cut(behind, "<!-- /variables -->")
	if !found || !ended || got != VariableTable() {
		t.Errorf("between <!-- variables --> and <!-- /variables --> the README has\n%s\nwant\n%s", got, VariableTable())
	}
}
