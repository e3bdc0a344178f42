// Package linkstest has the requests by which share links are tested, natively and through the plugin host.
package linkstest

import (
	_ "embed" // for the table
	"encoding/json"
	"fmt"

	"github.com/sluicehq/sluice/sdk/wire"
)

//go:embed cases.json
var table []byte

// Case is one endpoint with its account, and the link that it must become.
type Case struct {
	Name     string        `json:"name"`
	Endpoint wire.Endpoint `json:"endpoint"`
	Account  wire.Account  `json:"account"`
	Link     string        `json:"link"`
	Object   string        `json:"object"` // vmess: what the base64 in Link holds, to be readable
}

// Request is the case as a request for the format id.
func (c *Case) Request(id string) *wire.FormatRequest {
	return &wire.FormatRequest{ID: id, Endpoints: []wire.Endpoint{c.Endpoint}, Accounts: []wire.Account{c.Account}}
}

// Cases is the golden table: every protocol with every transport and security, and the values that are hard to escape.
func Cases() []Case {
	var cases []Case
	if err := json.Unmarshal(table, &cases); err != nil {
		panic(fmt.Sprintf("cases.json: %v", err))
	}
	return cases
}

// All is one request for the format id with every case in it.
func All(id string) *wire.FormatRequest {
	req := &wire.FormatRequest{ID: id}
	for _, c := range Cases() {
		req.Endpoints, req.Accounts = append(req.Endpoints, c.Endpoint), append(req.Accounts, c.Account)
	}
	return req
}

// usual are the cases of which a subscription of ten endpoints is made, about 3 KB of links.
var usual = []string{
	"vless raw reality", "vless ws tls", "vless grpc tls", "vless httpupgrade tls", "vmess ws tls", "vmess raw http none",
	"trojan raw tls", "trojan ws tls", "shadowsocks raw none", "shadowsocks 2022 raw none",
}

// Sample is a request for the format id with ten endpoints as operators have them; benchmarks use it.
func Sample(id string) *wire.FormatRequest {
	byName := map[string]Case{}
	for _, c := range Cases() {
		byName[c.Name] = c
	}
	req := &wire.FormatRequest{
		ID: id, Now: 1_790_000_000_000, Entropy: make([]byte, wire.EntropySize),
		User: wire.User{
			ID: 42, Username: "alice_0042", SubID: "k7v1c0q9m2x8a4z6", Status: "active", Up: 12 << 30, Down: 80 << 30,
			HasQuota: true, Quota: 100 << 30, ExpireAt: 1_798_761_600_000, CreatedAt: 1_700_000_000_000,
		},
	}
	for _, name := range usual {
		c, ok := byName[name]
		if !ok {
			panic("cases.json has no case " + name)
		}
		req.Endpoints, req.Accounts = append(req.Endpoints, c.Endpoint), append(req.Accounts, c.Account)
	}
	return req
}
