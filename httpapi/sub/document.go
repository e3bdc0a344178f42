package sub

import (
	"github.com/danielgtaylor/huma/v2"
	"github.com/gofiber/fiber/v2"
)

// Describe adds the routes to the API's document: not all that they answer is JSON, so they are not registered through
// huma.
func Describe(api *huma.OpenAPI) {
	id := parameter("path", "id", "the user's subscription id, or, if the query has a token, the username")
	id.Required = true
	suffix := parameter("path", "suffix", "info (the user), usage, apps, or the id of a format")
	suffix.Required = true
	token := parameter("query", "token", "the user's subscription id; an app may have put /suffix behind it")
	api.AddOperation(operation("get-subscription", "/{id}", "A user's subscription",
		id, token, parameter("query", "format", "id of a format; when absent the User-Agent decides by ordered rules, else Accept: text/html gives the page, else links-base64")))
	api.AddOperation(operation("get-subscription-part", "/{id}/{suffix}", "A user's subscription in one format, or what an app shows beside it",
		id, suffix, token,
		parameter("query", "period", "of usage: hour, day or month"),
		parameter("query", "start", "of usage: a time, 30 days ago when absent"),
		parameter("query", "end", "of usage: a time, now when absent")))
}

func parameter(in, name, description string) *huma.Param {
	return &huma.Param{In: in, Name: name, Description: description, Schema: &huma.Schema{Type: "string"}}
}

func operation(id, path, summary string, parameters ...*huma.Param) *huma.Operation {
	return &huma.Operation{
		Method: fiber.MethodGet, Path: Prefix + path, OperationID: id, Tags: []string{"subscriptions"}, Summary: summary,
		Parameters: parameters,
		Responses: map[string]*huma.Response{
			"200": {Description: "the subscription, also of a user who may not connect now"},
			"304": {Description: "nothing has changed since the ETag in If-None-Match"},
			"400": {Description: "no such format, or a parameter of usage can not be read"},
			"404": {Description: "no such subscription"},
			"503": {Description: "the format's plugin fails, or no address is known that clients can reach"},
		},
	}
}
