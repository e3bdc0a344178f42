// Command webhook is a plugin that posts events to a URL as they happen: to a chat, to a shop, to a script.
package main

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/sluicehq/sluice/sdk"
	"github.com/sluicehq/sluice/sdk/wire"
)

const schema = `{"type":"object","additionalProperties":false,"required":["url"],"properties":{
	"url":{"type":"string","pattern":"^https?://","description":"where events are posted"},
	"events":{"type":"array","items":{"type":"string"},"description":"types that are posted, such as user.created; none = all"},
	"template":{"type":"string","minLength":1,"description":"the body, with {id}, {type}, {time}, {data} and parts of it such as {data.user.username}"},
	"content_type":{"type":"string","pattern":"^[!-~ ]+$","description":"of the body"}}}`

// settings are what the operator has set; those of the zero value post nowhere.
var settings struct {
	URL         string   `json:"url"`
	Events      []string `json:"events"`
	Template    string   `json:"template"`
	ContentType string   `json:"content_type"`
}

func init() {
	sdk.Register(sdk.Info{Name: "webhook", Version: "1.0.0", Description: "Posts what happens to a URL"})
	sdk.UseHTTP("Posts each event to the URL in the settings.", wire.AnyHost)
	sdk.Configure(schema, configure)
	sdk.Event("post", sdk.EventOptions{Title: "Post to a URL", Events: []string{"*"}}, post)
}

func configure(text string) error {
	settings.Events, settings.ContentType = nil, "application/json"
	settings.Template = `{"id":"{id}","type":"{type}","time":{time},"data":{data}}`
	if err := json.Unmarshal([]byte(text), &settings); err != nil {
		return sdk.Invalid("the settings can not be read: " + err.Error())
	}
	return nil
}

// post answers a server that is busy or down with a retry. One that says no will say no again: that is logged, and the
// event is given up.
func post(req *sdk.EventRequest) error {
	if len(settings.Events) > 0 && !slices.Contains(settings.Events, req.Type) {
		return nil
	}
	reply, err := sdk.HTTP(sdk.HTTPRequest{
		Method:  "POST", // net/http would weigh 2.5 MB
		URL:     settings.URL,
		Headers: []sdk.Pair{{Name: "Content-Type", Value: settings.ContentType}},
		Body:    []byte(fill(settings.Template, req)),
	})
	switch {
	case err != nil:
		return err // its code says whether it may succeed later
	case reply.Status == 408 || reply.Status == 425 || reply.Status == 429 || reply.Status >= 500:
		return sdk.Retry(fmt.Sprintf("the server answers %d", reply.Status))
	case reply.Status < 200 || reply.Status > 299:
		return fmt.Errorf("the server answers %d", reply.Status)
	}
	return nil
}

func main() {}
