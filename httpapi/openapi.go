package httpapi

import "github.com/danielgtaylor/huma/v2"

const aboutAPI = `Sluice is one server with an embedded xray-core: users with quotas, subscriptions, and the APIs that scripts and
shops speak already.

Every route needs a token in the header "Authorization: Bearer TOKEN", except those that say otherwise: an API token made
with sluice token create, or what a login at /api/admin/token gave. Times are in ms since the epoch and sizes in bytes, unless a field says otherwise.

Routes under /panel/api are 3x-ui's. They answer {"success", "msg", "obj"} with status 200 also when something is
wrong; then success is false and msg is one sentence. Without a valid token the status is 401, without the right to do
it 403.

Routes under /api are PasarGuard's. They answer with what they are about, and with {"detail"} when something is wrong: one
sentence, or with status 422 an object of sentences by field. Times there are ISO-8601 in UTC.`

// tags are the parts of the document, in the order of the docs page.
var tags = []*huma.Tag{
	{Name: "clients", Description: "Clients: users as 3x-ui has them, each let into any number of inbounds."},
	{Name: "groups", Description: "Named sets of clients."},
	{Name: "inbounds", Description: "What the core listens on."},
	{Name: "users", Description: "Users, as PasarGuard has them: the clients of the other routes."},
	{Name: "user templates", Description: "Standard plans: what users made from them, or brought to them, are like."},
	{Name: "hosts", Description: "What clients are told instead of an inbound's own address."},
	{Name: "admins", Description: "Logging in, and the admins that users belong to."},
	{Name: "tokens", Description: "API tokens. A token acts for the admin who made it."},
	{Name: "server", Description: "How the machine and the core are."},
	{Name: "settings", Description: "What an operator may change while the server runs."},
	{Name: "plugins", Description: "WebAssembly plugins: what is loaded, what the operator has said about it, what it would change."},
	{Name: "events", Description: "What happened, on its way to the plugins that handle it."},
	{Name: "core", Description: "The base configuration of xray-core: dns, routing, outbounds and policy."},
	{Name: "subscriptions", Description: "What an app fetches for its user. The id in the path is the secret: no token is needed."},
	{Name: "operation", Description: "Health and metrics."},
}

// config is huma's: fields are optional and unknown ones ignored, as scripts of both dialects expect.
func (o Options) config() huma.Config {
	config := huma.DefaultConfig("Sluice", o.Version)
	config.Info.Description, config.Tags = aboutAPI, tags
	config.Servers = []*huma.Server{{URL: "/", Description: "this server"}}
	config.OpenAPIPath, config.DocsPath, config.SchemasPath, config.CreateHooks = "", "", "", nil // ops serves the document
	config.Formats = map[string]huma.Format{"application/json": jsonFormat, "json": jsonFormat}
	config.FieldsOptionalByDefault, config.AllowAdditionalPropertiesByDefault = true, true
	config.Components.SecuritySchemes = map[string]*huma.SecurityScheme{
		"token": {Type: "http", Scheme: "bearer", Description: "an API token (sluice token create), or the access_token of a login"},
	}
	return config
}
