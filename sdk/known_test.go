package sdk

import (
	"bytes"
	"strings"
	"testing"

	"github.com/sluicehq/sluice/sdk/wire"
)

// asked renders with the endpoints in the request, as a host would: in a buffer that is used again afterwards.
func asked(t *testing.T, p *plugin, settings string, addresses ...string) string {
	t.Helper()
	req := FormatRequest{ID: "join", Settings: settings}
	for _, a := range addresses {
		req.Endpoints = append(req.Endpoints, Endpoint{Address: a, InboundTag: strings.Repeat("t", 200)})
		req.Accounts = append(req.Accounts, Account{ID: "1"})
	}
	input := req.Append(nil)
	out, failure := p.call(wire.OpFormat, input, nil)
	if failure != nil {
		t.Fatal(failure)
	}
	var reply wire.FormatReply
	if err := reply.Decode(bytes.Clone(out)); err != nil {
		t.Fatal(err)
	}
	clear(input)
	return string(reply.Body)
}

func TestEndpointsAreKnownAgain(t *testing.T) {
	for _, c := range []struct {
		name     string
		turns    []string // settings, /, addresses by commas
		prepared int
	}{
		{"once", []string{"/a"}, 0},
		{"twice", []string{"/a,b", "/a,b"}, 1},
		{"again and again", []string{"/a,b", "/a,b", "/a,b", "/a,b"}, 1},
		{"never twice in a row", []string{"/a", "/b", "/a", "/b"}, 0},
		{"known, and others between", []string{"/a", "/a", "/b", "/c", "/a"}, 1},
		{"an endpoint has changed", []string{"/a,b", "/a,b", "/a,c", "/a,b"}, 1},
		{"one more", []string{"/a", "/a", "/a,b", "/a,b"}, 2},
		{"one less", []string{"/a,b", "/a,b", "/a", "/a"}, 2},
		{"one letter", []string{"/vmess", "/vmess", "/vless", "/vless"}, 2},
		{"in another order", []string{"/a,b", "/a,b", "/b,a", "/b,a"}, 2},
		{"other settings", []string{"{}/a", "{}/a", `{"x":1}/a`, "{}/a"}, 1},
		{"four are kept", []string{"/a", "/a", "/b", "/b", "/c", "/c", "/d", "/d", "/a", "/b"}, 4},
		{"a fifth drops the first", []string{"/a", "/a", "/b", "/b", "/c", "/c", "/d", "/d", "/e", "/e", "/a", "/a"}, 6},
	} {
		t.Run(c.name, func(t *testing.T) {
			var p plugin
			prepared := join(&p)
			for i, turn := range c.turns {
				settings, list, _ := strings.Cut(turn, "/")
				addresses := strings.Split(list, ",")
				if got, want := asked(t, &p, settings, addresses...), strings.Join(addresses, "=1;")+"=1;"; got != want {
					t.Errorf("turn %d: got %q, want %q", i, got, want)
				}
			}
			if *prepared != c.prepared {
				t.Errorf("prepared %d times, want %d", *prepared, c.prepared)
			}
		})
	}
}

func TestKnownEndpointsNeedAnAccountEach(t *testing.T) {
	var p plugin
	join(&p)
	asked(t, &p, "", "a")
	asked(t, &p, "", "a")
	req := FormatRequest{ID: "join", Endpoints: []Endpoint{{Address: "a", InboundTag: strings.Repeat("t", 200)}}}
	_, failure := p.call(wire.OpFormat, req.Append(nil), nil)
	if want := "the request has not one account for each endpoint"; failure == nil || failure.Message != want {
		t.Errorf("got %v, want %s", failure, want)
	}
}

func TestLongListsAreNotKept(t *testing.T) {
	var p plugin
	prepared := join(&p)
	long := strings.Repeat("a", maxKnownSize)
	for range 3 {
		if got := asked(t, &p, "", long); got != long+"=1;" {
			t.Errorf("got %d bytes", len(got))
		}
	}
	if *prepared != 0 || len(p.formats["join"].known.last.endpoints) != 0 {
		t.Errorf("prepared %d times", *prepared)
	}
}

func TestFailedPreparationIsRendered(t *testing.T) {
	var p plugin
	p.format("join", FormatOptions{
		Prepare: func(*PrepareRequest) (RenderFunc, error) { return nil, Invalid("not these") },
	}, func(req *FormatRequest, reply *FormatReply) error {
		reply.Body = append(reply.Body, req.Endpoints[0].Address...)
		return nil
	})
	for range 3 {
		if got := asked(t, &p, "", "a"); got != "a" {
			t.Errorf("got %q", got)
		}
	}
}

// TestSame changes each bit of lists of all lengths around its steps, one bit at a time.
func TestSame(t *testing.T) {
	for size := range 100 {
		for _, fill := range []byte{0, 0x55, 0xff} {
			a := bytes.Repeat([]byte{fill}, size)
			if !same(a, bytes.Clone(a)) || same(a, append(bytes.Clone(a), fill)) {
				t.Errorf("%d bytes: equal and longer are not told apart", size)
			}
			for i := range 8 * size {
				b := bytes.Clone(a)
				b[i/8] ^= 1 << (i % 8)
				if same(a, b) || same(b, a) {
					t.Errorf("%d bytes of %#x: a change of bit %d is not seen", size, fill, i)
				}
			}
		}
	}
}
