package subscription

import (
	"crypto/ecdh"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/sluicehq/sluice/sdk/wire"
)

// tlsSettings are the parts of an inbound's tlsSettings that a client needs. What the server itself has no use for
// stands in "settings", as 3x-ui stores it, or beside it, as scripts write it; "settings" wins.
type tlsSettings struct {
	ServerName string `json:"serverName"`
	ALPN       list   `json:"alpn"`
	tlsClient
	Settings json.RawMessage `json:"settings"`
}

type tlsClient struct {
	Fingerprint   string `json:"fingerprint"`
	ECHConfigList string `json:"echConfigList"`
	VerifyName    list   `json:"verifyPeerCertByName"`
	PinnedSHA256  list   `json:"pinnedPeerCertSha256"` // hex or base64
}

// realitySettings are the parts of an inbound's realitySettings that a client needs, with "settings" as in tlsSettings.
type realitySettings struct {
	ServerNames list     `json:"serverNames"`
	PrivateKey  string   `json:"privateKey"`
	ShortIDs    []string `json:"shortIds"` // "" is a valid one
	realityClient
	Settings json.RawMessage `json:"settings"`
}

type realityClient struct {
	PublicKey     string `json:"publicKey"`
	Fingerprint   string `json:"fingerprint"`
	ServerName    string `json:"serverName"`
	SpiderX       string `json:"spiderX"`
	MLDSA65Verify string `json:"mldsa65Verify"`
}

// defaultFingerprint is what REALITY clients imitate when the inbound names nothing.
const defaultFingerprint = "chrome"

// imitated is the browser that REALITY clients are told to imitate: the core refuses none, and its own names for that.
func imitated(fingerprint string) string {
	switch strings.ToLower(fingerprint) {
	case "", "unsafe", "hellogolang":
		return defaultFingerprint
	}
	return fingerprint
}

func (s *stream) wireSecurity() (wire.Security, error) {
	switch s.security {
	case "tls":
		return s.tls.wire()
	case "reality":
		return s.reality.wire()
	}
	return wire.Security{Kind: "none"}, nil
}

// over decodes "settings" over what stands beside it.
func over(settings json.RawMessage, client any) error {
	if settings == nil {
		return nil
	}
	if err := json.Unmarshal(settings, client); err != nil {
		return fmt.Errorf("settings: %w", err)
	}
	return nil
}

func (t *tlsSettings) wire() (wire.Security, error) {
	if err := over(t.Settings, &t.tlsClient); err != nil {
		return wire.Security{}, fmt.Errorf("tlsSettings.%w", err)
	}
	pins := make([]string, 0, len(t.PinnedSHA256))
	for _, pin := range t.PinnedSHA256 {
		normal, err := hexPin(pin)
		if err != nil {
			return wire.Security{}, err
		}
		pins = append(pins, normal)
	}
	return wire.Security{
		Kind: "tls", ServerName: t.ServerName, ALPN: t.ALPN, Fingerprint: t.Fingerprint,
		ECH: t.ECHConfigList, VerifyName: strings.Join(t.VerifyName, ","), PinnedCertSHA256: pins,
	}, nil
}

// hexPin returns a certificate pin as the core wants it: hex, although some panels store base64.
func hexPin(pin string) (string, error) {
	bare := strings.ToLower(strings.ReplaceAll(pin, ":", ""))
	if raw, err := hex.DecodeString(bare); err == nil && len(raw) == 32 {
		return bare, nil
	}
	if raw, err := base64.StdEncoding.DecodeString(pin); err == nil && len(raw) == 32 {
		return hex.EncodeToString(raw), nil
	}
	return "", fmt.Errorf("tlsSettings.pinnedPeerCertSha256: %q is not a SHA-256 in hex or base64", pin)
}

func (r *realitySettings) wire() (wire.Security, error) {
	if err := over(r.Settings, &r.realityClient); err != nil {
		return wire.Security{}, fmt.Errorf("realitySettings.%w", err)
	}
	public := r.PublicKey
	if public == "" {
		derived, err := x25519Public(r.PrivateKey)
		if err != nil {
			return wire.Security{}, fmt.Errorf("realitySettings.privateKey: %w", err)
		}
		public = derived
	}
	sec := wire.Security{
		Kind: "reality", ServerName: r.ServerName, Fingerprint: imitated(r.Fingerprint), PublicKey: public,
		SpiderX: r.SpiderX, MLDSA65Verify: r.MLDSA65Verify,
	}
	if sec.ServerName == "" {
		sec.ServerName = r.ServerNames.first()
	}
	if len(r.ShortIDs) > 0 {
		sec.ShortID = r.ShortIDs[0]
	}
	return sec, nil
}

// x25519Public is the public half of a private key, both in unpadded URL base64.
func x25519Public(private string) (string, error) {
	raw, err := base64.RawURLEncoding.DecodeString(private)
	if err != nil {
		return "", fmt.Errorf("is not unpadded URL base64: %w", err)
	}
	key, err := ecdh.X25519().NewPrivateKey(raw)
	if err != nil {
		return "", fmt.Errorf("is not an X25519 key: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(key.PublicKey().Bytes()), nil
}
