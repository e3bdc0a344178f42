package subscription

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/sluicehq/sluice/sdk/wire"
)

// serverOnly are xhttp settings that concern the server alone and would only lengthen a link.
var serverOnly = []string{"noSSEHeader", "scMaxBufferedPosts", "scStreamUpServerSecs", "serverMaxHeaderBytes"}

func (s *stream) wireTransport() wire.Transport {
	c := s.carrier
	t := wire.Transport{Network: s.network}
	switch s.network {
	case "raw":
		s.httpHeader(&t)
	case "ws", "httpupgrade":
		t.Path, t.Host = c.text("path"), c.text("host")
		headersInto(&t, c)
	case "grpc":
		t.ServiceName, t.Authority, t.MultiMode = c.text("serviceName"), c.text("authority"), c.flag("multiMode")
	case "xhttp":
		t.Path, t.Host, t.Mode = c.text("path"), c.text("host"), c.text("mode")
		t.Padding, t.Extra = c.text("xPaddingBytes"), s.xhttpExtra()
		headersInto(&t, c)
	case "kcp":
		t.MTU, t.TTI = c.number("mtu"), c.number("tti")
	}
	return t
}

// headersInto takes the headers over, sorted; Host stands in for a host that the settings do not name.
func headersInto(t *wire.Transport, c object) {
	var headers map[string]string
	_ = json.Unmarshal(c.value("headers"), &headers)
	for name, value := range headers {
		if strings.EqualFold(name, "host") {
			if t.Host == "" {
				t.Host = value
			}
			continue
		}
		t.Headers = append(t.Headers, wire.Pair{Name: name, Value: value})
	}
	slices.SortFunc(t.Headers, func(a, b wire.Pair) int { return strings.Compare(a.Name, b.Name) })
}

// httpHeader reads the disguise of a raw transport: the first path and the first Host of the request it imitates.
func (s *stream) httpHeader(t *wire.Transport) {
	var header struct {
		Type    string `json:"type"`
		Request struct {
			Path    list            `json:"path"`
			Headers map[string]list `json:"headers"`
		} `json:"request"`
	}
	_ = json.Unmarshal(s.carrier.value("header"), &header)
	if header.Type != "http" {
		return
	}
	t.HeaderType, t.Path = "http", header.Request.Path.first()
	for name, values := range header.Request.Headers {
		if strings.EqualFold(name, "host") {
			t.Host = strings.Join(values, ",")
		}
	}
}

// xhttpExtra is what a client needs of an xhttp transport besides path, host and mode, as the one JSON object that
// links carry. What stands in "extra" itself wins, as it does in the core.
func (s *stream) xhttpExtra() string {
	extra := s.carrier.without(append([]string{"path", "host", "mode", "extra", "headers"}, serverOnly...)...)
	if headers := withoutHost(s.carrier.value("headers")); len(headers) > 0 {
		extra["headers"], _ = json.Marshal(headers)
	}
	var given object
	_ = json.Unmarshal(s.carrier.value("extra"), &given)
	for k, v := range given {
		extra[k] = v
	}
	return extra.compact()
}

func withoutHost(raw json.RawMessage) map[string]string {
	var headers map[string]string
	_ = json.Unmarshal(raw, &headers)
	for name := range headers {
		if strings.EqualFold(name, "host") {
			delete(headers, name)
		}
	}
	return headers
}

// wireHysteria reads what hysteria2 links say outside of TLS: the obfuscation and the ports to hop over, both of which
// the core keeps in finalmask.
func (s *stream) wireHysteria() wire.Hysteria {
	var mask struct {
		UDP []struct {
			Type     string `json:"type"`
			Settings struct {
				Password string `json:"password"`
			} `json:"settings"`
		} `json:"udp"`
		Quic struct {
			Hop struct {
				Ports json.RawMessage `json:"ports"`
			} `json:"udpHop"`
		} `json:"quicParams"`
	}
	_ = json.Unmarshal([]byte(s.mask.compact()), &mask)
	var h wire.Hysteria
	if ports := string(mask.Quic.Hop.Ports); ports != "null" {
		h.Ports = strings.Trim(ports, `"`) // a string or a number
	}
	for _, m := range mask.UDP {
		if m.Type == "salamander" {
			h.Obfs, h.ObfsPassword = m.Type, m.Settings.Password
		}
	}
	return h
}
