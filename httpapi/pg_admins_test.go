package httpapi

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/sluicehq/sluice/kernel/domain"
)

// strong is a password that the PasarGuard dialect takes.
const strong = "CORRECT-horse-77"

// pg is the answer to a request of the sudo admin to the PasarGuard dialect.
func (b *bench) pg(method, path, body string, status int) string {
	b.t.Helper()
	got, _, text := httpRequest{method: method, path: "/api" + path, token: b.admin, body: body}.send(b.t, b.url)
	if got != status {
		b.t.Fatalf("%s %s: %d %s", method, path, got, text)
	}
	return strings.TrimSuffix(text, "\n")
}

// newOperator makes an admin through the API.
func (b *bench) newOperator(name string, sudo bool) {
	b.t.Helper()
	b.pg(http.MethodPost, "/admin", fmt.Sprintf(`{"username":%q,"password":%q,"is_sudo":%v}`, name, strong, sudo), http.StatusCreated)
}

// login sends a login as scripts do.
func login(username, password string) httpRequest {
	return httpRequest{
		method: http.MethodPost, path: "/api/admin/token", body: "grant_type=password&username=" + username + "&password=" + password,
		headers: map[string]string{"Content-Type": "application/x-www-form-urlencoded"},
	}
}

// session is the JWT of an admin with the strong password.
func (b *bench) session(name string) string {
	b.t.Helper()
	status, _, text := login(name, strong).send(b.t, b.url)
	var answer struct {
		Token string `json:"access_token"`
		Type  string `json:"token_type"`
	}
	err := json.Unmarshal([]byte(text), &answer)
	want := fmt.Sprintf(`{"access_token":%q,"token_type":"bearer"}`, answer.Token)
	if status != http.StatusOK || err != nil || strings.TrimSpace(text) != want || strings.Count(answer.Token, ".") != 2 {
		b.t.Fatalf("login of %s: %d %s", name, status, text)
	}
	return answer.Token
}

// A login is a form of either kind, or JSON; what it gives opens both dialects.
func TestLogin(t *testing.T) {
	b := newBench(t)
	b.newOperator("boss", true)
	const parts = "--x\r\nContent-Disposition: form-data; name=\"%s\"\r\n\r\n%s\r\n"
	multipart := fmt.Sprintf(parts, "username", "BOSS") + fmt.Sprintf(parts, "password", strong) + "--x--\r\n"
	for _, c := range []struct{ name, kind, body string }{
		{"a form", "application/x-www-form-urlencoded", "grant_type=password&username=boss&password=" + strong},
		{"a form, without its grant", "application/x-www-form-urlencoded; charset=utf-8", "password=" + strong + "&username=boss"},
		{"a form, with an empty grant and more", "application/x-www-form-urlencoded", "grant_type=&scope=&client_id=x&username=b%6Fss&password=" + strong},
		{"parts", `multipart/form-data; boundary=x`, multipart},
		{"JSON", "application/json", fmt.Sprintf(`{"username":"boss","password":%q}`, strong)},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := login("", "")
			r.body, r.headers["Content-Type"] = c.body, c.kind
			status, _, text := r.send(t, b.url)
			var answer struct {
				Token string `json:"access_token"`
			}
			if err := json.Unmarshal([]byte(text), &answer); err != nil || status != http.StatusOK {
				t.Fatalf("%d %s", status, text)
			}
			b.run(t, b.url, []scenario{
				{name: "PasarGuard", req: httpRequest{method: http.MethodGet, path: "/api/admin", token: answer.Token}, has: []string{`"username":"boss"`}},
				{name: "3x-ui", req: httpRequest{method: http.MethodGet, path: "/panel/api/inbounds/list", token: answer.Token}, has: []string{`"success":true`}},
			})
		})
	}
}

