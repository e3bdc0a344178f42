package httpapi

import (
	"maps"
	"net/http"
	"strings"
	"testing"
)

// The sentences of the PasarGuard dialect for who may not pass (decisions.md §1.3, contract: PasarGuard, errors).
const (
	sentenceNoSession = "Could not validate credentials"
	sentenceDisabled  = "your account has been disabled"
	sentenceNotYou    = "You're not allowed"
	sentenceNoUser    = "User not found"
)

// access is who passes.
type access string

const (
	everybody access = "everybody"
	admins    access = "admins"
	owners    access = "the user's admin, and sudo admins"
	sudoers   access = "sudo admins"
)

// pass is one request that a route lets through: to whom, and what comes back. In paths and bodies NAME and ID are a user's,
// NEW is a name that nobody has.
type pass struct {
	to     access
	path   string // "" = the route's
	body   string
	status int
	answer string // what the body starts with
}

// matrix has every route but those of the 3x-ui dialect, which is for sudo admins as a whole, and those of subscriptions,
// which are for whoever has the secret in the path.
var matrix = map[string]pass{
	"GET /healthz": {everybody, "", "", 200, ""},
	"GET /readyz":  {everybody, "", "", 200, ""},
	"GET /metrics": {sudoers, "", "", 200, "# HELP "},

	"GET /api/settings": {sudoers, "", "", 200, `{"public_hosts":`},
	"PUT /api/settings": {sudoers, "", "{}", 200, `{"public_hosts":`},

	"GET /api/plugins":                 {sudoers, "", "", 200, `{"plugins":[{"name":"sluice-builtin","version":`},
	"GET /api/plugins/{name}":          {sudoers, "/api/plugins/NEW", "", 404, detail("plugin not found")},
	"POST /api/plugins":                {sudoers, "", "no module", 422, `{"detail":{"body":"must be a .wasm file,`},
	"PUT /api/plugins/{name}":          {sudoers, "/api/plugins/NEW", `{"enabled":true}`, 404, detail("plugin not found")},
	"DELETE /api/plugins/{name}":       {sudoers, "/api/plugins/NEW", "", 404, detail("plugin not found")},
	"POST /api/plugins/{name}/preview": {sudoers, "/api/plugins/NEW/preview", "", 404, detail("plugin not found")},
	"GET /api/plugins/{name}/log":      {sudoers, "/api/plugins/NEW/log", "", 404, detail("plugin not found")},

	"GET /api/subscription/explain": {owners, "/api/subscription/explain?user=NAME", "", 200, `{"step":"default",`},

	"GET /api/events":        {sudoers, "", "", 200, `{"events":[`},
	"POST /api/events/retry": {sudoers, "", `{"ids":[99]}`, 200, `{"count":0}`},
	"POST /api/events/drop":  {sudoers, "", `{"ids":[99]}`, 200, `{"count":0}`},

	"POST /api/admin/token": {everybody, "", "{}", 422, `{"detail":{"password":"Field required","username":"Field required"}}`},
	"GET /api/admin":        {admins, "", "", 200, `{"username":"`},
	"POST /api/admin":       {sudoers, "", `{"username":"x","password":"short"}`, 422, `{"detail":{"password":"must have at least 12 characters`},
	"GET /api/admins":       {sudoers, "", "", 200, `{"admins":[{"username":"`},

	"GET /api/admins/simple":                    {sudoers, "", "", 200, `{"admins":[{"id":`},
	"PUT /api/admin/{username}":                 {sudoers, "/api/admin/NEW", "{}", 404, detail("Admin not found")},
	"DELETE /api/admin/{username}":              {sudoers, "/api/admin/NEW", "", 404, detail("Admin not found")},
	"POST /api/admin/{username}/users/disable":  {sudoers, "/api/admin/NEW/users/disable", "", 404, detail("Admin not found")},
	"POST /api/admin/{username}/users/activate": {sudoers, "/api/admin/NEW/users/activate", "", 404, detail("Admin not found")},
	"DELETE /api/admin/{username}/users":        {sudoers, "/api/admin/NEW/users", "", 404, detail("Admin not found")},

	"GET /api/inbounds":         {admins, "", "", 200, `["in-`},
	"GET /api/inbounds/details": {admins, "", "", 200, `[{"tag":"in-`},

	"GET /api/hosts":             {sudoers, "", "", 200, `[]`},
	"PUT /api/hosts":             {sudoers, "", "[]", 200, `[]`},
	"POST /api/host":             {sudoers, "", `{"remark":""}`, 422, `{"detail":{`},
	"GET /api/host/{host_id}":    {sudoers, "/api/host/99", "", 404, detail("Host not found")},
	"PUT /api/host/{host_id}":    {sudoers, "/api/host/99", `{"remark":"x"}`, 404, detail("Host not found")},
	"DELETE /api/host/{host_id}": {sudoers, "/api/host/99", "", 404, detail("Host not found")},

	"POST /api/group":              {sudoers, "", `{"name":"x"}`, 422, `{"detail":{`},
	"GET /api/groups":              {admins, "", "", 200, `{"groups":[{"name":"basic",`},
	"GET /api/groups/simple":       {admins, "", "", 200, `{"groups":[{"id":1,"name":"basic"}`},
	"GET /api/group/{group_id}":    {admins, "/api/group/1", "", 200, `{"name":"basic",`},
	"PUT /api/group/{group_id}":    {sudoers, "/api/group/99", `{"name":"other"}`, 404, detail("Group not found")},
	"DELETE /api/group/{group_id}": {sudoers, "/api/group/99", "", 404, detail("Group not found")},
	"POST /api/groups/bulk/delete": {sudoers, "", `{"ids":[99]}`, 404, detail("Group not found")},

	"POST /api/groups/bulk/disable": {sudoers, "", `{"ids":[99]}`, 404, detail("Group not found")},
	"POST /api/groups/bulk/enable":  {sudoers, "", `{"ids":[99]}`, 404, detail("Group not found")},
	"POST /api/groups/bulk/add":     {sudoers, "", `{"group_ids":[99],"dry_run":true}`, 404, detail("Group not found")},
	"POST /api/groups/bulk/remove":  {sudoers, "", `{"group_ids":[99],"dry_run":true}`, 404, detail("Group not found")},

	"POST /api/user_template":                 {sudoers, "", `{"name":"plan","group_ids":[1]}`, 409, detail("Template by this name already exists")},
	"GET /api/user_templates":                 {admins, "", "", 200, `[{"name":"plan",`},
	"GET /api/user_templates/simple":          {admins, "", "", 200, `{"templates":[{"id":1,"name":"plan"}`},
	"GET /api/user_template/{template_id}":    {admins, "/api/user_template/1", "", 200, `{"name":"plan",`},
	"PUT /api/user_template/{template_id}":    {sudoers, "/api/user_template/99", "{}", 404, detail("User Template not found")},
	"DELETE /api/user_template/{template_id}": {sudoers, "/api/user_template/99", "", 404, detail("User Template not found")},
	"POST /api/user_templates/bulk/delete":    {sudoers, "", `{"ids":[99]}`, 404, detail("User Template not found")},
	"POST /api/user_templates/bulk/disable":   {sudoers, "", `{"ids":[99]}`, 404, detail("User Template not found")},
	"POST /api/user_templates/bulk/enable":    {sudoers, "", `{"ids":[99]}`, 404, detail("User Template not found")},
	"GET /api/username_strategies":            {admins, "", "", 200, `[{"id":"append",`},

	"POST /api/user/from_template":           {admins, "", `{"user_template_id":1,"username":"NEW"}`, 201, `{"id":`},
	"PUT /api/user/from_template/{username}": {owners, "/api/user/from_template/NAME", `{"user_template_id":1}`, 200, `{"id":`},
	"PUT /api/user/{username}/from_template": {owners, "/api/user/NAME/from_template", `{"user_template_id":1}`, 200, `{"id":`},
	"POST /api/users/bulk/from_template":     {admins, "", `{"user_template_id":1,"count":1}`, 201, `{"subscription_urls":["`},
	"POST /api/users/bulk/apply_template":    {owners, "", `{"user_template_id":1,"ids":[ID]}`, 200, `{"users":["NAME"],"count":1}`},

	"POST /api/user":                       {admins, "", `{"username":"NEW","group_ids":[1]}`, 201, `{"id":`},
	"GET /api/user/{username}":             {owners, "/api/user/NAME", "", 200, `{"id":ID,"username":"NAME",`},
	"PUT /api/user/{username}":             {owners, "/api/user/NAME", "{}", 200, `{"id":ID,"username":"NAME",`},
	"DELETE /api/user/{username}":          {owners, "/api/user/NAME", "", 204, ""},
	"GET /api/user/{username}/usage":       {owners, "/api/user/NAME/usage", "", 200, `{"period":"`},
	"GET /api/user/{username}/sub_update":  {owners, "/api/user/NAME/sub_update", "", 200, `{"updates":[],"count":0}`},
	"PUT /api/user/{username}/disabled":    {owners, "/api/user/NAME/disabled", `{"disabled":true}`, 200, `{"id":ID,"username":"NAME","status":"disabled",`},
	"POST /api/user/{username}/reset":      {owners, "/api/user/NAME/reset", "", 200, `{"id":ID,`},
	"POST /api/user/{username}/revoke_sub": {owners, "/api/user/NAME/revoke_sub", "", 200, `{"id":ID,`},
	"POST /api/user/{username}/active_next": {
		owners, "/api/user/NAME/active_next", "", 404, detail("User doesn't have next plan"),
	},
	"PUT /api/user/{username}/set_owner": {sudoers, "/api/user/NAME/set_owner?admin_username=NEW", "", 404, detail("Admin not found")},

	"GET /api/users":                      {admins, "", "", 200, `{"users":[`},
	"GET /api/users/simple":               {admins, "", "", 200, `{"users":[`},
	"GET /api/users/expired":              {admins, "", "", 200, `[]`},
	"DELETE /api/users/expired":           {admins, "", "", 200, `{"users":[],"count":0}`},
	"POST /api/users/reset":               {sudoers, "", "", 200, `{}`},
	"POST /api/users/bulk/delete":         {owners, "", `{"ids":[ID]}`, 200, `{"users":["NAME"],"count":1}`},
	"POST /api/users/bulk/reset":          {owners, "", `{"ids":[ID]}`, 200, `{"users":["NAME"],"count":1}`},
	"POST /api/users/bulk/disable":        {owners, "", `{"ids":[ID]}`, 200, `{"users":["NAME"],"count":1}`},
	"POST /api/users/bulk/enable":         {owners, "", `{"ids":[ID]}`, 200, `{"users":["NAME"],"count":1}`},
	"POST /api/users/bulk/revoke_sub":     {owners, "", `{"ids":[ID]}`, 200, `{"users":["NAME"],"count":1}`},
	"PUT /api/users/bulk/set_owner":       {sudoers, "", `{"ids":[ID],"admin_username":"NEW"}`, 404, detail("Admin not found")},
	"POST /api/users/bulk/expire":         {admins, "", `{"amount":1,"dry_run":true}`, 200, `{"detail":"operation has been successfuly done on `},
	"POST /api/users/bulk/data_limit":     {admins, "", `{"amount":1,"dry_run":true}`, 200, `{"detail":"operation has been successfuly done on `},
	"POST /api/users/bulk/proxy_settings": {admins, "", `{"method":"aes-128-gcm","dry_run":true}`, 200, `{"detail":"operation has been successfuly done on `},

	"GET /api/cores":                   {sudoers, "", "", 200, `{"count":1,"cores":[{"id":1,`},
	"GET /api/cores/simple":            {sudoers, "", "", 200, `{"cores":[{"id":1,`},
	"POST /api/core":                   {sudoers, "", "{}", 409, detail("there is one core, with id 1: change it instead")},
	"GET /api/core/{core_id}":          {sudoers, "/api/core/1", "", 200, `{"id":1,`},
	"PUT /api/core/{core_id}":          {sudoers, "/api/core/1", `{"config":[]}`, 422, `{"detail":{"config":"`},
	"DELETE /api/core/{core_id}":       {sudoers, "/api/core/1", "", 403, detail("Cannot delete default core config")},
	"POST /api/core/{core_id}/restart": {sudoers, "/api/core/99/restart", "", 404, detail("Core config not found")},
}

