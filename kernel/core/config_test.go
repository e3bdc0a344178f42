package core

import (
	"testing"

	"github.com/sluicehq/sluice/kernel/domain"
)

func TestCheckConfig(t *testing.T) {
	const outbound = `"outbounds": [{"protocol": "freedom"}]`
	for _, c := range []struct {
		name, config   string
		field, message string // "" = accepted
	}{
		{name: "none", config: ""},
		{name: "the default", config: DefaultConfig()},
		{name: "with everything", config: `{"outbounds": [{"tag": "direct", "protocol": "freedom", "settings": {"finalRules": [{"action": "allow"}]},
			"streamSettings": {"sockopt": {"mark": 1}}}, {"tag": "block", "protocol": "blackhole"}],
			"dns": {"servers": ["1.1.1.1"]}, "policy": {"levels": {"0": {"connIdle": 100}}},
			"routing": {"domainStrategy": "AsIs", "rules": [{"ip": ["10.0.0.0/8"], "outboundTag": "block"}]}}`},
		{"no JSON", `{`, "the base configuration", "the base configuration is not a valid JSON object"},
		{"no outbounds", `{"dns": {}}`, "outbounds", "outbounds is required: without one no connection goes anywhere"},
		{"inbounds", `{"inbounds": []}`, "inbounds", "inbounds are kept in the database and can not be part of the base configuration"},
		{"api", `{"api": {}}`, "api", "api of the core is not served: use Sluice's own"},
		{"stats", `{"stats": {}}`, "stats", "stats are counted by Sluice and can not be configured"},
		{"log", `{"log": {}}`, "log", "log is not the core's own: set the level of Sluice"},
		{"another section", `{"metrics": {}}`, "metrics", "metrics is not a field of the base configuration"},
		{"another spelling", `{"INBOUNDS": []}`, "INBOUNDS", "INBOUNDS is not a field of the base configuration"},
		{"a webhook", `{` + outbound + `, "routing": {"rules": [{"webhook": {}}]}}`, "routing.rules[0].webhook", "routing.rules[0].webhook is not a field of the base configuration"},
		{"a file", `{"outbounds": [{"protocol": "freedom", "streamSettings": {"tlsSettings": {"certificates": [{"keyFile": "/etc/shadow"}]}}}]}`, "outbounds[0].streamSettings.tlsSettings.certificates[0].keyFile", "outbounds[0].streamSettings.tlsSettings.certificates[0].keyFile must be a file below the certificate directory"},
		{"a protocol that is not there", `{"outbounds": [{"protocol": "loopback"}]}`, "outbounds[0].protocol", `outbounds[0].protocol "loopback" is not served`},
		{"a geo file", `{` + outbound + `, "routing": {"rules": [{"ip": ["geoip:private"], "outboundTag": "x"}]}}`, "", "the base configuration can not be used: failed to build routing configuration: invalid field rule: illegal ip rule: geoip:private: failed to open geoip.dat"},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := CheckConfig(c.config, t.TempDir())
			if c.message == "" {
				check(t, err)
				return
			}
			wantError(t, err, domain.CodeInvalid, c.field, c.message)
		})
	}
}
