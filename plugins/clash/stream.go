package clash

import (
	"strings"

	"github.com/sluicehq/sluice/plugins/profile"
	"github.com/sluicehq/sluice/sdk/wire"
)

// network is the transport by the name that mihomo has for it, "" if it has none. A path of its own instead of a grpc
// service name is something that only the core knows.
func network(t *wire.Transport) string {
	switch t.Network {
	case "", "raw":
		if t.HeaderType == "http" {
			return "http"
		}
		return "tcp"
	case "ws", "httpupgrade":
		return "ws"
	case "grpc":
		if !strings.HasPrefix(t.ServiceName, "/") {
			return "grpc"
		}
	}
	return ""
}

// stream writes the transport and the security.
func stream(w *profile.Writer, e *wire.Endpoint, serverName string) {
	t := &e.Transport
	w.Member(" network: ", network(t))
	switch t.Network {
	case "ws", "httpupgrade":
		webSocket(w, t)
	case "grpc":
		w.Key(" grpc-opts: ")
		w.Open('{')
		w.Key("grpc-service-name: ")
		w.Byte('"')
		w.Escape(t.ServiceName) // mihomo sends it as it is, the core escapes it
		w.Byte('"')
		w.Close('}')
	default:
		if t.HeaderType == "http" {
			httpHeader(w, t)
		}
	}
	w.True(" tls: ", profile.TLS(e))
	security(w, e, serverName)
}

// webSocket writes what HTTP upgrades and WebSockets have in common, which are one network here.
func webSocket(w *profile.Writer, t *wire.Transport) {
	path, early := profile.EarlyData(t.Path)
	w.Key(" ws-opts: ")
	w.Open('{')
	w.Optional("path: ", path)
	if t.Host != "" || len(t.Headers) > 0 {
		w.Key(" headers: ")
		w.Open('{')
		w.Optional("Host: ", t.Host)
		for _, h := range t.Headers {
			w.Key(" ")
			w.Quote(h.Name)
			w.Str(": ")
			w.Quote(h.Value)
		}
		w.Close('}')
	}
	if t.Network == "httpupgrade" {
		w.True(" v2ray-http-upgrade: ", true)
	} else if early > 0 {
		w.Number(" max-early-data: ", early)
		w.Member(" early-data-header-name: ", "Sec-WebSocket-Protocol")
	}
	w.Close('}')
}

// httpHeader writes the disguise of a raw transport.
func httpHeader(w *profile.Writer, t *wire.Transport) {
	w.Key(" http-opts: ")
	w.Open('{')
	w.Member("method: ", "GET")
	if t.Path != "" {
		w.List(" path: ", t.Path)
	}
	if t.Host != "" {
		w.Key(" headers: ")
		w.Open('{')
		w.List("Host: ", strings.Split(t.Host, ",")...)
		w.Close('}')
	}
	w.Close('}')
}

// security writes the client's side of TLS or REALITY; serverName is the key that the protocol has for it.
func security(w *profile.Writer, e *wire.Endpoint, serverName string) {
	s := &e.Security
	if !profile.TLS(e) {
		return
	}
	w.Optional(serverName, s.ServerName)
	w.Optional(" client-fingerprint: ", profile.Fingerprint(s))
	if s.Kind == "reality" {
		w.Key(" reality-opts: ")
		w.Open('{')
		w.Member("public-key: ", s.PublicKey)
		w.Member(" short-id: ", s.ShortID)
		w.Close('}')
		return
	}
	w.List(" alpn: ", profile.ALPN(e)...)
	w.True(" skip-cert-verify: ", profile.Insecure(e))
	if len(s.PinnedCertSHA256) > 0 {
		w.Member(" fingerprint: ", s.PinnedCertSHA256[0]) // it takes one
	}
	if s.ECH == "" {
		return
	}
	w.Key(" ech-opts: ")
	w.Open('{')
	w.True("enable: ", true)
	w.Optional(" config: ", profile.ECHConfig(s))
	w.Close('}')
}