func TestLoginRefuses(t *testing.T) {
	b := newBench(t)
	b.newOperator("boss", true)
	b.newOperator("gone", false)
	b.pg(http.MethodPut, "/admin/gone", `{"is_disabled":true}`, http.StatusOK)
	with := func(kind, body string) httpRequest {
		r := login("", "")
		r.body, r.headers["Content-Type"] = body, kind
		return r
	}
	const form = "application/x-www-form-urlencoded"
	const wrong = `{"detail":"Incorrect username or password"}`
	atSlash := login("boss", "wrong")
	atSlash.path += "/"
	inURL := login("", "")
	inURL.path, inURL.body = inURL.path+"?username=boss&password="+strong, ""
	b.run(t, b.url, []scenario{
		{name: "another password", req: login("boss", "wrong"), status: 401, want: wrong},
		{name: "another password, at the path with a slash", req: atSlash, status: 401, want: wrong},
		{name: "nobody", req: login("nobody", strong), status: 401, want: wrong},
		{name: "empty words", req: login("", ""), status: 401, want: wrong},
		{name: "disabled, another password", req: login("gone", "wrong"), status: 401, want: wrong},
		{name: "disabled", req: login("gone", strong), status: 403, want: `{"detail":"your account has been disabled"}`},
		{name: "no name", req: with(form, "password=x"), status: 422, want: `{"detail":{"username":"Field required"}}`},
		{name: "no password", req: with(form, "username=x"), status: 422, want: `{"detail":{"password":"Field required"}}`},
		{name: "an empty form", req: with(form, ""), status: 422, want: `{"detail":{"password":"Field required","username":"Field required"}}`},
		{name: "words in the URL", req: inURL, status: 422, want: `{"detail":{"password":"Field required","username":"Field required"}}`},
		{name: "another grant", req: with(form, "username=boss&grant_type=client_credentials&password="+strong), status: 422, want: `{"detail":{"grant_type":"must be password"}}`},
		{name: "parts without an end", req: with("multipart/form-data; boundary=x", "--x\r\nContent-Disposition: form-data; name=\"username\"\r\n\r\nboss"), status: 422, want: `{"detail":{"body":"is not a valid form"}}`},
		{name: "parts without a boundary", req: with("multipart/form-data", "--x--\r\n"), status: 422, want: `{"detail":{"body":"is not a valid form"}}`},
		{name: "another method", req: httpRequest{method: http.MethodGet, path: "/api/admin/token"}, status: 401, want: `{"detail":"Could not validate credentials"}`},
	})
	if _, headers, _ := login("boss", "wrong").send(t, b.url); headers.Get("WWW-Authenticate") != "Bearer" {
		t.Errorf("headers of a 401: %v", headers)
	}
}

// Ten logins may fail from an address; those that succeed do not count, and time brings tries back.
func TestLoginLimit(t *testing.T) {
	b := newBench(t)
	b.newOperator("boss", true)
	for range 12 {
		b.session("boss")
	}
	for i := range 10 {
		if status, _, text := login("nobody", fmt.Sprint(i)).send(t, b.url); status != http.StatusUnauthorized {
			t.Fatalf("login %d: %d %s", i, status, text)
		}
	}
	status, headers, text := login("boss", strong).send(t, b.url)
	if status != http.StatusTooManyRequests || headers.Get("Retry-After") != "6" || strings.TrimSpace(text) != `{"detail":"too many login attempts; try again in 6 s"}` {
		t.Errorf("%d %v %s", status, headers, text)
	}
	b.clock.Advance(6 * time.Second)
	b.session("boss")
}

