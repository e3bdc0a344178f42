// Package profiletest has the requests by which the formats that are whole documents are tested.
package profiletest

import (
	"encoding/json"
	"fmt"

	"github.com/sluicehq/sluice/plugins/links/linkstest"
	"github.com/sluicehq/sluice/sdk/wire"
)

// Case is one endpoint with its account.
type Case struct {
	Name     string
	Endpoint wire.Endpoint
	Account  wire.Account
}

// Request is the case as a request.
func (c *Case) Request() *wire.FormatRequest {
	return &wire.FormatRequest{Endpoints: []wire.Endpoint{c.Endpoint}, Accounts: []wire.Account{c.Account}}
}

// Cases is the golden table of the links, every protocol with every transport and security, and what concerns only
// documents. All endpoints have streamSettings.
func Cases() []Case {
	var cases []Case
	for _, c := range linkstest.Cases() {
		cases = append(cases, Case{c.Name, c.Endpoint, c.Account})
	}
	cases = append(cases, own()...)
	for i := range cases {
		dress(&cases[i].Endpoint)
	}
	return cases
}

// own are the cases that links do not have.
func own() []Case {
	tls := wire.Security{Kind: "tls", ServerName: "sni.example.com"}
	with := func(change func(s *wire.Security)) wire.Security {
		s := tls
		change(&s)
		return s
	}
	insecure := []wire.Pair{{Name: "allowInsecure", Value: "1"}}
	trojan := func(name string, e wire.Endpoint) Case {
		e.Protocol, e.Address, e.Port = "trojan", "t.example.com", 443
		return Case{name, e, wire.Account{Password: "p", Remark: name}}
	}
	return []Case{
		trojan("insecure", wire.Endpoint{Security: tls, Params: insecure}),
		trojan("ech", wire.Endpoint{Security: with(func(s *wire.Security) { s.ECH = "AEX+DQBB" })}),
		trojan("ech by dns", wire.Endpoint{Security: with(func(s *wire.Security) { s.ECH = "e.example.com+https://1.1.1.1/dns-query" })}),
		trojan("unknown fingerprint", wire.Endpoint{Security: with(func(s *wire.Security) { s.Fingerprint = "hellochrome_131" })}),
		trojan("unsafe fingerprint", wire.Endpoint{Security: with(func(s *wire.Security) { s.Fingerprint = "unsafe" })}),
		trojan("verified under another name", wire.Endpoint{Security: with(func(s *wire.Security) { s.VerifyName = "v.example.com" })}),
		trojan("masked", wire.Endpoint{Security: tls, Finalmask: `{"tcp":[{"type":"sudoku"}]}`}),
		trojan("ws with a query", wire.Endpoint{Security: tls, Transport: wire.Transport{Network: "ws", Path: "/p?a=1&ed=512&b=2"}}),
		trojan("grpc with a path of its own", wire.Endpoint{Security: tls, Transport: wire.Transport{Network: "grpc", ServiceName: "/a/b|c"}}),
		{
			"mux",
			wire.Endpoint{Protocol: "vless", Address: "m.example.com", Port: 443, Security: tls, Mux: `{"enabled":true,"concurrency":8}`},
			wire.Account{ID: "b831381d-6324-4d53-ad4f-8cda48b30811", Remark: "mux"},
		},
		{
			"mux and flow",
			wire.Endpoint{Protocol: "vless", Address: "m.example.com", Port: 443, Security: tls, Mux: `{"enabled":true,"concurrency":8}`},
			wire.Account{ID: "b831381d-6324-4d53-ad4f-8cda48b30811", Flow: "xtls-rprx-vision", Remark: "mux and flow"},
		},
		{
			"short id that looks like a number",
			wire.Endpoint{
				Protocol: "vless", Address: "r.example.com", Port: 443,
				Security: wire.Security{Kind: "reality", ServerName: "www.example.org", PublicKey: "7xhH4b_VkliBxGulljcyPOH-bYUA2dl-XAdZAsfhk04", ShortID: "2351e1"},
			},
			wire.Account{ID: "b831381d-6324-4d53-ad4f-8cda48b30811", Remark: "2351e1"},
		},
		trojan("auto", wire.Endpoint{Security: tls}), // the name of a group
		trojan("DIRECT", wire.Endpoint{Security: tls}),
	}
}

// All is one request with every case in it.
func All() *wire.FormatRequest {
	req := new(wire.FormatRequest)
	for _, c := range Cases() {
		req.Endpoints, req.Accounts = append(req.Endpoints, c.Endpoint), append(req.Accounts, c.Account)
	}
	return req
}

// Sample is a request with ten endpoints as operators have them; benchmarks use it.
func Sample() *wire.FormatRequest {
	req := linkstest.Sample("")
	for i := range req.Endpoints {
		dress(&req.Endpoints[i])
	}
	return req
}

// dress gives the endpoint the streamSettings that its other fields describe, as the kernel does.
func dress(e *wire.Endpoint) {
	if e.RawURI != "" || e.StreamSettings != "" {
		return
	}
	t, s := &e.Transport, &e.Security
	network := t.Network
	switch {
	case e.Protocol == "hysteria":
		network = "hysteria"
	case network == "":
		network = "raw"
	}
	out := map[string]any{"network": network}
	switch network {
	case "ws", "httpupgrade":
		headers := map[string]string{}
		for _, h := range t.Headers {
			headers[h.Name] = h.Value
		}
		out[network+"Settings"] = map[string]any{"path": t.Path, "host": t.Host, "headers": headers}
	case "grpc":
		out["grpcSettings"] = map[string]any{"serviceName": t.ServiceName, "authority": t.Authority, "multiMode": t.MultiMode}
	case "xhttp":
		out["xhttpSettings"] = map[string]any{"path": t.Path, "host": t.Host, "mode": t.Mode}
	case "hysteria":
		out["hysteriaSettings"] = map[string]any{"version": 2}
	}
	if s.Kind != "" {
		out["security"] = s.Kind
	}
	switch s.Kind {
	case "tls":
		out["tlsSettings"] = map[string]any{"serverName": s.ServerName, "alpn": s.ALPN, "fingerprint": s.Fingerprint}
	case "reality":
		out["realitySettings"] = map[string]any{
			"serverName": s.ServerName, "fingerprint": "chrome", "publicKey": s.PublicKey, "shortId": s.ShortID, "spiderX": s.SpiderX,
		}
	}
	text, err := json.Marshal(out)
	if err != nil {
		panic(fmt.Sprintf("streamSettings: %v", err))
	}
	e.StreamSettings = string(text)
}
