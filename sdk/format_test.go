package sdk

import (
	"testing"

	"github.com/sluicehq/sluice/sdk/wire"
)

// join registers a format that shows its endpoints and accounts, and how often it has prepared.
func join(p *plugin) (prepared *int) {
	prepared = new(int)
	render := func(endpoints []Endpoint, accounts []Account, reply *FormatReply) error {
		for i := range endpoints {
			reply.Body = append(reply.Body, endpoints[i].Address+"="+accounts[i].ID+";"...)
		}
		return nil
	}
	p.format("join", FormatOptions{
		Prepare: func(set *PrepareRequest) (RenderFunc, error) {
			*prepared++
			if len(set.Endpoints) == 0 {
				return nil, Invalid("no endpoints")
			}
			return func(req *FormatRequest, reply *FormatReply) error {
				return render(set.Endpoints, req.Accounts, reply)
			}, nil
		},
	}, func(req *FormatRequest, reply *FormatReply) error { return render(req.Endpoints, req.Accounts, reply) })
	return prepared
}

func body(t *testing.T, p *plugin, req *FormatRequest) string {
	t.Helper()
	req.ID = "join"
	var reply wire.FormatReply
	send(t, p, wire.OpFormat, req, &reply)
	return string(reply.Body)
}

// prepare sends a set as a host would: in a buffer that is used again for the next request.
func prepare(t *testing.T, p *plugin, handle uint64, addresses ...string) *wire.Error {
	t.Helper()
	req := PrepareRequest{ID: "join", Handle: handle}
	for _, a := range addresses {
		req.Endpoints = append(req.Endpoints, Endpoint{Address: a})
	}
	input := req.Append(nil)
	_, failure := p.call(wire.OpPrepare, input, nil)
	clear(input)
	return failure
}

// refusal is why p does not render from a prepared set, nil if it does.
func refusal(p *plugin, handle uint64, accounts ...Account) *wire.Error {
	_, failure := p.call(wire.OpFormat, (&FormatRequest{ID: "join", Prepared: handle, Accounts: accounts}).Append(nil), nil)
	return failure
}

func TestFormat(t *testing.T) {
	var p plugin
	join(&p)
	for range 2 { // the second finds the buffers of the first
		got := body(t, &p, &FormatRequest{
			Endpoints: []Endpoint{{Address: "a"}, {Address: "b"}}, Accounts: []Account{{ID: "1"}, {ID: "2"}},
		})
		if got != "a=1;b=2;" {
			t.Errorf("got %q", got)
		}
	}
}

func TestPreparedSets(t *testing.T) {
	var p plugin
	prepared := join(&p)
	for handle := uint64(1); handle <= 2; handle++ {
		if failure := prepare(t, &p, handle, "set", string('0'+rune(handle))); failure != nil {
			t.Fatal(failure)
		}
	}
	accounts := []Account{{ID: "x"}, {ID: "y"}}
	if got := body(t, &p, &FormatRequest{Prepared: 1, Accounts: accounts}); got != "set=x;1=y;" {
		t.Errorf("set 1: got %q", got)
	}
	if got := body(t, &p, &FormatRequest{Prepared: 2, Accounts: accounts}); got != "set=x;2=y;" {
		t.Errorf("set 2: got %q", got)
	}
	if failure := prepare(t, &p, 1, "new"); failure != nil {
		t.Fatal(failure)
	}
	if got := body(t, &p, &FormatRequest{Prepared: 1, Accounts: accounts[:1]}); got != "new=x;" {
		t.Errorf("replaced set 1: got %q", got)
	}
	if *prepared != 3 {
		t.Errorf("prepared %d times, want 3", *prepared)
	}
	got, want := refusal(&p, 2, accounts[0]), "the request has not one account for each endpoint"
	if got == nil || got.Code != wire.CodeInvalid || got.Message != want {
		t.Errorf("an account too few: got %+v", got)
	}
}

func TestPrepareRefuses(t *testing.T) {
	var p plugin
	join(&p)
	want := wire.Error{Code: wire.CodeInvalid, Message: "the handle of a prepared set must not be 0"}
	if got := prepare(t, &p, 0, "a"); got == nil || *got != want {
		t.Errorf("handle 0: got %+v", got)
	}
	want.Message = "no endpoints"
	if got := prepare(t, &p, 1); got == nil || *got != want {
		t.Errorf("the author's error: got %+v", got)
	}
	if got := refusal(&p, 1); got == nil || got.Code != wire.CodeNotPrepared {
		t.Errorf("a set that was refused is there: %+v", got)
	}
}

func TestOldestSetIsDropped(t *testing.T) {
	var p plugin
	join(&p)
	for handle := range uint64(wire.MaxPreparedSets + 1) {
		if failure := prepare(t, &p, handle+1, "a"); failure != nil {
			t.Fatal(failure)
		}
	}
	for handle := range uint64(wire.MaxPreparedSets + 1) {
		failure := refusal(&p, handle+1, Account{})
		if gone := failure != nil && failure.Code == wire.CodeNotPrepared; gone != (handle == 0) {
			t.Errorf("set %d: %+v", handle+1, failure)
		}
	}
}

func TestReplacingASetDropsNoOther(t *testing.T) {
	var p plugin
	join(&p)
	for i := range wire.MaxPreparedSets + 1 {
		if failure := prepare(t, &p, min(uint64(i)+1, 2), "a"); failure != nil {
			t.Fatal(failure)
		}
	}
	if failure := refusal(&p, 1, Account{}); failure != nil {
		t.Errorf("set 1: %+v", failure)
	}
}
