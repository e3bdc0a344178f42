package httpapi

import (
	"fmt"
	"strings"
	"testing"
)

// extras are a client that has all that only the other dialect can set, as an export has it.
const extras = `"groups":["second","first"],"vmessId":"2f6f0b6e-0c5c-4f43-9a3a-7a4a2f6c5d12","shadowsocksPassword":"shadow",` +
	`"method":"aes-128-gcm","expiryTime":-1000,"holdTimeout":1900000000000,` +
	`"nextPlan":{"userTemplateId":null,"dataLimit":5,"expire":1500,"addRemainingTraffic":true}`

// Groups of an export are made, in its order, where there are none: without inbounds, so that the clients keep theirs.
func TestXUIExtras(t *testing.T) {
	b := newBench(t)
	b.inbound(1)
	b.must("/clients/add", `{"client":{"email":"alice",`+extras+`},"inboundIds":[1]}`)
	exported := b.exportText()
	for _, member := range append(strings.Split(extras, `,"`), `"group":"second"`, `"inboundIds":[1]`) {
		if !strings.Contains(exported, strings.TrimPrefix(member, `"`)) {
			t.Errorf("%s is not in %s", member, exported)
		}
	}
	for _, want := range [][2]string{
		{"SELECT name FROM groups ORDER BY id", "[second]\n[first]\n"},
		{"SELECT inbound_id FROM group_inbounds", ""},
		{"SELECT inbound_id FROM user_inbounds", "[1]\n"},
		{"SELECT group_id FROM user_groups ORDER BY position", "[1]\n[2]\n"},
		{
			"SELECT vmess_id, shadowsocks_password, method, hold_duration, hold_timeout FROM users",
			"[2f6f0b6e-0c5c-4f43-9a3a-7a4a2f6c5d12 shadow aes-128-gcm 1000 1900000000000]\n",
		},
		{"SELECT has_next_plan, next_quota, next_duration, next_carries_over FROM users WHERE next_template IS NULL", "[1 5 1500 1]\n"},
	} {
		if got := b.rows(want[0]); got != want[1] {
			t.Errorf("%s: %q, want %q", want[0], got, want[1])
		}
	}
}

// What is wrong with the extras of a client is a reason of its own: the others are made.
func TestXUIExtrasRefused(t *testing.T) {
	for _, c := range []struct{ name, members, reason string }{
		{"an unknown template", `"nextPlan":{"userTemplateId":9}`, "template not found"},
		{"a quota below 0", `"nextPlan":{"dataLimit":-1}`, "nextPlan.dataLimit must be more than 0 bytes"},
		{"a time below 0", `"nextPlan":{"expire":-1}`, "nextPlan.expire must be between 0 and 100 years"},
		{"a timeout below 0", `"expiryTime":-1,"holdTimeout":-1`, "holdTimeout must not be negative"},
		{"another first group", `"group":"b","groups":["a","b"]`, "groups must begin with the group of the field group"},
		{"a group without a name", `"groups":["a",""]`, "group name is required"},
		{"an unknown method", `"method":"rot13"`, "method must be one of aes-128-gcm, aes-256-gcm, chacha20-ietf-poly1305, xchacha20-poly1305"},
		{"no uuid", `"vmessId":"x"`, "uuid is not a valid UUID"},
		{"a uuid of another", `"vmessId":"2f6f0b6e-0c5c-4f43-9a3a-7a4a2f6c5d12"`, "uuid is already in use"},
		{"a password of another", `"shadowsocksPassword":"shadow"`, "password is already in use"},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBench(t)
			b.inbound(1)
			text := fmt.Sprintf(`[{"client":{"email":"alice",%s}},{"client":{"email":"bob",%s}},{"client":{"email":"carol"}}]`, extras, c.members)
			want := success("", fmt.Sprintf(`{"created":2,"skipped":[{"email":"bob","reason":%q}]}`, c.reason))
			if got := b.importText("", text); got != want {
				t.Errorf("imported %s\nwant     %s", got, want)
			}
			if got := b.rows("SELECT name FROM groups ORDER BY id"); got != "[second]\n[first]\n" {
				t.Errorf("there are the groups %s", got)
			}
		})
	}
}

// Absent, null and empty extras are those of a plain client, whose export has none.
func TestXUINoExtras(t *testing.T) {
	b := newBench(t)
	b.inbound(1)
	text := `[{"client":{"email":"a"}},` +
		`{"client":{"email":"b","vmessId":null,"shadowsocksPassword":null,"method":null,"groups":null,"holdTimeout":null,"nextPlan":null}},` +
		`{"client":{"email":"c","vmessId":"","shadowsocksPassword":"","method":"","groups":[],"holdTimeout":0,"group":"one"}},` +
		`{"client":{"email":"d","holdTimeout":5,"groups":["one"]}}]`
	if got, want := b.importText("", text), success("", `{"created":4,"skipped":[]}`); got != want {
		t.Fatalf("imported %s, want %s", got, want)
	}
	exported := b.exportText()
	for _, member := range []string{"vmessId", "shadowsocksPassword", "method", "groups", "holdTimeout", "nextPlan"} {
		if strings.Contains(exported, `"`+member+`"`) {
			t.Errorf("%s is in %s", member, exported)
		}
	}
}
