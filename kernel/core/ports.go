package core

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/sluicehq/sluice/kernel/domain"
)

// clash returns the open inbound whose port the inbound needs, nil when there is none. The core shares ports between its
// own listeners without a word, and connections would reach either.
func clash(in *domain.Inbound, open []*listener) *domain.Inbound {
	i := slices.IndexFunc(open, func(l *listener) bool {
		o := &l.in
		return o.ID != in.ID && o.Port == in.Port && overlap(o.Listen, in.Listen) && sameNetwork(o, in)
	})
	if i < 0 {
		return nil
	}
	return &open[i].in
}

// overlap says whether two listen addresses share one. The two wildcards do: on Linux :: takes IPv4 too.
func overlap(a, b string) bool {
	anywhere := func(s string) bool { return s == "" || s == "0.0.0.0" || s == "::" }
	return a == b || anywhere(a) || anywhere(b)
}

// sameNetwork says whether two inbounds both listen on TCP, or both on UDP.
func sameNetwork(a, b *domain.Inbound) bool {
	aTCP, aUDP := networks(a)
	bTCP, bUDP := networks(b)
	return aTCP && bTCP || aUDP && bUDP
}

// networks says what an inbound listens on. Which it is decides more than the protocol: kcp and hysteria are made of UDP,
// xhttp is when HTTP/3 is all it offers, and shadowsocks takes what its settings name, by default TCP alone.
func networks(in *domain.Inbound) (tcp, udp bool) {
	var settings struct {
		Network any `json:"network"` // "tcp,udp" or a list
	}
	var stream struct {
		TLS struct {
			ALPN []string `json:"alpn"`
		} `json:"tlsSettings"`
	}
	s, err := in.Stream()
	_ = json.Unmarshal([]byte(in.Settings), &settings) // what can not be read here is not built either
	_ = json.Unmarshal([]byte(in.StreamSettings), &stream)
	switch {
	case err != nil:
		return true, true
	case s.Network == "kcp" || s.Network == "hysteria",
		s.Network == "xhttp" && s.Security == "tls" && slices.Equal(stream.TLS.ALPN, []string{"h3"}):
		return false, true
	case in.Protocol == domain.Shadowsocks && settings.Network != nil:
		names := strings.ToLower(fmt.Sprint(settings.Network))
		return strings.Contains(names, "tcp"), strings.Contains(names, "udp")
	}
	return true, false
}
