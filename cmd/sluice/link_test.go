package main

import (
	"encoding/base64"
	"encoding/json"
	"net/url"
	"strconv"
	"strings"
	"testing"
)

// outboundOf reads a share link as a client app does and returns the outbound of an xray client.
func outboundOf(t *testing.T, link string) string {
	t.Helper()
	if rest, ok := strings.CutPrefix(link, "vmess://"); ok {
		return vmessOutbound(t, rest)
	}
	if strings.HasPrefix(link, "ss://") {
		return shadowsocksOutbound(t, link)
	}
	u, err := url.Parse(link)
	if err != nil {
		t.Fatalf("%s: %v", link, err)
	}
	q, server := u.Query(), serverOf(t, u)
	out := object{"streamSettings": streamOf(q)}
	switch u.Scheme {
	case "vless":
		out["protocol"] = "vless"
		out["settings"] = object{"vnext": []any{merged(server, object{"users": []any{object{
			"id": u.User.Username(), "encryption": q.Get("encryption"), "flow": q.Get("flow"),
		}}})}}
	case "trojan":
		out["protocol"] = "trojan"
		out["settings"] = object{"servers": []any{merged(server, object{"password": u.User.Username()})}}
	case "hysteria2":
		out["protocol"] = "hysteria"
		out["settings"] = merged(server, object{"version": 2})
		q.Set("security", "tls")
		q.Set("alpn", "h3")
		q.Set("pcs", q.Get("pinSHA256"))
		stream := streamOf(q)
		stream["network"] = "hysteria"
		if q.Get("obfs") != "" {
			stream["finalmask"] = object{"udp": []any{object{"type": q.Get("obfs"), "settings": object{"password": q.Get("obfs-password")}}}}
		}
		stream["hysteriaSettings"] = object{"version": 2, "auth": u.User.Username()}
		out["streamSettings"] = stream
	default:
		t.Fatalf("unknown link %s", link)
	}
	return text(t, out)
}

type object = map[string]any

func merged(a, b object) object {
	for k, v := range b {
		a[k] = v
	}
	return a
}

func serverOf(t *testing.T, u *url.URL) object {
	t.Helper()
	port, err := strconv.Atoi(u.Port())
	if err != nil {
		t.Fatalf("port of %s: %v", u, err)
	}
	return object{"address": u.Hostname(), "port": port}
}

func streamOf(q url.Values) object {
	network := q.Get("type")
	s := object{"network": network, "security": q.Get("security")}
	switch network {
	case "ws", "httpupgrade", "xhttp":
		settings := object{"path": q.Get("path"), "host": q.Get("host")}
		if mode := q.Get("mode"); mode != "" {
			settings["mode"] = mode
		}
		s[network+"Settings"] = settings
	case "tcp":
		if q.Get("headerType") == "http" {
			s["rawSettings"] = object{"header": object{"type": "http", "request": object{
				"path": []string{q.Get("path")}, "headers": object{"Host": []string{q.Get("host")}},
			}}}
		}
	case "kcp":
		s["kcpSettings"] = object{"mtu": json.Number(q.Get("mtu")), "tti": json.Number(q.Get("tti"))}
	case "grpc":
		s["grpcSettings"] = object{"serviceName": q.Get("serviceName"), "multiMode": q.Get("mode") == "multi"}
	}
	switch q.Get("security") {
	case "tls":
		settings := object{"serverName": q.Get("sni"), "fingerprint": q.Get("fp"), "pinnedPeerCertSha256": q.Get("pcs")}
		if alpn := q.Get("alpn"); alpn != "" {
			settings["alpn"] = strings.Split(alpn, ",")
		}
		s["tlsSettings"] = settings
	case "reality":
		s["realitySettings"] = object{
			"serverName": q.Get("sni"), "fingerprint": q.Get("fp"), "publicKey": q.Get("pbk"),
			"shortId": q.Get("sid"), "spiderX": q.Get("spx"),
		}
	}
	return s
}

func vmessOutbound(t *testing.T, encoded string) string {
	t.Helper()
	raw, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil {
		t.Fatalf("vmess link: %v", err)
	}
	var v struct {
		Add, ID, Net, Type, Host, Path, TLS, SNI, FP, ALPN, PCS, Scy string
		Port                                                         json.Number
	}
	if err := json.Unmarshal(raw, &v); err != nil {
		t.Fatalf("vmess link: %v in %s", err, raw)
	}
	return text(t, object{
		"protocol": "vmess",
		"settings": object{"vnext": []any{object{
			"address": v.Add, "port": v.Port, "users": []any{object{"id": v.ID, "security": v.Scy}},
		}}},
		"streamSettings": streamOf(url.Values{
			"type": {v.Net}, "security": {v.TLS}, "sni": {v.SNI}, "fp": {v.FP}, "alpn": {v.ALPN}, "pcs": {v.PCS},
			"host": {v.Host}, "path": {v.Path}, "serviceName": {v.Path},
		}),
	})
}

// shadowsocksOutbound reads both forms: base64 of method:password for the classic methods, and method:keys
// percent-encoded for those of 2022.
func shadowsocksOutbound(t *testing.T, link string) string {
	t.Helper()
	u, err := url.Parse(link)
	if err != nil {
		t.Fatalf("%s: %v", link, err)
	}
	method, password := u.User.Username(), ""
	if p, ok := u.User.Password(); ok {
		password = p
	} else {
		raw, err := base64.RawURLEncoding.DecodeString(method)
		if err != nil {
			t.Fatalf("%s: %v", link, err)
		}
		method, password, _ = strings.Cut(string(raw), ":")
	}
	return text(t, object{
		"protocol": "shadowsocks",
		"settings": object{"servers": []any{merged(serverOf(t, u), object{"method": method, "password": password})}},
	})
}

func text(t *testing.T, v any) string {
	t.Helper()
	raw, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}