// What a session opens, and what it is told when it does not, in the words of each dialect.
func TestSessionAccess(t *testing.T) {
	b := newBench(t)
	b.newOperator("boss", true)
	b.newOperator("mary", false)
	b.newOperator("gone", false)
	boss, mary, gone := b.session("boss"), b.session("mary"), b.session("gone")
	b.pg(http.MethodPut, "/admin/gone", `{"is_disabled":true}`, http.StatusOK)
	readonly := b.token("readonly", domain.ScopeReadonly, nil)
	disabled := b.token("disabled", domain.ScopeAdmin, nil)
	b.exec("UPDATE tokens SET admin_id = (SELECT id FROM admins WHERE username = 'gone') WHERE name = 'disabled'")

	const (
		unknown  = `{"detail":"Could not validate credentials"}`
		shut     = `{"detail":"your account has been disabled"}`
		notSudo  = `{"detail":"You're not allowed"}`
		noWrites = `{"detail":"this API token is readonly"}`
	)
	var scenarios []scenario
	add := func(name, method, path, header, value string, status int, want string, has ...string) {
		r := httpRequest{method: method, path: path, body: "{}", headers: map[string]string{}}
		if header != "" {
			r.headers[header] = value
		}
		scenarios = append(scenarios, scenario{name: name, req: r, status: status, want: want, has: has})
	}
	const auth = "Authorization"
	add("none", "GET", "/api/admin", "", "", 401, unknown)
	add("garbage", "GET", "/api/admin", auth, "Bearer x.y.z", 401, unknown)
	add("an unknown token", "GET", "/api/admin", auth, "Bearer sluice_x", 401, unknown)
	add("another scheme", "GET", "/api/admin", auth, "Basic "+boss, 401, unknown)
	add("none, no route", "GET", "/api/nowhere", "", "", 401, unknown)
	add("disabled", "GET", "/api/admin", auth, "Bearer "+gone, 403, shut)
	add("a token of a disabled one", "GET", "/api/admin", auth, "Bearer "+disabled, 403, shut)
	add("not sudo, itself", "GET", "/api/admin", auth, "Bearer "+mary, 200, "", `"username":"mary"`)
	add("not sudo, others", "GET", "/api/admins", auth, "Bearer "+mary, 403, notSudo)
	add("not sudo, whatever is sent", "POST", "/api/admin", auth, "Bearer "+mary, 403, notSudo)
	add("readonly, a read", "GET", "/api/admins", auth, "Bearer "+readonly, 200, "", `"total":4`)
	add("readonly, a write", "POST", "/api/admin", auth, "Bearer "+readonly, 403, noWrites)
	add("sudo", "GET", "/api/admins", auth, "bearer "+boss, 200, "", `"total":4`)
	add("a key", "GET", "/api/admin", auth, "ApiKey "+b.admin, 200, "", `"is_sudo":true`)
	add("a key of its own header", "GET", "/api/admin", "X-Api-Key", b.admin, 200, "", `"is_sudo":true`)
	add("an unknown key", "GET", "/api/admin", "X-Api-Key", "x", 401, unknown)
	add("3x-ui: disabled", "GET", "/panel/api/inbounds/list", auth, "Bearer "+gone, 401, envelope(sentenceNoToken))
	add("3x-ui: not sudo", "GET", "/panel/api/inbounds/list", auth, "Bearer "+mary, 403, envelope(sentenceNotSudo))
	add("3x-ui: sudo", "GET", "/panel/api/inbounds/list", auth, "Bearer "+boss, 200, "", `"success":true`)
	b.run(t, b.url, scenarios)

	for header, want := range map[string]string{"Bearer x": "Bearer", "Bearer " + gone: ""} {
		r := httpRequest{method: http.MethodGet, path: "/api/admin", headers: map[string]string{auth: header}}
		if _, headers, _ := r.send(t, b.url); headers.Get("WWW-Authenticate") != want {
			t.Errorf("%s is asked for %q, want %q", header, headers.Get("WWW-Authenticate"), want)
		}
	}
}

// A session ends with the password, its day, and its admin.
func TestSessionEnds(t *testing.T) {
	for _, c := range []struct {
		name string
		end  func(*bench)
	}{
		{"password", func(b *bench) {
			b.pg(http.MethodPut, "/admin/mary", `{"password":"ANOTHER-horse-77"}`, http.StatusOK)
		}},
		{"day", func(b *bench) { b.clock.Advance(24*time.Hour + 5*time.Second) }},
		{"admin", func(b *bench) {
			b.pg(http.MethodDelete, "/admin/mary", "", http.StatusNoContent)
			b.newOperator("mary", false)
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBench(t)
			b.newOperator("mary", false)
			r := httpRequest{method: http.MethodGet, path: "/api/admin", token: b.session("mary")}
			if status, _, text := r.send(t, b.url); status != http.StatusOK {
				t.Fatalf("before: %d %s", status, text)
			}
			c.end(b)
			status, _, text := r.send(t, b.url)
			if status != http.StatusUnauthorized || strings.TrimSpace(text) != `{"detail":"Could not validate credentials"}` {
				t.Errorf("after: %d %s", status, text)
			}
		})
	}
}

// blank is an admin of whom nothing is known, after its name and before its id.
const blank = `"telegram_id":null,"discord_webhook":null,"sub_domain":null,"profile_title":null,"support_url":null,` +
	`"notification_enable":null,"discord_id":null,"sub_template":null,"note":null,"custom_variables":null`

