package domain

import (
	"encoding/json"
	"fmt"
	"strings"
)

// Protocol is an inbound protocol, spelled as the core spells it.
type Protocol string

// The protocols that Sluice serves.
const (
	VLESS       Protocol = "vless"
	VMess       Protocol = "vmess"
	Trojan      Protocol = "trojan"
	Shadowsocks Protocol = "shadowsocks"
	Hysteria    Protocol = "hysteria" // version 2
)

// Protocols lists what Sluice serves, in the order in which they are named to a caller.
var Protocols = []Protocol{VLESS, VMess, Trojan, Shadowsocks, Hysteria}

// Inbound is one listening door of the core.
type Inbound struct {
	ID             int64    `bun:"id,pk,autoincrement"`
	Tag            string   `bun:"tag"` // unique; the core's name of it
	Remark         string   `bun:"remark"`
	Protocol       Protocol `bun:"protocol"`
	Listen         string   `bun:"listen"` // IP address, "" = all
	Port           int      `bun:"port"`
	Enabled        bool     `bun:"enabled"`
	Anonymous      bool     `bun:"anonymous"`       // connections without a user are let in
	ShareAddress   string   `bun:"share_address"`   // host that links carry, "" = the public host
	Settings       string   `bun:"settings"`        // JSON object without clients
	StreamSettings string   `bun:"stream_settings"` // JSON object, "" = raw without security
	Sniffing       string   `bun:"sniffing"`        // JSON object, "" = off
	Quota          *int64   `bun:"quota"`           // bytes, nil = none
	ExpireAt       *int64   `bun:"expire_at"`       // ms UTC, nil = never
	Up             int64    `bun:"up"`              // bytes since the last reset
	Down           int64    `bun:"down"`            // bytes since the last reset
	Revision       int64    `bun:"revision"`        // seq of the change that wrote the row last
	CreatedAt      int64    `bun:"created_at"`      // ms UTC
	UpdatedAt      int64    `bun:"updated_at"`      // ms UTC
}

// Serves says whether the inbound is to be open at now (ms UTC): switched on, in time, and within its quota.
func (in *Inbound) Serves(now int64) bool {
	return in.Enabled && (in.ExpireAt == nil || *in.ExpireAt > now) && (in.Quota == nil || in.Up+in.Down < *in.Quota)
}

// Stream is what the rules of this package need to know of an inbound's transport.
type Stream struct {
	Network  string `json:"network"`  // canonical: raw, ws, grpc, httpupgrade, xhttp, kcp, hysteria
	Security string `json:"security"` // none, tls, reality
	Method   string `json:"method"`   // the core's newer name of network
}

// Stream reads the transport of the inbound, with the core's aliases and defaults resolved.
func (in *Inbound) Stream() (Stream, error) {
	s := Stream{}
	if in.StreamSettings != "" {
		if err := json.Unmarshal([]byte(in.StreamSettings), &s); err != nil {
			return s, Invalid("streamSettings", "is not a valid JSON object").Because(err)
		}
	}
	if s.Network == "" {
		s.Network = s.Method
	}
	s.Network, s.Security = NormalNetwork(s.Network), strings.ToLower(s.Security)
	if s.Security == "" {
		s.Security = "none"
	}
	return s, nil
}

// NormalNetwork maps the spellings of a transport to one.
func NormalNetwork(network string) string {
	switch n := strings.ToLower(network); n {
	case "", "tcp":
		return "raw"
	case "websocket":
		return "ws"
	case "splithttp":
		return "xhttp"
	case "mkcp":
		return "kcp"
	default:
		return n
	}
}

// Method is the shadowsocks method of the inbound, "" when it names none.
func (in *Inbound) Method() string {
	var s struct {
		Method string `json:"method"`
	}
	if json.Unmarshal([]byte(in.Settings), &s) != nil {
		return ""
	}
	if normal, ok := NormalMethod(s.Method); ok {
		return normal
	}
	return s.Method
}

// EffectiveFlow is the flow that the user has on this inbound: the given one where the inbound can carry it, else "".
// Source: evidence/xray-embedding.md §9 "flow": raw with tls or reality, or xhttp with vless encryption.
func (in *Inbound) EffectiveFlow(flow string) string {
	if in.Protocol != VLESS || flow != FlowVision {
		return ""
	}
	s, err := in.Stream()
	switch {
	case err != nil:
		return ""
	case s.Network == "raw" && (s.Security == "tls" || s.Security == "reality"),
		s.Network == "xhttp" && in.encrypted():
		return flow
	}
	return ""
}

// encrypted says whether a vless inbound carries its own encryption.
func (in *Inbound) encrypted() bool {
	var s struct {
		Decryption string `json:"decryption"`
	}
	return json.Unmarshal([]byte(in.Settings), &s) == nil && s.Decryption != "" && s.Decryption != "none"
}

// DefaultTag is the tag of an inbound that was given none, as 3x-ui makes them.
func (in *Inbound) DefaultTag() string {
	network := ""
	tcp, udp := in.Networks()
	if tcp {
		network += "tcp"
	}
	if udp {
		network += "udp"
	}
	return fmt.Sprintf("in-%d-%s", in.Port, network)
}

// Networks says which of tcp and udp the inbound listens on.
func (in *Inbound) Networks() (tcp, udp bool) {
	if in.Protocol == Shadowsocks {
		var s struct {
			Network string `json:"network"`
		}
		if json.Unmarshal([]byte(in.Settings), &s) == nil && s.Network != "" {
			return strings.Contains(s.Network, "tcp"), strings.Contains(s.Network, "udp")
		}
	}
	if s, err := in.Stream(); err == nil && (s.Network == "kcp" || s.Network == "hysteria") {
		return false, true
	}
	return true, false
}

// Collides says whether the two inbounds could not listen at the same time.
func (in *Inbound) Collides(other *Inbound) bool {
	tcp, udp := in.Networks()
	otherTCP, otherUDP := other.Networks()
	sameNetwork := tcp && otherTCP || udp && otherUDP
	return sameNetwork && in.Port == other.Port &&
		(in.Listen == other.Listen || in.listensOnAll() || other.listensOnAll())
}

func (in *Inbound) listensOnAll() bool {
	return in.Listen == "" || in.Listen == "0.0.0.0" || in.Listen == "::"
}
