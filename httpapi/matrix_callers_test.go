package httpapi

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/sluicehq/sluice/kernel/accounts"
	"github.com/sluicehq/sluice/kernel/domain"
)

// caller is somebody with something in the Authorization header.
type caller struct {
	name           string
	header         string // "" = none
	nobody         bool   // it opens nothing
	disabled       bool   // it would, but for its disabled admin
	sudo, readonly bool
	owns           bool // the user of the request is the caller's own; else it is another admin's
}

// refusal is the whole answer to a caller who does not pass; status 0 means that the caller does.
func (c caller) refusal(method, path string, to access) (status int, body string) {
	panel := inXUI(path)
	form := detail
	if panel {
		form = envelope
	}
	plain := panel || path == "/metrics" // these have no words of PasarGuard's
	switch {
	case to == everybody:
	case plain && (c.nobody || c.disabled):
		return 401, form(sentenceNoToken)
	case plain && !c.sudo:
		return 403, form(sentenceNotSudo)
	case c.nobody:
		return 401, form(sentenceNoSession)
	case c.disabled:
		return 403, form(sentenceDisabled)
	case c.readonly && method != http.MethodGet && !onlyAsks(path):
		return 403, form(sentenceReadonly)
	case to == sudoers && !c.sudo:
		return 403, form(sentenceNotYou)
	case to == owners && !c.sudo && !c.owns:
		return 404, form(sentenceNoUser)
	}
	return 0, ""
}

// onlyAsks says of a POST of 3x-ui that it changes nothing.
func onlyAsks(path string) bool {
	return slices.Contains(strings.Fields(`onlines onlinesByGuid activeInbounds lastOnline clientIpsByGuid ips/{email}`),
		strings.TrimPrefix(path, "/panel/api/clients/"))
}

// matrixBench is a bench with every kind of caller.
type matrixBench struct {
	*bench
	helper        accounts.Principal // the admin that is no sudo admin
	root          accounts.Principal
	callers       []caller
	mine, another matrixUser // users of the helper and of root
	made          int
}

type matrixUser struct {
	id   int64
	name string
	new  string // a name that nobody has
}

// fill puts the user into a text.
func (u matrixUser) fill(text string) string {
	return strings.NewReplacer("NAME", u.name, "ID", fmt.Sprint(u.id), "NEW", u.new).Replace(text)
}

func newMatrixBench(t *testing.T) *matrixBench {
	t.Helper()
	m := &matrixBench{bench: newBench(t)}
	m.inbound(1)
	m.renew("root")
	m.root, m.helper = m.principal("root"), m.newAdmin("helper")
	m.group("basic", m.tag(1))
	m.pg(http.MethodPost, "/user_template", `{"name":"plan","group_ids":[1]}`, http.StatusCreated)
	m.mine, m.another = m.newUserOf(m.helper), m.newUserOf(m.root)
	m.callers = slices.Concat(m.nobodies(), m.disabledOnes(), m.somebodies())
	return m
}

// principal is the admin of that name.
func (m *matrixBench) principal(name string) accounts.Principal {
	m.t.Helper()
	v, err := m.kernel.Accounts.Admin(m.t.Context(), name)
	if err != nil {
		m.t.Fatal(err)
	}
	return accounts.Principal{Admin: v.Admin, Token: domain.Token{Scope: domain.ScopeAdmin}}
}

// newAdmin makes an admin that is no sudo admin.
func (m *matrixBench) newAdmin(name string) accounts.Principal {
	m.t.Helper()
	m.newOperator(name, false)
	return m.principal(name)
}

// login is the header with a session of an admin.
func (m *matrixBench) login(name string) string {
	m.t.Helper()
	return "Bearer " + m.session(name)
}

// renew gives an admin the password that login uses.
func (m *matrixBench) renew(name string) {
	m.t.Helper()
	if err := m.kernel.Accounts.SetPassword(m.t.Context(), name, strong); err != nil {
		m.t.Fatal(err)
	}
}

// tokenOf is the header with a token of an admin.
func (m *matrixBench) tokenOf(who accounts.Principal, name string, scope domain.Scope, expiresAt *int64) string {
	m.t.Helper()
	_, secret, err := m.kernel.Accounts.CreateTokenFor(m.t.Context(), who, name, scope, expiresAt)
	if err != nil {
		m.t.Fatal(err)
	}
	return "Bearer " + secret
}

