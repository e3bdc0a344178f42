package sdk

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/sluicehq/sluice/sdk/wire"
)

type (
	request interface{ Append([]byte) []byte }
	reply   interface{ Decode([]byte) error }
)

// send calls p and decodes what it answers into reply.
func send(t *testing.T, p *plugin, op wire.Op, req request, reply reply) {
	t.Helper()
	b, failure := p.call(op, req.Append(nil), nil)
	if failure != nil {
		t.Fatalf("%s: code %d, %s", op, failure.Code, failure.Message)
	}
	if err := reply.Decode(b); err != nil {
		t.Fatal(err)
	}
}

func TestUsername(t *testing.T) {
	var p plugin
	p.username("vip", UsernameOptions{}, func(req *UsernameRequest) ([]string, error) {
		return []string{req.Base, req.Rejected[0].Name, fmt.Sprint(req.Start, req.Count, req.Attempt)}, nil
	})
	var reply wire.UsernameReply
	send(t, &p, wire.OpUsername, &UsernameRequest{
		ID: "vip", Base: "base", Start: 1, Count: 2, Attempt: 3, Rejected: []RejectedName{{Name: "no"}},
	}, &reply)
	if want := []string{"base", "no", "1 2 3"}; !reflect.DeepEqual(reply.Names, want) {
		t.Errorf("got %q, want %q", reply.Names, want)
	}
}

func TestPeriod(t *testing.T) {
	var p plugin
	p.period("daily", PeriodOptions{}, func(req *PeriodRequest) (PeriodReply, error) {
		return PeriodReply{Next: req.Now + 86_400_000}, nil
	})
	var reply wire.PeriodReply
	send(t, &p, wire.OpPeriod, &PeriodRequest{ID: "daily", Now: 5}, &reply)
	if want := (PeriodReply{Next: 86_400_005}); reply != want {
		t.Errorf("got %+v, want %+v", reply, want)
	}
}

