package httpapi

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/sluicehq/sluice/kernel/accounts"
	"github.com/sluicehq/sluice/kernel/domain"
)

func tokenJSON(id int, name, scope string, enabled bool, expiresAt int64) string {
	return fmt.Sprintf(`{"id":%d,"name":%q,"scope":%q,"enabled":%v,"expiresAt":%d,"createdAt":%d}`, id, name, scope, enabled, expiresAt, start/1000)
}

// newToken makes a token through the API and returns its secret.
func (b *bench) newToken(body, want string) string {
	b.t.Helper()
	got := b.panel(http.MethodPost, "/setting/apiTokens/create", body)
	var answer struct{ Obj struct{ Token string } }
	if err := json.Unmarshal([]byte(got), &answer); err != nil {
		b.t.Fatal(err)
	}
	want = success("", strings.TrimSuffix(want, "}")+fmt.Sprintf(`,"token":%q}`, answer.Obj.Token))
	if strings.TrimSpace(got) != want || !strings.HasPrefix(answer.Obj.Token, "sluice_") {
		b.t.Errorf("created %s\nwant    %s", got, want)
	}
	return answer.Obj.Token
}

// opens asks whether a token lets a request in, and a write.
func (b *bench) opens(secret string) (read, write bool) {
	b.t.Helper()
	ask := func(method, path string) bool {
		status, _, _ := httpRequest{method: method, path: "/panel/api" + path, token: secret}.send(b.t, b.url)
		return status == http.StatusOK
	}
	return ask(http.MethodGet, "/inbounds/list"), ask(http.MethodPost, "/inbounds/del/99")
}

func TestXUITokens(t *testing.T) {
	b := newBench(t)
	list := func(name string, tokens ...string) {
		t.Helper()
		b.run(t, b.url, []scenario{b.scenario(name, http.MethodGet, "/setting/apiTokens", "", success("", "["+strings.Join(tokens, ",")+"]"))})
	}
	admin := tokenJSON(1, "admin", "admin", true, 0)
	list("at first", admin)
	shop := b.newToken(`{"name":"shop","scope":null,"expiresAt":null}`, tokenJSON(2, "shop", "admin", true, 0))
	soon := start + 1000
	reader := b.newToken(fmt.Sprintf(`{"name":"reader","scope":"readonly","expiresAt":%d}`, soon), tokenJSON(3, "reader", "readonly", true, soon))
	list("with both", admin, tokenJSON(2, "shop", "admin", true, 0), tokenJSON(3, "reader", "readonly", true, soon))
	if read, write := b.opens(shop); !read || !write {
		t.Errorf("an admin token reads: %v, writes: %v", read, write)
	}
	if read, write := b.opens(reader); !read || write {
		t.Errorf("a readonly token reads: %v, writes: %v", read, write)
	}

	act := func(path, body string) {
		t.Helper()
		if got := b.panel(http.MethodPost, "/setting/apiTokens"+path, body); strings.TrimSpace(got) != success("", "null") {
			t.Errorf("%s %s answers %s", path, body, got)
		}
	}
	act("/setEnabled/2", `{"enabled":false,"expectedScope":"admin"}`)
	if read, _ := b.opens(shop); read {
		t.Error("a disabled token opens something")
	}
	list("with one disabled", admin, tokenJSON(2, "shop", "admin", false, 0), tokenJSON(3, "reader", "readonly", true, soon))
	before := b.changes()
	act("/setEnabled/2", `{"enabled":false}`)
	if b.changes() != before {
		t.Error("what is disabled already was written again")
	}
	act("/setEnabled/2", `{"enabled":true,"expectedScope":null}`)
	if read, write := b.opens(shop); !read || !write {
		t.Errorf("an enabled token reads: %v, writes: %v", read, write)
	}
	b.clock.Advance(time.Second)
	if read, _ := b.opens(reader); read {
		t.Error("an expired token opens something")
	}
	act("/delete/3", "")
	act("/delete/2", `{"expectedScope":"admin"}`)
	if read, _ := b.opens(shop); read {
		t.Error("a deleted token opens something")
	}
	list("at last", admin)
	act("/delete/1", "{}") // its own: what leaked can be closed with what leaked
	if read, _ := b.opens(b.admin); read {
		t.Error("a token that deleted itself opens something")
	}
}

