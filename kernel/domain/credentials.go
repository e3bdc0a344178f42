package domain

import (
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/base64"
	"strings"
)

// Credentials are what a user proves itself with, one per protocol. Each is unique over all users: two users with one
// uuid would silently become one in the core.
type Credentials struct {
	VLESSID             string  `bun:"vless_id"` // uuid
	VMessID             string  `bun:"vmess_id"` // uuid
	TrojanPassword      string  `bun:"trojan_password"`
	ShadowsocksPassword string  `bun:"shadowsocks_password"`
	HysteriaAuth        string  `bun:"hysteria_auth"`
	Flow                string  `bun:"flow"`           // as given; EffectiveFlow says where it applies
	VMessSecurity       string  `bun:"vmess_security"` // cipher that clients are told, "" = auto
	Method              *string `bun:"method"`         // shadowsocks cipher on classic inbounds, nil = the inbound's
}

// FlowVision is the one flow that the core knows.
const FlowVision = "xtls-rprx-vision"

// ShadowsocksKeySize returns the key length in bytes of a shadowsocks 2022 method, 0 for every other method.
func ShadowsocksKeySize(method string) int {
	switch method {
	case "2022-blake3-aes-128-gcm":
		return 16
	case "2022-blake3-aes-256-gcm":
		return 32
	}
	return 0
}

// NormalMethod maps the spellings of a classic shadowsocks method to the one that links and clients use; ok is false
// for a method that this core does not serve. Source: evidence/xray-embedding.md §2.1, decisions.md D7.
func NormalMethod(method string) (normal string, ok bool) {
	switch strings.ToLower(method) {
	case "aes-128-gcm", "aead_aes_128_gcm":
		return "aes-128-gcm", true
	case "aes-256-gcm", "aead_aes_256_gcm":
		return "aes-256-gcm", true
	case "chacha20-poly1305", "chacha20-ietf-poly1305", "aead_chacha20_poly1305":
		return "chacha20-ietf-poly1305", true
	case "xchacha20-poly1305", "xchacha20-ietf-poly1305", "aead_xchacha20_poly1305":
		return "xchacha20-ietf-poly1305", true
	}
	return "", false
}

// ShadowsocksKey is the user key on an inbound of the given method. On a classic method it is the password. On a 2022
// method it is the password if that is a valid key of the method's length, else a key derived from it, so that links,
// exports and the core always agree (decisions.md §1.2: HKDF-SHA256 of the password with info = method).
func (c Credentials) ShadowsocksKey(method string) string {
	size := ShadowsocksKeySize(method)
	if size == 0 {
		return c.ShadowsocksPassword
	}
	if raw, err := base64.StdEncoding.DecodeString(c.ShadowsocksPassword); err == nil && len(raw) == size {
		return c.ShadowsocksPassword
	}
	key, err := hkdf.Key(sha256.New, []byte(c.ShadowsocksPassword), nil, method, size)
	if err != nil { // only for a size that no method has
		panic(err)
	}
	return base64.StdEncoding.EncodeToString(key)
}

// ShadowsocksMethod is the cipher of the user on an inbound: the inbound's on 2022 inbounds, else the user's own if it
// has one.
func (c Credentials) ShadowsocksMethod(inbound string) string {
	if ShadowsocksKeySize(inbound) > 0 || c.Method == nil {
		return inbound
	}
	return *c.Method
}

// VLESSKey is what the vless id is compared by: the core ignores its bytes 6 and 7, the characters 15 to 18 of its text.
func (c Credentials) VLESSKey() string {
	if len(c.VLESSID) < 18 {
		return c.VLESSID
	}
	return c.VLESSID[:14] + c.VLESSID[18:]
}
