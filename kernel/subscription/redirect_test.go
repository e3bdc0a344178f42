package subscription

import (
	"testing"

	"github.com/sluicehq/sluice/kernel/domain"
)

// Path and name go where each transport keeps them; the rest of its settings stays.
func TestRedirect(t *testing.T) {
	for _, c := range []struct{ name, stream, path, host, want string }{
		{"ws", `{"network":"ws","wsSettings":{"path":"/old","host":"old","heartbeatPeriod":9}}`, "/new", "new", `{"heartbeatPeriod":9,"host":"new","path":"/new"}`},
		{"ws, nothing said", `{"network":"ws","wsSettings":{"path":"/old","Host":"old"}}`, "", "", `{"Host":"old","path":"/old"}`},
		{"ws, another spelling", `{"network":"ws","wsSettings":{"Path":"/old"}}`, "/new", "", `{"path":"/new"}`},
		{"ws without settings", `{"network":"ws"}`, "/new", "new", `{"host":"new","path":"/new"}`},
		{"httpupgrade", `{"network":"httpupgrade"}`, "/new", "new", `{"host":"new","path":"/new"}`},
		{"xhttp", `{"network":"xhttp","xhttpSettings":{"mode":"auto"}}`, "/new", "new", `{"host":"new","mode":"auto","path":"/new"}`},
		{"grpc", `{"network":"grpc","grpcSettings":{"serviceName":"old","multiMode":true}}`, "new", "name", `{"authority":"name","multiMode":true,"serviceName":"new"}`},
		{"raw", `{"network":"raw"}`, "/new", "new", ``},
		{
			"raw with a header", `{"network":"tcp","tcpSettings":{"header":{"type":"http","request":{"path":["/a","/b"],"headers":{"host":["a"],"X":["y"]},"method":"GET"}}}}`,
			"/new", "new", `{"header":{"request":{"headers":{"Host":["new"],"X":["y"]},"method":"GET","path":["/new"]},"type":"http"}}`,
		},
		{"raw with a bare header", `{"network":"tcp","tcpSettings":{"header":{"type":"http"}}}`, "", "new", `{"header":{"request":{"headers":{"Host":["new"]}},"type":"http"}}`},
		{"raw with a header, nothing said", `{"network":"tcp","tcpSettings":{"header":{"type":"http"}}}`, "", "", `{"header":{"type":"http"}}`},
		{"raw without a header", `{"network":"tcp","tcpSettings":{"header":{"type":"none"}}}`, "/new", "new", `{"header":{"type":"none"}}`},
		{"kcp", `{"network":"kcp","kcpSettings":{"mtu":1350}}`, "/new", "new", `{"mtu":1350}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, err := parseStream(&domain.Inbound{Protocol: domain.VLESS, StreamSettings: c.stream})
			if err != nil {
				t.Fatal(err)
			}
			before := s.carrier.compact()
			redirected := s
			redirected.redirect(c.path, c.host)
			if got := redirected.carrier.compact(); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
			if s.carrier.compact() != before {
				t.Errorf("the inbound's own settings are %s now", s.carrier.compact())
			}
		})
	}
}
