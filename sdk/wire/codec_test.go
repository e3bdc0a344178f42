package wire_test

import (
	"bytes"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/sluicehq/sluice/sdk/wire"
)

func TestDecodeRefuses(t *testing.T) {
	long := strings.Repeat("\xff", 9)
	for _, c := range []struct{ name, in string }{
		{"a key without its value", "\x08"},
		{"a length without its bytes", "\x0a\x05abcd"},
		{"a length of 2^63", "\x0a" + long + "\x7f"},
		{"a length of 2^64-1", "\x0a" + long + "\x01"},
		{"a varint of 11 bytes", "\x10" + long + "\x80\x01"},
		{"a varint over 64 bits", "\x10" + long + "\x02"},
		{"field 0", "\x00\x00"},
		{"a field number over 29 bits", "\x80\x80\x80\x80\x80\x01\x00"},
		{"a group", "\x0b\x0c"},
		{"wire type 6", "\x0e"},
		{"half a fixed32", "\x7d\x00\x00\x00"},
		{"half a fixed64", "\x79\x00\x00\x00\x00"},
		{"a nested message longer than the rest", "\x2a\x7f\x12\x01a"},
		{"a nested field without room for its length", "\x2a\x02\x12\x05abcde"},
		{"a nested field longer than its message", "\x2a\x03\x12\x05abcde"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var malformed wire.MalformedError
			if err := new(wire.FormatRequest).Decode([]byte(c.in)); !errors.As(err, &malformed) {
				t.Errorf("got %v, want a MalformedError", err)
			}
		})
	}
}

