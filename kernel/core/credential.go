package core

import (
	"hash/maphash"
	"strings"

	"github.com/xtls/xray-core/common/protocol"
	hysteria "github.com/xtls/xray-core/proxy/hysteria/account"
	"github.com/xtls/xray-core/proxy/shadowsocks"
	"github.com/xtls/xray-core/proxy/shadowsocks_2022"
	"github.com/xtls/xray-core/proxy/trojan"
	"github.com/xtls/xray-core/proxy/vless"
	"github.com/xtls/xray-core/proxy/vmess"
	"google.golang.org/protobuf/proto"

	"github.com/sluicehq/sluice/kernel/domain"
)

// credential is what a user proves itself with on one inbound, as the core takes it.
type credential struct {
	key     string // "" = the user has none for this protocol and is not in the list
	variant string // the flow or the shadowsocks method
}

// seed makes fingerprints that cannot be forged to collide.
var seed = maphash.MakeSeed()

// fingerprint tells credentials apart without keeping them a second time.
func (c credential) fingerprint() uint64 {
	var h maphash.Hash
	h.SetSeed(seed)
	_, _ = h.WriteString(c.key) // never fails
	_ = h.WriteByte(0)
	_, _ = h.WriteString(c.variant)
	return h.Sum64()
}

// credential returns what the user has on this inbound.
func (l *listener) credential(c *domain.Credentials) credential {
	switch l.in.Protocol {
	case domain.VLESS:
		flow := ""
		if c.Flow == domain.FlowVision && l.vision {
			flow = c.Flow
		}
		return credential{c.VLESSID, flow}
	case domain.VMess:
		return credential{key: c.VMessID}
	case domain.Trojan:
		return credential{key: c.TrojanPassword}
	case domain.Shadowsocks:
		if c.ShadowsocksPassword == "" {
			return credential{}
		}
		return credential{c.ShadowsocksKey(l.method), c.ShadowsocksMethod(l.method)}
	case domain.Hysteria:
		return credential{key: c.HysteriaAuth}
	}
	return credential{}
}

// account is the credential in the form of the inbound's protocol. The core's lists take an account of another protocol
// without a word and panic on it later, so this is the only place that makes one.
func (l *listener) account(c credential) proto.Message {
	switch l.in.Protocol {
	case domain.VLESS:
		return &vless.Account{Id: c.key, Flow: c.variant, Encryption: "none"}
	case domain.VMess:
		return &vmess.Account{Id: c.key, SecuritySettings: &protocol.SecurityConfig{Type: protocol.SecurityType_AUTO}}
	case domain.Trojan:
		return &trojan.Account{Password: c.key}
	case domain.Shadowsocks:
		if l.replaced {
			return &shadowsocks_2022.Account{Key: c.key}
		}
		return &shadowsocks.Account{Password: c.key, CipherType: cipherOf(c.variant)}
	case domain.Hysteria:
		return &hysteria.Account{Auth: c.key}
	}
	return nil
}

// memoryUser is the user as a running inbound takes it.
func (l *listener) memoryUser(id int64, c credential) (*protocol.MemoryUser, error) {
	a, err := l.account(c).(protocol.AsAccount).AsAccount()
	if err != nil {
		return nil, err
	}
	return &protocol.MemoryUser{Email: email(id), Account: a}, nil
}

// cipherOf is the core's number of a classic method in any of its spellings.
func cipherOf(method string) shadowsocks.CipherType {
	normal, _ := domain.NormalMethod(strings.ToLower(method))
	switch normal {
	case "aes-128-gcm":
		return shadowsocks.CipherType_AES_128_GCM
	case "aes-256-gcm":
		return shadowsocks.CipherType_AES_256_GCM
	case "chacha20-ietf-poly1305":
		return shadowsocks.CipherType_CHACHA20_POLY1305
	case "xchacha20-ietf-poly1305":
		return shadowsocks.CipherType_XCHACHA20_POLY1305
	}
	return shadowsocks.CipherType_UNKNOWN
}