func TestEvent(t *testing.T) {
	var p plugin
	var got EventRequest
	p.event("all", EventOptions{}, func(req *EventRequest) error { got = *req; return nil })
	want := EventRequest{ID: "all", Type: "user.created", EventID: 7, Time: 9, Payload: `{"id":1}`}
	send(t, &p, wire.OpEvent, &want, &wire.EventReply{})
	if got.Entropy = nil; !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestConfigure(t *testing.T) {
	var p plugin
	var got string
	p.configure = func(settings string) error { got = strings.Clone(settings); return nil }
	send(t, &p, wire.OpConfigure, &wire.ConfigureRequest{Settings: `{"a":1}`}, &wire.ConfigureReply{})
	if got != `{"a":1}` {
		t.Errorf("got %s", got)
	}
}

func TestErrorsHaveCodes(t *testing.T) {
	var p plugin
	fail := map[string]error{
		"plain": errors.New("it broke"), "invalid": Invalid("bad params"), "wrapped": fmt.Errorf("twice: %w", Retry("later")),
	}
	p.username("u", UsernameOptions{}, func(req *UsernameRequest) ([]string, error) { return nil, fail[req.Base] })
	p.format("f", FormatOptions{}, func(*FormatRequest, *FormatReply) error { return nil })
	oneEndpoint := make([]Endpoint, 1)
	for _, c := range []struct {
		name    string
		op      wire.Op
		req     request
		code    wire.Code
		message string
	}{
		{"an error without a code", wire.OpUsername, &UsernameRequest{ID: "u", Base: "plain"}, 3, "it broke"},
		{"invalid", wire.OpUsername, &UsernameRequest{ID: "u", Base: "invalid"}, 1, "bad params"},
		{"a wrapped one", wire.OpUsername, &UsernameRequest{ID: "u", Base: "wrapped"}, 4, "later"},
		{"unknown username", wire.OpUsername, &UsernameRequest{ID: "x"}, 1, "this plugin has no username x"},
		{"unknown period", wire.OpPeriod, &PeriodRequest{ID: "x"}, 1, "this plugin has no period x"},
		{"unknown format", wire.OpFormat, &FormatRequest{ID: "x"}, 1, "this plugin has no format x"},
		{"unknown event", wire.OpEvent, &EventRequest{ID: "x"}, 1, "this plugin has no event x"},
		{"prepare unknown", wire.OpPrepare, &PrepareRequest{ID: "x"}, 1, "this plugin has no format x"},
		{"prepare without", wire.OpPrepare, &PrepareRequest{ID: "f"}, 2, "format f does not prepare"},
		{"not prepared", wire.OpFormat, &FormatRequest{ID: "f", Prepared: 1}, 5, "the prepared set is not here"},
		{
			"an account too few", wire.OpFormat, &FormatRequest{ID: "f", Endpoints: oneEndpoint}, 1,
			"the request has not one account for each endpoint",
		},
		{"no settings", wire.OpConfigure, &wire.ConfigureRequest{}, 2, "this plugin has no settings"},
		{"unknown op", 99, &UsernameRequest{}, 2, "this plugin does not have the op"},
	} {
		t.Run(c.name, func(t *testing.T) {
			want := wire.Error{Code: c.code, Message: c.message}
			if _, got := p.call(c.op, c.req.Append(nil), nil); got == nil || *got != want {
				t.Errorf("got %+v, want %+v", got, want)
			}
		})
	}
}

func TestMalformedRequests(t *testing.T) {
	var p plugin
	want := wire.Error{Code: wire.CodeInvalid, Message: "the message is not valid protobuf"}
	for _, op := range []wire.Op{
		wire.OpUsername, wire.OpPeriod, wire.OpFormat, wire.OpEvent, wire.OpConfigure, wire.OpPrepare,
	} {
		if _, got := p.call(op, []byte{0x0a, 0xff}, nil); got == nil || *got != want {
			t.Errorf("%s: got %+v, want %+v", op, got, want)
		}
	}
}

func TestRegisteredTwice(t *testing.T) {
	defer func() {
		if got, want := recover(), "sdk: period p is registered twice"; got != want {
			t.Errorf("got %v, want %s", got, want)
		}
	}()
	var p plugin
	p.username("p", UsernameOptions{}, nil)
	p.period("p", PeriodOptions{}, nil)
	p.period("p", PeriodOptions{}, nil)
}

// TestPackageFunctions goes the way of an author: through the package, not through a plugin of its own.
func TestPackageFunctions(t *testing.T) {
	defer func(before plugin) { guest = before }(guest)
	guest = plugin{}
	Register(Info{Name: "n", Version: "1.0.0"})
	UseKV("counts")
	UseHTTP("calls", "a.example.com")
	Configure(`{"type":"object"}`, func(string) error { return Invalid("no") })
	Username("u", UsernameOptions{}, func(*UsernameRequest) ([]string, error) { return []string{"a"}, nil })
	Period("p", PeriodOptions{}, func(*PeriodRequest) (PeriodReply, error) { return PeriodReply{Never: true}, nil })
	Format("f", FormatOptions{}, func(_ *FormatRequest, r *FormatReply) error { r.Filename = "f"; return nil })
	Event("e", EventOptions{}, func(*EventRequest) error { return nil })
	for _, c := range []struct {
		op   wire.Op
		id   string
		want string
	}{
		{wire.OpUsername, "u", "\x0a\x01a"},
		{wire.OpPeriod, "p", "\x10\x01"},
		{wire.OpFormat, "f", "\x1a\x01f"},
		{wire.OpEvent, "e", ""},
	} {
		got, err := Call(c.op, (&UsernameRequest{ID: c.id}).Append(nil))
		if err != nil || string(got) != c.want {
			t.Errorf("%s: got %q, %v, want %q", c.op, got, err, c.want)
		}
	}
	if _, err := Call(wire.OpConfigure, nil); err == nil || err.Error() != "no" {
		t.Errorf("configure: %v", err)
	}
	want := `{"abi":1,"name":"n","version":"1.0.0","provides":[{"kind":"username","id":"u"},{"kind":"period","id":"p"},` +
		`{"kind":"format","id":"f"},{"kind":"event","id":"e"}],"permissions":[{"name":"kv","reason":"counts"},` +
		`{"name":"http","reason":"calls","hosts":["a.example.com"]}],"settings_schema":{"type":"object"}}`
	if got := string(Manifest()); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}
