package core

import (
	"reflect"
	"strings"
	"testing"

	"github.com/sluicehq/sluice/kernel/domain"
)

func TestSecretsAreKeptAsTheyAre(t *testing.T) {
	const id, other = "6ba7b810-9dad-41d1-80b4-00c04fd430c8", "6ba7b811-9dad-41d1-80b4-00c04fd430c8"
	method, empty := "aes-256-gcm", ""
	for _, c := range []struct {
		name string
		domain.Credentials
		size int
	}{
		{"none", domain.Credentials{}, 7},
		{"as most users have them", domain.Credentials{
			VLESSID: id, VMessID: id, TrojanPassword: "secret", ShadowsocksPassword: "secret", HysteriaAuth: "other",
		}, 17 + 1 + 7 + 1 + 6 + 1 + 1},
		{"separate", domain.Credentials{
			VLESSID: id, VMessID: other, TrojanPassword: "a", ShadowsocksPassword: "b", HysteriaAuth: "c",
			Flow: domain.FlowVision, Method: &method,
		}, 17 + 17 + 2 + 2 + 2 + 17 + 12},
		{"a uuid in another spelling", domain.Credentials{VLESSID: strings.ToUpper(id), VMessID: "{" + id + "}"}, 37 + 39 + 5},
		{"a uuid as password", domain.Credentials{TrojanPassword: id, HysteriaAuth: id}, 1 + 1 + 17 + 1 + 17 + 1 + 1},
		{"an empty method", domain.Credentials{Method: &empty}, 7},
		{"as long as a length in one byte may be", domain.Credentials{TrojanPassword: strings.Repeat("x", 251)}, 252 + 6},
		{"longer", domain.Credentials{TrojanPassword: strings.Repeat("x", 252), HysteriaAuth: strings.Repeat("y", 70_000)}, 257 + 70_005 + 5},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := pack(&c.Credentials)
			if got := p.credentials(); !reflect.DeepEqual(got, c.Credentials) {
				t.Errorf("got %+v\nwant %+v", got, c.Credentials)
			}
			if len(p) != c.size {
				t.Errorf("takes %d bytes, want %d", len(p), c.size)
			}
		})
	}
	if got := secrets("").credentials(); got != (domain.Credentials{}) {
		t.Errorf("the zero secrets are %+v", got)
	}
}

func TestSecretsDifferWhereTheCoreSeesADifference(t *testing.T) {
	method, empty := "aes-256-gcm", ""
	same := credentials(1)
	same.VMessSecurity = "zero" // only clients look at it
	if base := credentials(1); pack(&base) != pack(&same) {
		t.Error("the cipher of vmess clients makes a difference")
	}
	seen := map[secrets]string{}
	for name, change := range map[string]func(*domain.Credentials){
		"none":         func(*domain.Credentials) {},
		"vless":        func(c *domain.Credentials) { c.VLESSID = credentials(2).VLESSID },
		"vmess":        func(c *domain.Credentials) { c.VMessID = credentials(2).VMessID },
		"trojan":       func(c *domain.Credentials) { c.TrojanPassword = "another" },
		"shadowsocks":  func(c *domain.Credentials) { c.ShadowsocksPassword = "another" },
		"hysteria":     func(c *domain.Credentials) { c.HysteriaAuth = "another" },
		"flow":         func(c *domain.Credentials) { c.Flow = domain.FlowVision },
		"method":       func(c *domain.Credentials) { c.Method = &method },
		"empty method": func(c *domain.Credentials) { c.Method = &empty },
	} {
		c := credentials(1)
		change(&c)
		if other, known := seen[pack(&c)]; known {
			t.Errorf("%s and %s look the same", name, other)
		}
		seen[pack(&c)] = name
	}
}