func TestDecodeLimits(t *testing.T) {
	names := &wire.UsernameReply{Names: make([]string, wire.MaxNames)}
	headers := &wire.FormatReply{Headers: make([]wire.Pair, wire.MaxHeaders)}
	if err := new(wire.UsernameReply).Decode(names.Append(nil)); err != nil {
		t.Errorf("%d names: %v", wire.MaxNames, err)
	}
	if err := new(wire.FormatReply).Decode(headers.Append(nil)); err != nil {
		t.Errorf("%d headers: %v", wire.MaxHeaders, err)
	}
	names.Names = append(names.Names, "one more")
	headers.Headers = append(headers.Headers, wire.Pair{})
	want := "the reply holds more than 10000 names"
	if err := new(wire.UsernameReply).Decode(names.Append(nil)); err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	want = "the message holds more than 32 headers"
	if err := new(wire.FormatReply).Decode(headers.Append(nil)); err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

// TestNestedSizes crosses the sizes at which the length of a nested message needs one more byte.
func TestNestedSizes(t *testing.T) {
	for _, size := range []int{1, 125, 126, 1<<14 - 3, 1<<14 - 2, 1<<14 - 1, 1<<21 - 5, 1 << 21, 5 << 20} {
		want := wire.FormatRequest{User: wire.User{Note: strings.Repeat("n", size)}}
		var got wire.FormatRequest
		if err := got.Decode(want.Append(nil)); err != nil || got.User.Note != want.User.Note {
			t.Errorf("a note of %d bytes came back with %d, %v", size, len(got.User.Note), err)
		}
	}
}

func TestDecodeAliasesAndReuses(t *testing.T) {
	in := (&wire.FormatRequest{
		User:      wire.User{Username: "alice"},
		Endpoints: []wire.Endpoint{{Security: wire.Security{ALPN: []string{"h2", "http/1.1"}}}, {Address: "b"}},
		Accounts:  []wire.Account{{ID: "1"}, {ID: "2"}},
	}).Append(nil)
	var m wire.FormatRequest
	if err := m.Decode(in); err != nil {
		t.Fatal(err)
	}
	if n := testing.AllocsPerRun(10, func() { _ = m.Decode(in) }); n != 0 {
		t.Errorf("a second Decode allocates %v times", n)
	}
	copy(in[bytes.Index(in, []byte("alice")):], "ALICE")
	if m.User.Username != "ALICE" {
		t.Errorf("the username is %q, a copy and not a part of the input", m.User.Username)
	}
}

func TestRawCannotBeAppendedOver(t *testing.T) {
	in := (&wire.FormatReply{Body: []byte("body"), Filename: "file"}).Append(nil)
	var m wire.FormatReply
	if err := m.Decode(in); err != nil {
		t.Fatal(err)
	}
	_ = append(m.Body, "overwritten"...)
	if m.Filename != "file" {
		t.Errorf("append to the body changed the filename to %q", m.Filename)
	}
}

func TestPack(t *testing.T) {
	for _, c := range []struct {
		ptr, size uint32
		failed    bool
		packed    uint64
	}{
		{0, 0, false, 0},
		{1, 2, false, 1<<32 | 2},
		{1, 2, true, 1<<32 | 1<<31 | 2},
		{math.MaxUint32, math.MaxInt32, true, math.MaxUint64},
	} {
		if p := wire.Pack(c.ptr, c.size, c.failed); p != c.packed {
			t.Errorf("Pack(%d, %d, %t) = %#x, want %#x", c.ptr, c.size, c.failed, p, c.packed)
		}
		if ptr, size, failed := wire.Unpack(c.packed); ptr != c.ptr || size != c.size || failed != c.failed {
			t.Errorf("Unpack(%#x) = %d, %d, %t", c.packed, ptr, size, failed)
		}
	}
}

func TestEveryOpHasNameAndDeadline(t *testing.T) {
	for op, want := range map[wire.Op]struct {
		name     string
		deadline int // ms
	}{
		wire.OpUsername:  {"username.generate", 100},
		wire.OpPeriod:    {"period.next", 100},
		wire.OpFormat:    {"format.render", 250},
		wire.OpEvent:     {"event.handle", 5000},
		wire.OpConfigure: {"configure", 250},
		wire.OpPrepare:   {"format.prepare", 250},
		6:                {"unknown op", 0},
	} {
		if op.String() != want.name || wire.Deadline(op) != want.deadline {
			t.Errorf("op %d is %q with %d ms, want %q with %d ms", op, op, wire.Deadline(op), want.name, want.deadline)
		}
	}
}

func TestReplyHeadersAreSorted(t *testing.T) {
	if !slices.IsSorted(wire.ReplyHeaders) {
		t.Error("ReplyHeaders must be sorted, in lower case: the kernel searches in it")
	}
}

// TestDecodeRest looks at the part of a request that is left for DecodeEndpoints.
func TestDecodeRest(t *testing.T) {
	head := (&wire.FormatRequest{ID: "x", User: wire.User{Username: "alice"}}).Append(nil)
	one := (&wire.FormatRequest{Endpoints: []wire.Endpoint{{Address: "a"}}}).Append(nil)
	account := (&wire.FormatRequest{Accounts: []wire.Account{{ID: "1"}}}).Append(nil)
	for _, c := range []struct {
		name      string
		in        [][]byte
		part      []byte
		endpoints int
	}{
		{"none", [][]byte{head, account}, nil, 0},
		{"in order", [][]byte{head, one, one, account}, slices.Concat(one, one), 2},
		{"in front", [][]byte{one, head}, one, 1},
		{"an account between", [][]byte{head, one, account, one, account}, slices.Concat(one, account, one), 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			in := slices.Concat(c.in...)
			req := wire.FormatRequest{Endpoints: []wire.Endpoint{{Address: "from before"}}}
			part, err := req.DecodeRest(in)
			if err != nil || req.ID+req.User.Username != "xalice" || len(req.Endpoints) != 0 || !bytes.Equal(part, c.part) {
				t.Fatalf("got %+v and the part %q, %v", req, part, err)
			}
			if err := req.DecodeEndpoints(part); err != nil || len(req.Endpoints) != c.endpoints {
				t.Errorf("got %d endpoints, want %d, %v", len(req.Endpoints), c.endpoints, err)
			}
			for _, e := range req.Endpoints {
				if e.Address != "a" {
					t.Errorf("got the address %q", e.Address)
				}
			}
		})
	}
}

// TestVarints has the numbers at which one more byte is needed, at the end of a message and with more behind it.
func TestVarints(t *testing.T) {
	for shift := range 64 {
		for _, v := range []int64{1<<shift - 1, 1 << shift, 1<<shift + 1, -1 << shift} {
			for _, behind := range []string{"", "n", "a longer note"} {
				want, got := wire.User{ID: v, Note: behind}, wire.User{}
				if err := got.Decode(want.Append(nil)); err != nil || got != want {
					t.Errorf("%d before %q came back as %+v, %v", v, behind, got, err)
				}
			}
		}
	}
}

// TestAccountSizes crosses the sizes at which accounts, and fields of them, need one more byte for their length.
func TestAccountSizes(t *testing.T) {
	var got wire.FormatRequest
	for size := range 150 {
		text := strings.Repeat("r", size)
		want := []wire.Account{{Remark: text}, {Remark: "x", ID: text}, {ID: text, PrivateKey: "k", Addresses: []string{"", text}}, {}}
		if err := got.Decode((&wire.FormatRequest{Accounts: want}).Append(nil)); err != nil {
			t.Fatal(err)
		}
		for i := range want {
			if !bytes.Equal(got.Accounts[i].Append(nil), want[i].Append(nil)) {
				t.Errorf("%d bytes: account %d is %+v", size, i, got.Accounts[i])
			}
		}
	}
}
