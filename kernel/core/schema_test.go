package core

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/xtls/xray-core/infra/conf"

	"github.com/sluicehq/sluice/kernel/domain"
)

// TestFieldsOfTheCore compares what is allowed with what this version of the core reads. A field that an update brings
// fails here, and somebody decides about it.
func TestFieldsOfTheCore(t *testing.T) {
	const removed = "header seed" // the core refuses them itself
	for _, c := range []struct {
		name    string
		core    any
		allowed fields
		leftOut string // on purpose
	}{
		{"vless", conf.VLessInboundConfig{}, settingsFields[domain.VLESS], "users clients flow"},
		{"vmess", conf.VMessInboundConfig{}, settingsFields[domain.VMess], "users clients"},
		{"trojan", conf.TrojanServerConfig{}, settingsFields[domain.Trojan], "users clients"},
		{"shadowsocks", conf.ShadowsocksServerConfig{}, settingsFields[domain.Shadowsocks], "users clients"},
		{"hysteria", conf.HysteriaServerConfig{}, settingsFields[domain.Hysteria], "users clients"},
		{"fallback", conf.VLessInboundFallback{}, fallbackFields, ""},
		{"sniffing", conf.SniffingConfig{}, sniffingFields, ""},
		{"stream", conf.StreamConfig{}, streamFields, "address port method"},
		{"raw", conf.TCPConfig{}, rawFields, ""},
		{"ws", conf.WebSocketConfig{}, streamFields["wsSettings"].sub, ""},
		{"httpupgrade", conf.HttpUpgradeConfig{}, streamFields["httpupgradeSettings"].sub, ""},
		{"grpc", conf.GRPCConfig{}, grpcFields, ""},
		{"xhttp", conf.SplitHTTPConfig{}, xhttpFields, ""},
		{"kcp", conf.KCPConfig{}, streamFields["kcpSettings"].sub, removed},
		{"hysteria transport", conf.HysteriaConfig{}, hysteriaFields, ""},
		{"masquerade", conf.Masquerade{}, hysteriaFields["masquerade"].sub, ""},
		{"sockopt", conf.SocketConfig{}, sockoptFields, ""},
		{"finalmask", conf.FinalMask{}, finalmaskFields, ""},
		{"quic", conf.QuicParamsConfig{}, finalmaskFields["quicParams"].sub, ""},
		{"tls", conf.TLSConfig{}, tlsFields, "allowInsecure echSockopt"},
		{"certificate", conf.TLSCertConfig{}, tlsFields["certificates"].sub, ""},
		{"reality", conf.REALITYConfig{}, realityFields, ""},
		{"dns", conf.DNSConfig{}, baseFields["dns"].sub, ""},
		{"outbound", conf.OutboundDetourConfig{}, baseFields["outbounds"].sub, ""},
		{"mux", conf.MuxConfig{}, baseFields["outbounds"].sub["mux"].sub, ""},
		{"routing", conf.RouterConfig{}, baseFields["routing"].sub, ""},
		{"system policy", conf.SystemPolicy{}, baseFields["policy"].sub["system"].sub, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			known := jsonNames(reflect.TypeOf(c.core))
			var missing []string
			for _, name := range known {
				if _, ok := c.allowed.shape(name); !ok {
					missing = append(missing, name)
				}
			}
			want := strings.Fields(c.leftOut)
			slices.Sort(missing)
			slices.Sort(want)
			if !slices.Equal(missing, want) {
				t.Errorf("left out are %v, want %v", missing, want)
			}
			for name, s := range c.allowed {
				if s.kind != kindUnused && !slices.Contains(known, name) {
					t.Errorf("%s is allowed, and the core does not know it", name)
				}
			}
		})
	}
}

func jsonNames(t reflect.Type) []string {
	var names []string
	for i := range t.NumField() {
		if name, _, _ := strings.Cut(t.Field(i).Tag.Get("json"), ","); name != "" && name != "-" {
			names = append(names, name)
		}
	}
	return names
}
