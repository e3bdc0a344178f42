package links

import "github.com/sluicehq/sluice/sdk/wire"

// params are the parameters of a link under the names that apps know, whatever the protocol. Empty ones are left out.
type params struct {
	alpn        []string
	authority   string
	ech         string
	encryption  string
	extra       string
	finalmask   string
	fingerprint string
	headerType  string
	host        string
	insecure    string // allowInsecure, "1" or nothing
	mode        string
	mtu         uint32
	path        string
	publicKey   string   // pbk
	pins        []string // pcs
	mldsa       string   // pqv
	security    string
	seed        string
	serviceName string
	shortID     string // sid
	sni         string
	spiderX     string // spx
	tti         uint32
	network     string // type
	verifyName  string // vcn
	padding     string // x_padding_bytes
}

// collect takes from the endpoint what its transport and its security use. p is zero before.
// The names are those of 3x-ui.
func (p *params) collect(e *wire.Endpoint) {
	p.finalmask, p.security = e.Finalmask, "none"
	p.collectTransport(&e.Transport)
	p.collectSecurity(&e.Security)
	for _, param := range e.Params {
		if param.Name == "allowInsecure" && p.security == "tls" {
			p.insecure = param.Value
		}
	}
}

// collectTransport takes only what the network uses: a host may have switched networks and left the old fields in.
func (p *params) collectTransport(t *wire.Transport) {
	p.network = t.Network
	switch t.Network {
	case "", "raw":
		p.network = "tcp" // its name in links, from before it was called raw
		if t.HeaderType == "http" {
			p.headerType, p.path, p.host = t.HeaderType, t.Path, t.Host
		}
	case "ws", "httpupgrade":
		p.path, p.host = t.Path, t.Host
	case "grpc":
		p.serviceName, p.authority = t.ServiceName, t.Authority
		if t.MultiMode {
			p.mode = "multi"
		}
	case "xhttp":
		p.path, p.host, p.mode, p.padding, p.extra = t.Path, t.Host, t.Mode, t.Padding, t.Extra
	case "kcp":
		p.headerType, p.seed, p.mtu, p.tti = t.HeaderType, t.Seed, t.MTU, t.TTI
	}
}

// collectSecurity takes only what the kind of security uses.
func (p *params) collectSecurity(s *wire.Security) {
	switch s.Kind {
	case "tls":
		p.security, p.sni, p.alpn, p.fingerprint = s.Kind, s.ServerName, s.ALPN, s.Fingerprint
		p.ech, p.verifyName, p.pins = s.ECH, s.VerifyName, s.PinnedCertSHA256
	case "reality":
		p.security, p.sni, p.fingerprint = s.Kind, s.ServerName, s.Fingerprint
		p.publicKey, p.shortID, p.spiderX, p.mldsa = s.PublicKey, s.ShortID, s.SpiderX, s.MLDSA65Verify
	}
}