// expected is what a route lets through.
func expected(t *testing.T, method, path string) pass {
	t.Helper()
	switch {
	case inXUI(path): // whatever the path names is not there
		concrete := strings.NewReplacer("{email}", "NEW", "{subId}", "NEW", "{name}", "NEW", "{id}", "99", "{tgId}", "99")
		return pass{sudoers, concrete.Replace(path), "{}", 200, `{"success":`}
	case strings.HasPrefix(path, "/sub/"):
		concrete := strings.NewReplacer("{subId}", "NEW", "{id}", "NEW", "{username}", "NEW", "{format}", "links", "{suffix}", "links")
		return pass{everybody, concrete.Replace(path), "", 404, ""}
	}
	p, known := matrix[method+" "+path]
	if !known {
		t.Fatal("the matrix does not say who passes")
	}
	if p.path == "" {
		p.path = path
	}
	return p
}

// TestMatrix sends every route of the API's document the request of every kind of caller: who is refused gets the exact
// answer in the dialect's form and has changed nothing, who passes gets what the route says.
func TestMatrix(t *testing.T) {
	m := newMatrixBench(t)
	gone := maps.Clone(matrix)
	for path, methods := range m.document().Paths {
		for method := range methods {
			name := strings.ToUpper(method) + " " + path
			delete(gone, name)
			t.Run(name, func(t *testing.T) { m.route(t, strings.ToUpper(method), path) })
		}
	}
	for name := range gone {
		t.Errorf("there is no route %s", name)
	}
}