// An admin's life, with every answer whole.
func TestAdminLife(t *testing.T) {
	b := newBench(t)
	want := func(what, got, want string) {
		t.Helper()
		if got != want {
			t.Errorf("%s: %s\nwant %s", what, got, want)
		}
	}
	const mary = `{"username":"Mary",` + blank + `,"id":2,"is_sudo":false,"is_disabled":false,"user_limit":null,"total_users":0,"used_traffic":0,"lifetime_used_traffic":0}`
	body := fmt.Sprintf(`{"username":"Mary","password":%q,"role_id":3,"shoe_size":38}`, strong)
	want("made", b.pg("POST", "/admin", body, 201), mary)
	want("made again", b.pg("POST", "/admin", body, 409), `{"detail":"Admin already exists"}`)
	full := `{"username":"Zoe",` +
		`"telegram_id":77,"discord_webhook":"https://d","sub_domain":"s","profile_title":"p","support_url":"u",` +
		`"notification_enable":{"login":true},"discord_id":9007199254740993,"sub_template":"t","note":"n","custom_variables":{"A":"b"},` +
		`"id":3,"is_sudo":true,"is_disabled":true,"user_limit":5,"total_users":0,"used_traffic":0,"lifetime_used_traffic":0}`
	want("made in full", b.pg("POST", "/admin", strings.Replace(full, `{`, fmt.Sprintf(`{"password":%q,`, strong), 1), 201), full)
	want("not the last sudo admin", b.pg("PUT", "/admin/zoe", `{"note":"x"}`, 403),
		`{"detail":"You're not allowed to modify another sudoer's account. Use the sluice command on the server instead."}`)
	want("a sudo admin", b.pg("DELETE", "/admin/zoe", "", 403), `{"detail":"You're not allowed to remove sudoer's account. Use the sluice command on the server instead."}`)

	changed := strings.Replace(strings.Replace(mary, `"note":null`, `"note":"hello"`, 1), `"user_limit":null`, `"user_limit":7`, 1)
	want("changed", b.pg("PUT", "/admin/MARY", `{"note":"hello","user_limit":7}`, 200), changed)
	want("nothing said", b.pg("PUT", "/admin/mary", `{}`, 200), changed)
	want("null is nothing said", b.pg("PUT", "/admin/mary", `{"password":null,"is_sudo":null,"is_disabled":null,"user_limit":null,"note":null,"telegram_id":null,"notification_enable":null}`, 200), changed)
	want("an empty note, no limit", b.pg("PUT", "/admin/mary", `{"note":"","user_limit":0}`, 200), strings.Replace(mary, `"note":null`, `"note":""`, 1))
	want("a new password", b.pg("PUT", "/admin/mary", `{"password":"ANOTHER-horse-77","note":"x"}`, 200), strings.Replace(mary, `"note":null`, `"note":"x"`, 1))
	if status, _, text := login("mary", "ANOTHER-horse-77").send(t, b.url); status != http.StatusOK {
		t.Errorf("with the new password: %d %s", status, text)
	}
	want("the names", b.pg("GET", "/admins/simple?sort=-username", "", 200),
		`{"admins":[{"id":3,"username":"Zoe"},{"id":1,"username":"root"},{"id":2,"username":"Mary"}],"total":3}`)
	want("deleted", b.pg("DELETE", "/admin/mary", "", 204), "")
	want("deleted again", b.pg("DELETE", "/admin/mary", "", 404), `{"detail":"Admin not found"}`)
	want("changed afterwards", b.pg("PUT", "/admin/mary", `{}`, 404), `{"detail":"Admin not found"}`)
	want("found", b.pg("GET", "/admins?username=ZO", "", 200), `{"admins":[`+full+`],"total":1,"active":0,"disabled":1}`)
	want("a part", b.pg("GET", "/admins/simple?search=o&offset=1&limit=1", "", 200), `{"admins":[{"id":3,"username":"Zoe"}],"total":2}`)
	want("all", b.pg("GET", "/admins/simple?search=o&offset=1&limit=1&all=true", "", 200), `{"admins":[{"id":1,"username":"root"},{"id":3,"username":"Zoe"}],"total":2}`)
}

// The sudo admin who asks may change itself, but for being the last.
func TestLastSudoAdmin(t *testing.T) {
	b := newBench(t)
	const last = `{"detail":"this is the last enabled sudo admin: it can not be disabled, deleted or lose sudo"}`
	for _, body := range []string{`{"is_sudo":false}`, `{"is_disabled":true}`} {
		if got := b.pg("PUT", "/admin/root", body, 409); got != last {
			t.Errorf("%s: %s", body, got)
		}
	}
	if got := b.pg("PUT", "/admin/root", `{"note":"me"}`, 200); !strings.Contains(got, `"note":"me"`) {
		t.Error(got)
	}
}

