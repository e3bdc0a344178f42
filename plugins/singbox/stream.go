package singbox

import (
	"strings"

	"github.com/sluicehq/sluice/plugins/profile"
	"github.com/sluicehq/sluice/sdk/wire"
)

// carries says whether sing-box has the transport. The http header is HTTP/2 for it as soon as there is TLS, and a path
// of its own instead of a grpc service name is something that only the core knows.
func carries(t *wire.Transport, tls bool) bool {
	switch t.Network {
	case "", "raw":
		return t.HeaderType != "http" || !tls
	case "ws", "httpupgrade":
		return true
	case "grpc":
		return !strings.HasPrefix(t.ServiceName, "/")
	}
	return false
}

// transport writes the transport, and nothing for those that are the bare connection.
func transport(w *profile.Writer, t *wire.Transport) {
	kind := t.Network
	switch {
	case (kind == "" || kind == "raw") && t.HeaderType == "http":
		kind = "http"
	case kind != "ws" && kind != "httpupgrade" && kind != "grpc":
		return
	}
	path, early := profile.EarlyData(t.Path)
	path = urlPath(path)
	w.Key(`"transport":`)
	w.Open('{')
	w.Member(`"type":`, kind)
	switch kind {
	case "http":
		w.Member(`"method":`, "GET")
		w.Optional(`"path":`, urlPath(t.Path))
		if t.Host != "" {
			w.List(`"host":`, strings.Split(t.Host, ",")...)
		}
	case "ws":
		w.Optional(`"path":`, path)
		headers(w, t, t.Host)
		if early > 0 {
			w.Number(`"max_early_data":`, early)
			w.Member(`"early_data_header_name":`, "Sec-WebSocket-Protocol")
		}
	case "httpupgrade":
		w.Optional(`"path":`, path)
		w.Optional(`"host":`, t.Host)
		headers(w, t, "")
	case "grpc":
		w.Member(`"service_name":`, t.ServiceName)
	}
	w.Close('}')
}

// urlPath escapes every % that escapes nothing: for one of them sing-box refuses the document.
func urlPath(path string) string {
	for i := 0; i < len(path); i++ {
		if path[i] == '%' && (i+2 >= len(path) || !isHex(path[i+1]) || !isHex(path[i+2])) {
			path = path[:i] + "%25" + path[i+1:]
		}
	}
	return path
}

func isHex(c byte) bool { return strings.IndexByte("0123456789abcdefABCDEF", c) >= 0 }

// headers writes the headers and, if it is not empty, host as one of them.
func headers(w *profile.Writer, t *wire.Transport, host string) {
	if host == "" && len(t.Headers) == 0 {
		return
	}
	w.Key(`"headers":`)
	w.Open('{')
	w.Optional(`"Host":`, host)
	for _, h := range t.Headers {
		w.Key("")
		w.Quote(h.Name)
		w.Byte(':')
		w.Quote(h.Value)
	}
	w.Close('}')
}

// tls writes the client's side of TLS or REALITY.
func tls(w *profile.Writer, e *wire.Endpoint) {
	s := &e.Security
	if !profile.TLS(e) {
		return
	}
	w.Key(`"tls":`)
	w.Open('{')
	w.True(`"enabled":`, true)
	w.Optional(`"server_name":`, s.ServerName)
	w.List(`"alpn":`, profile.ALPN(e)...)
	if name := profile.Fingerprint(s); name != "" && e.Protocol != "hysteria" { // uTLS does not do QUIC
		w.Key(`"utls":`)
		w.Open('{')
		w.True(`"enabled":`, true)
		w.Member(`"fingerprint":`, name)
		w.Close('}')
	}
	if s.Kind == "reality" {
		w.Key(`"reality":`)
		w.Open('{')
		w.True(`"enabled":`, true)
		w.Member(`"public_key":`, s.PublicKey)
		w.Member(`"short_id":`, s.ShortID)
		w.Close('}')
	} else {
		w.True(`"insecure":`, profile.Insecure(e))
		ech(w, s)
	}
	w.Close('}')
}

// ech writes the ECH configuration as PEM, the form in which sing-box takes it.
func ech(w *profile.Writer, s *wire.Security) {
	if s.ECH == "" {
		return
	}
	w.Key(`"ech":`)
	w.Open('{')
	w.True(`"enabled":`, true)
	if config := profile.ECHConfig(s); config != "" {
		w.List(`"config":`, "-----BEGIN ECH CONFIGS-----", config, "-----END ECH CONFIGS-----")
	}
	w.Close('}')
}

// hysteria writes what only hysteria2 has. Ports to hop over are ranges, written with a colon.
func hysteria(w *profile.Writer, h *wire.Hysteria) {
	w.Hole(`"password":`, profile.Password)
	if h.Ports != "" {
		ranges := strings.Split(h.Ports, ",")
		for i, r := range ranges {
			first, last, isRange := strings.Cut(strings.TrimSpace(r), "-")
			if !isRange {
				last = first
			}
			ranges[i] = first + ":" + last
		}
		w.List(`"server_ports":`, ranges...)
	}
	if h.Obfs == "" {
		return
	}
	w.Key(`"obfs":`)
	w.Open('{')
	w.Member(`"type":`, h.Obfs)
	w.Member(`"password":`, h.ObfsPassword)
	w.Close('}')
}
