package main

import (
	"testing"

	"github.com/sluicehq/sluice/sdk"
	"github.com/sluicehq/sluice/sdk/wire"
)

func TestRender(t *testing.T) {
	req := sdk.FormatRequest{
		ID: "my-plugin",
		Endpoints: []sdk.Endpoint{
			{Protocol: "vless", Address: "de.example.com", Port: 443},
			{RawURI: "trojan://secret@elsewhere.example.com:443"},
		},
		Accounts: []sdk.Account{{Remark: "Ber\tlin 🇩🇪"}, {}},
	}
	b, err := sdk.Call(wire.OpFormat, req.Append(nil))
	if err != nil {
		t.Fatal(err)
	}
	var reply wire.FormatReply
	if err := reply.Decode(b); err != nil {
		t.Fatal(err)
	}
	const want = "Ber lin 🇩🇪\tvless\tde.example.com\t443\ntrojan://secret@elsewhere.example.com:443\n"
	if string(reply.Body) != want {
		t.Errorf("got %q, want %q", reply.Body, want)
	}
}