// nobodies are callers with what opens nothing.
func (m *matrixBench) nobodies() []caller {
	m.t.Helper()
	soon := m.clock.Now().Add(time.Hour).UnixMilli()
	expiredToken, expiredSession := m.tokenOf(m.root, "expired", domain.ScopeAdmin, &soon), m.login("root")
	m.clock.Advance(24*time.Hour + time.Minute)
	disabledToken := m.tokenOf(m.root, "disabled", domain.ScopeAdmin, nil)
	m.exec("UPDATE tokens SET enabled = false WHERE name = 'disabled'")
	m.newAdmin("changed")
	changed := m.login("changed")
	m.renew("changed")
	gone := m.newAdmin("gone")
	goneSession, goneToken := m.login("gone"), m.tokenOf(gone, "gone", domain.ScopeAdmin, nil)
	if err := m.kernel.Accounts.DeleteAdmin(m.t.Context(), m.root, "gone"); err != nil {
		m.t.Fatal(err)
	}
	session := m.login("root")
	var callers []caller
	for name, header := range map[string]string{
		"nothing": "", "garbage": "Bearer ../%00\u00e9", "another scheme": "Basic " + m.admin, "empty bearer": "Bearer ",
		"unknown token": "Bearer sluice_unknown", "expired token": expiredToken, "disabled token": disabledToken,
		"expired session": expiredSession, "session from before the password": changed,
		"session of a deleted admin": goneSession, "token of a deleted admin": goneToken,
		"session signed by nobody": forged(m.t, session, jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType),
		"session signed by others": forged(m.t, session, jwt.SigningMethodHS256, []byte("another key of thirty-two bytes!")),
		"session of another hash":  forged(m.t, session, jwt.SigningMethodHS512, []byte("another key of thirty-two bytes!")),
		"session with other words": reworded(m.t, session),
	} {
		callers = append(callers, caller{name: name, header: header, nobody: true})
	}
	return callers
}

// forged is a session with the words of a good one, signed in another way.
func forged(t testing.TB, session string, method jwt.SigningMethod, key any) string {
	t.Helper()
	words := jwt.MapClaims{}
	if _, _, err := jwt.NewParser().ParseUnverified(strings.TrimPrefix(session, "Bearer "), words); err != nil {
		t.Fatal(err)
	}
	text, err := jwt.NewWithClaims(method, words).SignedString(key)
	if err != nil {
		t.Fatal(err)
	}
	return "Bearer " + text
}

// reworded is a session whose words are not those that were signed.
func reworded(t testing.TB, session string) string {
	t.Helper()
	parts := strings.Split(session, ".")
	words, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		t.Fatal(err)
	}
	later := strings.Replace(string(words), `"exp":1`, `"exp":2`, 1)
	if later == string(words) {
		t.Fatalf("the session says %s", words)
	}
	parts[1] = base64.RawURLEncoding.EncodeToString([]byte(later))
	return strings.Join(parts, ".")
}

// disabledOnes are callers whose admin is disabled.
func (m *matrixBench) disabledOnes() []caller {
	m.t.Helper()
	off := m.newAdmin("off")
	callers := []caller{
		{name: "session of a disabled admin", header: m.login("off"), disabled: true},
		{name: "token of a disabled admin", header: m.tokenOf(off, "off", domain.ScopeAdmin, nil), disabled: true},
	}
	m.exec("UPDATE admins SET enabled = false WHERE username = 'off'")
	return callers
}

// somebodies are callers who may do something.
func (m *matrixBench) somebodies() []caller {
	m.t.Helper()
	own, readonly := m.login("helper"), m.tokenOf(m.helper, "reader", domain.ScopeReadonly, nil)
	return []caller{
		{name: "admin", header: own, owns: true},
		{name: "admin, another's user", header: own},
		{name: "token of an admin", header: m.tokenOf(m.helper, "writer", domain.ScopeAdmin, nil), owns: true},
		{name: "readonly token of an admin", header: readonly, readonly: true, owns: true},
		{name: "readonly token of an admin, another's user", header: readonly, readonly: true},
		{name: "readonly token", header: m.tokenOf(m.root, "root-reader", domain.ScopeReadonly, nil), sudo: true, readonly: true, owns: true},
		{name: "sudo admin", header: m.login("root"), sudo: true, owns: true},
		{name: "sudo admin, another's user", header: "Bearer " + m.admin, sudo: true},
	}
}

// request is that of a caller about a user.
func (m *matrixBench) request(method string, p pass, c caller, u matrixUser) httpRequest {
	r := httpRequest{method: method, path: u.fill(p.path), body: u.fill(p.body), headers: map[string]string{}}
	if c.header != "" {
		r.headers["Authorization"] = c.header
	}
	return r
}

// owner is whose user the caller's request is about.
func (m *matrixBench) owner(c caller) accounts.Principal {
	if c.owns == c.sudo {
		return m.root
	}
	return m.helper
}

// user is one that the caller's request is about, which stays.
func (m *matrixBench) user(c caller) matrixUser {
	u := m.mine
	if m.owner(c).Admin.Sudo {
		u = m.another
	}
	m.made++
	u.new = fmt.Sprintf("new%d", m.made)
	return u
}

// newUser is one of the same admin, for this request alone.
func (m *matrixBench) newUser(c caller) matrixUser {
	m.t.Helper()
	return m.newUserOf(m.owner(c))
}

func (m *matrixBench) newUserOf(who accounts.Principal) matrixUser {
	m.t.Helper()
	m.made++
	u := matrixUser{name: fmt.Sprintf("user%d", m.made), new: fmt.Sprintf("new%d", m.made)}
	v, err := m.kernel.Accounts.FromTemplate(m.t.Context(), who, 1, u.name, "")
	if err != nil {
		m.t.Fatal(err)
	}
	u.id = v.ID
	return u
}
