package subscription

import (
	"testing"

	"github.com/sluicehq/sluice/kernel/domain"
)

// The core reads names without regard to case, so an inbound spelled like this serves, and its links must work.
func TestNamesInAnyCase(t *testing.T) {
	e, err := newEndpoint(domain.Inbound{
		Protocol: domain.VLESS, Port: 443, Settings: `{"Decryption":"none"}`,
		StreamSettings: `{"Network":"WS","WSSettings":{"Path":"/p","HOST":"h.example","acceptproxyprotocol":true}}`,
	})
	if err != nil {
		t.Fatal(err)
	}
	if e.Transport.Network != "ws" || e.Transport.Path != "/p" || e.Transport.Host != "h.example" {
		t.Errorf("transport %+v", e.Transport)
	}
	want := `{"network":"ws","security":"none","wsSettings":{"HOST":"h.example","Path":"/p"}}`
	if e.StreamSettings != want {
		t.Errorf("the client's settings are %s, want %s", e.StreamSettings, want)
	}
}
