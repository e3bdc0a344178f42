package plugin

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"strings"
)

// standardSignature is what the specification of Standard Webhooks says the signature of a request is.
func standardSignature(key string, h http.Header, body string) string {
	mac := hmac.New(sha256.New, []byte(key))
	mac.Write([]byte(strings.Join([]string{h.Get("webhook-id"), h.Get("webhook-timestamp"), body}, ".")))
	return "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
}