// route tries all callers, those first who must not change anything.
func (m *matrixBench) route(t *testing.T, method, path string) {
	p := expected(t, method, path)
	before := m.version()
	for _, c := range m.callers {
		if status, body := c.refusal(method, path, p.to); status > 0 {
			r := m.request(method, p, c, m.user(c))
			got, headers, text := r.send(t, m.url)
			if got != status || strings.TrimSuffix(text, "\n") != body {
				t.Errorf("%s: %d %s\nwant %d %s", c.name, got, text, status, body)
			}
			if challenge := headers.Get("WWW-Authenticate"); (challenge == "Bearer") != (status == 401) {
				t.Errorf("%s: WWW-Authenticate: %q with status %d", c.name, challenge, got)
			}
		}
	}
	if m.version() != before {
		t.Error("a refused request changed something")
	}
	for _, c := range m.callers {
		if status, _ := c.refusal(method, path, p.to); status > 0 {
			continue
		}
		u := m.user(c)
		if p.to == owners { // it may be gone after the request
			u = m.newUser(c)
		}
		got, _, text := m.request(method, p, c, u).send(t, m.url)
		if want := u.fill(p.answer); got != p.status || !strings.HasPrefix(text, want) {
			t.Errorf("%s: %d %s\nwant %d %s", c.name, got, text, p.status, want)
		}
	}
}