func TestXUITokensRefuse(t *testing.T) {
	b := newBench(t)
	b.newToken(`{"name":"reader","scope":"readonly"}`, tokenJSON(2, "reader", "readonly", true, 0))
	create := func(name, body, sentence string) scenario {
		return b.scenario("create: "+name, http.MethodPost, "/setting/apiTokens/create", body, envelope(sentence))
	}
	enable := func(id, body, sentence string) scenario {
		return b.scenario("setEnabled/"+id+" "+body, http.MethodPost, "/setting/apiTokens/setEnabled/"+id, body, envelope(sentence))
	}
	remove := func(id, body, sentence string) scenario {
		return b.scenario("delete/"+id+" "+body, http.MethodPost, "/setting/apiTokens/delete/"+id, body, envelope(sentence))
	}
	b.run(t, b.url, []scenario{
		create("no body", "", "request body is required"),
		create("nothing", "{}", "name is required"),
		create("a number for a name", `{"name":7}`, "name must be a string"),
		create("65 characters", `{"name":"`+strings.Repeat("я", 65)+`"}`, "name is longer than 64 characters"),
		create("NUL", `{"name":"a\u0000"}`, "name must not contain control characters"),
		create("a name in use", `{"name":"reader"}`, "name already in use: reader"),
		create("3x-ui's monitor", `{"name":"a","scope":"monitor"}`, "scope must be admin or readonly"),
		create("a number for a scope", `{"name":"a","scope":7}`, "scope must be a string"),
		create("expired", fmt.Sprintf(`{"name":"a","expiresAt":%d}`, start), "expiresAt is in the past"),
		create("negative", `{"name":"a","expiresAt":-1}`, "expiresAt is in the past"),
		create("a fraction", `{"name":"a","expiresAt":1.5}`, "expiresAt must be an integer"),
		create("overflow", `{"name":"a","expiresAt":1e30}`, "expiresAt is out of range: 1e30"),

		enable("2", "", "request body is required"),
		enable("2", "{}", "enabled is required"),
		enable("2", `{"enabled":null}`, "enabled is required"),
		enable("2", `{"enabled":"yes"}`, "enabled must be a boolean"),
		enable("2", `{"enabled":false,"expectedScope":"admin"}`, "token not found with the scope admin"),
		enable("9", `{"enabled":false}`, "token not found"),
		enable("0", `{"enabled":false}`, "id must be a number >= 1"),
		enable("x", `{"enabled":false}`, "id must be an integer"),

		remove("2", "[", "the request body is not valid JSON: unexpected end of JSON input"),
		remove("2", `{"expectedScope":7}`, "expectedScope must be a string"),
		remove("2", `{"expectedScope":"admin"}`, "token not found with the scope admin"),
		remove("9", "", "token not found"),
		remove("1180591620717411303424", "", "id must be an integer"),
	})
}

// A token made through the API acts for the admin of the token that made it, and dies with that admin.
func TestXUITokenBelongsToItsMaker(t *testing.T) {
	b := newBench(t)
	boss, err := b.kernel.Accounts.CreateAdmin(t.Context(), "boss", "a good password", true)
	if err != nil {
		t.Fatal(err)
	}
	who := accounts.Principal{Admin: boss, Token: domain.Token{Scope: domain.ScopeAdmin}}
	_, secret, err := b.kernel.Accounts.CreateTokenFor(t.Context(), who, "boss", domain.ScopeAdmin, nil)
	if err != nil {
		t.Fatal(err)
	}
	status, _, body := httpRequest{method: http.MethodPost, path: "/panel/api/setting/apiTokens/create", token: secret, body: `{"name":"child"}`}.send(t, b.url)
	var answer struct{ Obj struct{ Token string } }
	if err := json.Unmarshal([]byte(body), &answer); err != nil || status != http.StatusOK {
		t.Fatalf("%d %s: %v", status, body, err)
	}
	if read, write := b.opens(answer.Obj.Token); !read || !write {
		t.Errorf("the new token reads: %v, writes: %v", read, write)
	}
	b.exec("UPDATE admins SET enabled = false WHERE username = 'boss'")
	if read, _ := b.opens(answer.Obj.Token); read {
		t.Error("the token lives on without its admin")
	}
	if read, _ := b.opens(b.admin); !read {
		t.Error("the other admin's token died")
	}
}
