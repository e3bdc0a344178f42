package outline_test

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/sluicehq/sluice/plugins/outline"
	"github.com/sluicehq/sluice/plugins/profile"
	"github.com/sluicehq/sluice/plugins/profile/profiletest"
	"github.com/sluicehq/sluice/sdk/wire"
)

func render(t *testing.T, f *profile.Format, req *wire.FormatRequest, to any) (left int) {
	t.Helper()
	body, left := new(profile.Renderer).Render(f, req)
	if err := json.Unmarshal(body, to); err != nil {
		t.Fatalf("%v in %.2000s", err, body)
	}
	return left
}

func TestEntries(t *testing.T) {
	profiletest.Golden(t, &outline.List, "testdata/entries.golden", func(body string) string {
		return profiletest.Between(t, body, `"servers":[`, "]}\n")
	})
}

func TestPreparedGivesTheSame(t *testing.T) {
	profiletest.Stable(t, &outline.Key)
	profiletest.Stable(t, &outline.List)
}

// servers are shadowsocks endpoints with an account each.
func servers(methods ...string) *wire.FormatRequest {
	req := new(wire.FormatRequest)
	for i, method := range methods {
		req.Endpoints = append(req.Endpoints, wire.Endpoint{
			InboundID: 1, Protocol: "shadowsocks", Address: "a.example.com", Port: uint32(1000 + i),
			Shadowsocks: wire.Shadowsocks{Method: method, ServerKey: "SERVER=="},
		})
		req.Accounts = append(req.Accounts, wire.Account{Password: "user==", Remark: "r"})
	}
	return req
}

// TestKey takes the first server that Outline can use, and nothing but the members that it knows.
func TestKey(t *testing.T) {
	var got map[string]any
	left := render(t, &outline.Key, servers("2022-blake3-aes-128-gcm", "xchacha20-ietf-poly1305", "aes-256-gcm", "aes-128-gcm"), &got)
	want := map[string]any{"server": "a.example.com", "server_port": 1002.0, "method": "aes-256-gcm", "password": "user=="}
	if !reflect.DeepEqual(got, want) || left != 3 {
		t.Errorf("got %v, %d left out; want %v", got, left, want)
	}
}

func TestKeyOfNobody(t *testing.T) {
	for name, req := range map[string]*wire.FormatRequest{"nothing": {}, "2022 only": servers("2022-blake3-aes-128-gcm")} {
		var got struct{ Error struct{ Message string } }
		render(t, &outline.Key, req, &got)
		if want := "This subscription has no server that Outline can use."; got.Error.Message != want {
			t.Errorf("%s: got %q, want %q", name, got.Error.Message, want)
		}
	}
}

// TestOnlyBareShadowsocks leaves out what a shadowsocks client can not reach.
func TestOnlyBareShadowsocks(t *testing.T) {
	for name, change := range map[string]func(e *wire.Endpoint){
		"protocol":  func(e *wire.Endpoint) { e.Protocol = "trojan" },
		"transport": func(e *wire.Endpoint) { e.Transport.Network = "ws" },
		"header":    func(e *wire.Endpoint) { e.Transport.HeaderType = "http" },
		"security":  func(e *wire.Endpoint) { e.Security.Kind = "tls" },
		"mask":      func(e *wire.Endpoint) { e.Finalmask = `{"tcp":[{"type":"sudoku"}]}` },
		"link":      func(e *wire.Endpoint) { e.RawURI = "ss://a" },
	} {
		for _, f := range []*profile.Format{&outline.Key, &outline.List} {
			req := servers("aes-128-gcm")
			change(&req.Endpoints[0])
			if left := render(t, f, req, new(any)); left != 1 {
				t.Errorf("another %s: %d left out", name, left)
			}
		}
	}
}

type list struct {
	Version int
	Servers []struct {
		ID, Remarks, Server, Method, Password string
		ServerPort                            int `json:"server_port"`
	}
}

func TestList(t *testing.T) {
	var got, again list
	if left := render(t, &outline.List, servers("2022-blake3-aes-128-gcm", "aes-128-gcm", "aes-128-gcm"), &got); left != 0 {
		t.Errorf("%d left out", left)
	}
	render(t, &outline.List, servers("2022-blake3-aes-128-gcm"), &again)
	if got.Version != 1 || len(got.Servers) != 3 {
		t.Fatalf("got %+v", got)
	}
	if s := got.Servers; s[0].Password != "SERVER==:user==" || s[1].Password != "user==" || s[1].Remarks != "r 2" || s[1].ServerPort != 1001 {
		t.Errorf("got %+v", s)
	}
	if got.Servers[0].ID != again.Servers[0].ID || got.Servers[0].ID == got.Servers[1].ID {
		t.Errorf("ids: %s, then %s; the other %s", got.Servers[0].ID, again.Servers[0].ID, got.Servers[1].ID)
	}
	if id, err := uuid.Parse(got.Servers[0].ID); err != nil || id.Version() != 8 || id.Variant() != uuid.RFC4122 {
		t.Errorf("%s: %v, version %d", got.Servers[0].ID, err, id.Version())
	}
}

func TestEmptyList(t *testing.T) {
	body, _ := new(profile.Renderer).Render(&outline.List, new(wire.FormatRequest))
	if got := strings.TrimSpace(string(body)); got != `{"version":1,"servers":[]}` {
		t.Errorf("got %s", got)
	}
}

func FuzzRender(f *testing.F) {
	profiletest.Fuzz(f, &outline.List, func(body []byte) error { return json.Unmarshal(body, new(list)) })
}
