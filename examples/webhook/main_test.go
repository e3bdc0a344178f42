package main

import (
	"errors"
	"testing"

	"github.com/sluicehq/sluice/sdk"
	"github.com/sluicehq/sluice/sdk/wire"
)

const payload = `{"user":{"id":7,"username":"al\"ice","used":12,"quota":null}}`

// tell configures the plugin, hands it one event, and returns what it posted (nil = nothing) and its error.
func tell(t *testing.T, settings string, reply sdk.HTTPReply) (posted *sdk.HTTPRequest, err error) {
	t.Helper()
	sdk.Native.HTTP = func(req sdk.HTTPRequest) sdk.HTTPReply {
		posted = &req
		return reply
	}
	if _, err := sdk.Call(wire.OpConfigure, (&wire.ConfigureRequest{Settings: settings}).Append(nil)); err != nil {
		t.Fatal(err)
	}
	event := wire.EventRequest{ID: "post", Type: "user.created", EventID: 42, Time: 1000, Payload: payload}
	_, err = sdk.Call(wire.OpEvent, event.Append(nil))
	return posted, err
}

func TestPost(t *testing.T) {
	for _, c := range []struct{ name, settings, want string }{
		{"as it comes", `{"url":"https://hooks.example/x"}`, `{"id":"evt_42","type":"user.created","time":1000,"data":` + payload + `}`},
		{
			"a template", `{"url":"https://hooks.example/x","template":"{\"text\":\"{type}: {data.user.username} used {data.user.used} of {data.user.quota}\"}"}`,
			`{"text":"user.created: al\"ice used 12 of null"}`,
		},
		{"names that there are not", `{"url":"https://hooks.example/x","template":"{nothing} {data.user.nothing} {data.user.id.x} {Type}"}`, `{nothing} {data.user.nothing} {data.user.id.x} {Type}`},
		{"wanted", `{"url":"https://hooks.example/x","events":["user.created"],"template":"yes"}`, `yes`},
	} {
		t.Run(c.name, func(t *testing.T) {
			posted, err := tell(t, c.settings, sdk.HTTPReply{Status: 204})
			if err != nil {
				t.Fatal(err)
			}
			if posted.Method != "POST" || posted.URL != "https://hooks.example/x" || string(posted.Body) != c.want {
				t.Errorf("posted %s %s %s, want %s", posted.Method, posted.URL, posted.Body, c.want)
			}
		})
	}
	if posted, err := tell(t, `{"url":"https://hooks.example/x","events":["user.deleted"]}`, sdk.HTTPReply{}); posted != nil || err != nil {
		t.Errorf("an event that is not wanted is posted as %v, %v", posted, err)
	}
}

func TestContentType(t *testing.T) {
	for settings, want := range map[string]string{
		`{"url":"http://x"}`:                             "application/json",
		`{"url":"http://x","content_type":"text/plain"}`: "text/plain",
	} {
		posted, err := tell(t, settings, sdk.HTTPReply{Status: 200})
		if err != nil || len(posted.Headers) != 1 || posted.Headers[0] != (sdk.Pair{Name: "Content-Type", Value: want}) {
			t.Errorf("%s gives %+v, %v", settings, posted, err)
		}
	}
}

func TestAnswers(t *testing.T) {
	noAnswer := wire.Error{Code: wire.CodeRetry, Message: "no answer"}
	for _, c := range []struct {
		name  string
		reply sdk.HTTPReply
		code  wire.Code // of the error, 0 = none
	}{
		{"ok", sdk.HTTPReply{Status: 200}, 0},
		{"accepted", sdk.HTTPReply{Status: 202}, 0},
		{"moved", sdk.HTTPReply{Status: 301}, wire.CodeInternal},
		{"gone", sdk.HTTPReply{Status: 410}, wire.CodeInternal},
		{"too many", sdk.HTTPReply{Status: 429}, wire.CodeRetry},
		{"down", sdk.HTTPReply{Status: 503}, wire.CodeRetry},
		{"no answer", sdk.HTTPReply{Error: noAnswer}, wire.CodeRetry},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := tell(t, `{"url":"http://x"}`, c.reply)
			var coded *wire.Error
			errors.As(err, &coded)
			if (coded == nil) != (c.code == 0) || coded != nil && coded.Code != c.code {
				t.Errorf("it ends with %v, want code %d", err, c.code)
			}
		})
	}
}

func TestBadSettings(t *testing.T) {
	var coded *wire.Error
	_, err := sdk.Call(wire.OpConfigure, (&wire.ConfigureRequest{Settings: `{"url":1}`}).Append(nil))
	if !errors.As(err, &coded) || coded.Code != wire.CodeInvalid {
		t.Errorf("settings of the wrong type give %v", err)
	}
}