func TestAdminsBadInput(t *testing.T) {
	b := newBench(t)
	b.newOperator("mary", false)
	create := func(name, body string, status int, want string) scenario {
		return scenario{name: name, req: httpRequest{method: "POST", path: "/api/admin", token: b.admin, body: body}, status: status, want: want}
	}
	read := func(query string, status int, want string) scenario {
		return scenario{name: query, req: httpRequest{method: "GET", path: "/api/admins" + query, token: b.admin}, status: status, want: want}
	}
	password := func(p string) string { return fmt.Sprintf(`{"username":"x","password":%q}`, p) }
	fault := func(field, sentence string) string { return fmt.Sprintf(`{"detail":{%q:%q}}`, field, sentence) }
	good := func(more string) string { return fmt.Sprintf(`{"username":"x","password":%q,%s}`, strong, more) }
	b.run(t, b.url, []scenario{
		create("nothing", `{}`, 422, `{"detail":{"password":"Field required","username":"Field required"}}`),
		create("no JSON", `{`, 422, ""),
		create("a short password", password("AAaa11!"), 422, fault("password", "must have at least 12 characters")),
		create("a password of nothing", password(""), 422, fault("password", "must have at least 12 characters; must have at least two digits; "+
			"must have at least two uppercase letters; must have at least two lowercase letters; must have at least one special character")),
		create("one digit", password("CORRECT-horse-7"), 422, fault("password", "must have at least two digits")),
		create("one uppercase letter", password("Correct-horse-77"), 422, fault("password", "must have at least two uppercase letters")),
		create("one lowercase letter", password("CORRECT-HORSe-77"), 422, fault("password", "must have at least two lowercase letters")),
		create("nothing special", password("CORRECT horse 77"), 422, fault("password", "must have at least one special character")),
		create("a long password", password(strong+strings.Repeat("a", 256)), 422, fault("password", "password is longer than 256 bytes")),
		create("a name with a slash", `{"username":"a/b","password":"`+strong+`"}`, 422, fault("username", "username must not contain spaces, control characters, / or \\")),
		create("an empty name", `{"username":"","password":"`+strong+`"}`, 422, fault("username", "username is required")),
		create("sudo as text", good(`"is_sudo":"yes"`), 422, fault("is_sudo", "Input should be a valid boolean")),
		create("a limit as text", good(`"user_limit":"7"`), 422, fault("user_limit", "Must be integer")),
		create("a long profile", good(`"note":"`+strings.Repeat("a", 16<<10)+`"`), 422, fault("profile", "profile is longer than 16 KiB")),
		{name: "a weak new password", req: httpRequest{method: "PUT", path: "/api/admin/mary", token: b.admin, body: `{"password":"AAaa11!"}`}, status: 422, want: fault("password", "must have at least 12 characters")},
		read("?sort=shoe_size", 400, `{"detail":"\"shoe_size\" is not a valid sort option"}`),
		read("?sort=username,", 400, `{"detail":"\"\" is not a valid sort option"}`),
		read("?limit=x", 422, fault("limit", "Must be integer")),
		read("/simple?sort=name", 400, `{"detail":"\"name\" is not a valid sort option"}`),
	})
}

// The users of an admin are switched off, on and deleted together; of a deleted admin they are the sudo admin's.
func TestUsersOfAdmins(t *testing.T) {
	b := newBench(t)
	b.inbound(1)
	b.newOperator("mary", false)
	for _, name := range []string{"ann", "bob", "carl"} {
		b.client(name)
	}
	give := func() { // to mary, as PUT set_owner does
		for _, name := range []string{"ann", "bob"} {
			b.pg("PUT", "/user/"+name+"/set_owner?admin_username=mary", "", 200)
		}
	}
	enabled := func(want string) {
		t.Helper()
		if got := b.rows("SELECT username FROM users WHERE enabled ORDER BY id"); got != want {
			t.Errorf("enabled are %s, want %s", got, want)
		}
	}
	give()
	if got := b.pg("GET", "/admins?username=mary", "", 200); !strings.Contains(got, `"total_users":2`) {
		t.Error(got)
	}
	for _, c := range []struct{ method, path, body, enabled string }{
		{"POST", "/admin/mary/users/disable", `{}`, "[carl]\n"},
		{"POST", "/admin/mary/users/activate", `{}`, "[ann]\n[bob]\n[carl]\n"},
	} {
		if got := b.pg(c.method, c.path, "", 200); got != c.body {
			t.Errorf("%s: %s", c.path, got)
		}
		enabled(c.enabled)
	}
	b.pg("DELETE", "/admin/mary", "", 204)
	if got := b.rows("SELECT u.username, a.username FROM users u JOIN admins a ON a.id = u.admin_id ORDER BY u.id"); got != "[ann root]\n[bob root]\n[carl root]\n" {
		t.Errorf("owners %s", got)
	}
	b.newOperator("mary", false)
	give()
	if got := b.pg("DELETE", "/admin/mary/users", "", 200); got != `{"detail":"operation has been successfuly done 2 users deleted"}` {
		t.Error(got)
	}
	enabled("[carl]\n")
	for _, path := range []string{"/admin/nobody/users/disable", "/admin/nobody/users/activate"} {
		if got := b.pg("POST", path, "", 404); got != `{"detail":"Admin not found"}` {
			t.Errorf("%s: %s", path, got)
		}
	}
}