// What is about many users is about the admin's own ones, however it asks for others; a sudo admin has all.
func TestOwnUsers(t *testing.T) {
	m := newMatrixBench(t)
	own, sudo := m.login("helper"), "Bearer "+m.admin
	ask := func(method, path, body, header string) (int, string) {
		r := httpRequest{method: method, path: m.another.fill("/api" + path), body: m.another.fill(body), headers: map[string]string{"Authorization": header}}
		status, _, text := r.send(t, m.url)
		return status, strings.TrimSuffix(text, "\n")
	}
	for _, query := range []string{"", "?username=NAME", "?usernames=NAME", "?ids=ID", "?admin=root", "?admin_ids=1", "?group=1", "?search=user", "?sort=-username"} {
		for _, list := range []string{"/users", "/users/simple"} {
			name := `"username":"` + m.another.name + `"`
			if status, text := ask(http.MethodGet, list+query, "", own); status != http.StatusOK || strings.Contains(text, name) {
				t.Errorf("%s%s shows an admin another's user: %d %s", list, query, status, text)
			}
			if status, text := ask(http.MethodGet, list+query, "", sudo); status != http.StatusOK || !strings.Contains(text, name) {
				t.Errorf("%s%s does not show a sudo admin every user: %d %s", list, query, status, text)
			}
		}
	}
	// Each has one user with a limit and an expiry to move.
	m.exec("UPDATE users SET quota = 1000, expire_at = ?", start+dayMS*1000)
	for _, c := range []struct{ path, fields, own, sudo string }{
		{"expire", `"amount":60`, "1", "2"},
		{"data_limit", `"amount":60`, "1", "2"},
		{"proxy_settings", `"method":"aes-128-gcm"`, "1", "2"},
		{"expire", `"amount":60,"users":[ID]`, "0", "1"},
		{"data_limit", `"amount":60,"admins":[1]`, "0", "1"},
		{"proxy_settings", `"method":"aes-128-gcm","group_ids":[1]`, "1", "2"},
	} {
		for header, want := range map[string]string{own: c.own, sudo: c.sudo} {
			status, text := ask(http.MethodPost, "/users/bulk/"+c.path, "{"+c.fields+`,"dry_run":true}`, header)
			if status != http.StatusOK || text != detail("operation has been successfuly done on "+want+" users") {
				t.Errorf("%s {%s} answers %d %s, want %s users", c.path, c.fields, status, text, want)
			}
		}
	}
}

const dayMS = int64(24 * 60 * 60 * 1000)
