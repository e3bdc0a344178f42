//go:build interop

package main

import "path"

// known is what a client can not do. Every entry must be true of every combination that it matches, and match one.
type known map[string][]limit

// limit is one thing that a client can not do.
type limit struct {
	combination string // pattern of path.Match for the name
	why         string
}

// reason is why, "" = nothing is known.
func (k known) reason(client, combination string) string {
	for _, l := range k[client] {
		if ok, _ := path.Match(l.combination, combination); ok {
			return l.why
		}
	}
	return ""
}

// old is why clients other than the core's own do not get through a REALITY inbound as it is by default.
const old = "the core asks for REALITY clients of 26.3.27 or later by default, and it says it is older; minClientVer helps"

// leftOut is what the document for a client does not hold, or what the client can not read.
var leftOut = known{
	"sing-box": {
		{"* xhttp*", "sing-box has no xhttp"},
		{"* kcp none", "sing-box has no kcp"},
		{"vless encryption", "sing-box has no VLESS encryption"},
	},
	"mihomo": {
		{"* xhttp*", "mihomo 1.18 has no xhttp"},
		{"* kcp none", "mihomo has no kcp"},
		{"vless encryption", "mihomo 1.18 has no VLESS encryption"},
		{"trojan * none", "mihomo speaks trojan over TLS only"},
		{"vmess grpc reality", "mihomo 1.18 makes its gRPC client before it reads the REALITY options of vmess"},
	},
	"mihomo links": {
		{"vless http header none", "mihomo makes h2-opts of it, which it can then not read itself"},
	},
}

// knownFailures is what a document holds and the client does not get through.
var knownFailures = known{
	"sing-box": {
		{"vless raw reality default version", old},
	},
	"mihomo": {
		{"vless raw reality default version", old},
	},
	"mihomo links": {
		{"* xhttp*", "mihomo 1.18 has no xhttp"},
		{"* kcp none", "mihomo has no kcp"},
		{"* httpupgrade *", "mihomo reads a network from a link that it knows only as an option of ws"},
		{"trojan * none", "mihomo speaks trojan over TLS only"},
		{"trojan * reality", "mihomo reads no REALITY from a trojan link"},
		{"vmess * reality", "mihomo reads no REALITY from a vmess link"},
		{"vless encryption", "mihomo 1.18 has no VLESS encryption"},
		{"vless raw reality default version", old},
	},
}
