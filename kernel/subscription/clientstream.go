package subscription

import (
	"encoding/json"
	"strings"

	"github.com/sluicehq/sluice/sdk/wire"
)

// carrierServerOnly are transport settings that a client must not be given.
var carrierServerOnly = append([]string{"acceptProxyProtocol", "masquerade", "auth"}, serverOnly...)

// clientStream is the streamSettings that an xray client uses for this inbound: the same transport, the client's side
// of the security, and nothing that is secret to the server (keys, certificates, what it falls back to).
func (s *stream) clientStream(sec *wire.Security) string {
	out := map[string]any{"network": s.network, "security": s.security}
	if carrier := s.carrier.without(carrierServerOnly...); len(carrier) > 0 {
		out[carrierKeys[s.network][0]] = carrier
	}
	switch s.security {
	case "tls":
		out["tlsSettings"] = filled(map[string]any{
			"serverName": sec.ServerName, "alpn": sec.ALPN, "fingerprint": sec.Fingerprint, "echConfigList": sec.ECH,
			"verifyPeerCertByName": sec.VerifyName, "pinnedPeerCertSha256": strings.Join(sec.PinnedCertSHA256, ","),
		})
	case "reality":
		out["realitySettings"] = filled(map[string]any{
			"serverName": sec.ServerName, "fingerprint": sec.Fingerprint, "publicKey": sec.PublicKey,
			"shortId": sec.ShortID, "spiderX": sec.SpiderX, "mldsa65Verify": sec.MLDSA65Verify,
		})
	}
	if len(s.mask) > 0 {
		out["finalmask"] = s.mask
	}
	text, err := json.Marshal(out)
	if err != nil { // every value came out of a decoder
		return ""
	}
	return string(text)
}

// filled leaves out what is empty.
func filled(m map[string]any) map[string]any {
	for k, v := range m {
		switch v := v.(type) {
		case string:
			if v == "" {
				delete(m, k)
			}
		case []string:
			if len(v) == 0 {
				delete(m, k)
			}
		}
	}
	return m
}
