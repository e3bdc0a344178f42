package links_test

import (
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"

	"github.com/sluicehq/sluice/plugins/links/linkstest"
)

// TestVMessObjects shows that the table's readable objects are what its links hold, and that they are JSON which says
// what the account says.
func TestVMessObjects(t *testing.T) {
	for _, c := range linkstest.Cases() {
		if c.Endpoint.Protocol != "vmess" {
			continue
		}
		t.Run(c.Name, func(t *testing.T) {
			object, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(c.Link, "vmess://"))
			if err != nil {
				t.Fatal(err)
			}
			equal(t, "object", string(object), c.Object)
			var v struct {
				Add, ID, PS, V, Aid, Net, TLS, Path string
				Port                                uint32
			}
			if err := json.Unmarshal(object, &v); err != nil {
				t.Fatal(err)
			}
			equal(t, "add", v.Add, c.Endpoint.Address)
			equal(t, "id", v.ID, c.Account.ID)
			equal(t, "ps", v.PS, c.Account.Remark)
			equal(t, "v", v.V, "2")
			equal(t, "aid", v.Aid, "0")
			if v.Port != c.Endpoint.Port {
				t.Errorf("port: got %d, want %d", v.Port, c.Endpoint.Port)
			}
		})
	}
}
