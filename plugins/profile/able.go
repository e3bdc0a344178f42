package profile

import (
	"slices"
	"strings"

	"github.com/sluicehq/sluice/sdk/wire"
)

// Plain says whether the endpoint has nothing that only the core itself can do: vless encryption, and masks of the
// traffic other than what hysteria2 has of its own.
func Plain(e *wire.Endpoint) bool {
	return (e.VLESSEncryption == "" || e.VLESSEncryption == "none") && !masked(e)
}

// Renamed says whether the certificate has another name than the one that the client sends, so that only a client that
// looks at something else can trust it.
func Renamed(e *wire.Endpoint) bool {
	s := &e.Security
	return s.Kind == "tls" && s.VerifyName != "" && !slices.Contains(strings.Split(s.VerifyName, ","), s.ServerName) && !Insecure(e)
}

// masked says whether the server expects a mask. Each names its type, and no other part of finalmask has one; fragment
// and noise are the client's own affair.
func masked(e *wire.Endpoint) bool {
	masks := count(e.Finalmask, "") - count(e.Finalmask, "fragment") - count(e.Finalmask, "noise")
	if e.Protocol == "hysteria" {
		masks -= count(e.Finalmask, "salamander")
	}
	return masks > 0
}

// count counts the masks of a type, "" = of any.
func count(finalmask, kind string) int {
	if kind != "" {
		kind += `"`
	}
	return strings.Count(finalmask, `"type":"`+kind)
}

// Insecure says whether the operator tells apps to take any certificate.
func Insecure(e *wire.Endpoint) bool {
	for _, p := range e.Params {
		if p.Name == "allowInsecure" {
			return p.Value == "1"
		}
	}
	return false
}

// TLS says whether the endpoint has a security of the kind that the apps put under tls.
func TLS(e *wire.Endpoint) bool { return e.Security.Kind == "tls" || e.Security.Kind == "reality" }

// ALPN is what the client must offer. WebSocket and its like need HTTP/1.1, whatever else the server speaks, and grpc
// needs what the app chooses by itself.
func ALPN(e *wire.Endpoint) []string {
	switch {
	case e.Security.Kind != "tls" || e.Transport.Network == "grpc":
		return nil
	case e.Transport.Network == "ws" || e.Transport.Network == "httpupgrade":
		return []string{"http/1.1"}
	}
	return e.Security.ALPN
}

// Fingerprint is the browser to imitate, by one of the names that sing-box and mihomo have in common; "" = none. What
// they do not know would make them refuse the document, so that it becomes chrome.
func Fingerprint(s *wire.Security) string {
	switch s.Fingerprint {
	case "chrome", "firefox", "edge", "safari", "360", "qq", "ios", "android", "random", "randomized":
		return s.Fingerprint
	case "":
		if s.Kind != "reality" { // which can not do without
			return ""
		}
	case "unsafe": // the core's name for none
		if s.Kind != "reality" {
			return ""
		}
	}
	return "chrome"
}

// EarlyData splits the path of a WebSocket from the parameter by which the core's links say how many bytes the client
// may send with the handshake, 0 = none.
func EarlyData(path string) (bare string, size uint32) {
	bare, query, found := strings.Cut(path, "?")
	if !found {
		return path, 0
	}
	sep := "?"
	for param := range strings.SplitSeq(query, "&") {
		if value, is := strings.CutPrefix(param, "ed="); is {
			size = decimal(value)
			continue
		}
		bare += sep + param
		sep = "&"
	}
	return bare, size
}

// decimal reads a number of up to nine digits, 0 if it is none.
func decimal(s string) (v uint32) {
	if len(s) > 9 {
		return 0
	}
	for _, c := range []byte(s) {
		if c < '0' || c > '9' {
			return 0
		}
		v = v*10 + uint32(c-'0')
	}
	return v
}

// ECHConfig is the base64 of the ECH configuration, "" if the client is to ask the DNS for it: the core then has the
// address of a DNS server instead.
func ECHConfig(s *wire.Security) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
	if len(s.ECH)%4 != 0 || strings.Trim(strings.TrimRight(s.ECH, "="), alphabet) != "" {
		return ""
	}
	return s.ECH
}
