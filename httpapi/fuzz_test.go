package httpapi

import (
	"encoding/json"
	"net/http"
	"testing"
)

// FuzzXUIAdd sends anything as the body of clients/add and inbounds/add.
func FuzzXUIAdd(f *testing.F) {
	for _, seed := range []string{
		``, `null`, `{}`, `[`, `{"client":{"email":"alice"},"inboundIds":[1]}`, `{"client":{"email":"a\u0000","id":7},"inboundIds":[-1]}`,
		`{"client":{"email":"é","totalGB":9223372036854775807,"expiryTime":1e3},"inboundIds":[1,1]}`,
		`{"port":1,"listen":"127.0.0.1","protocol":"vless","settings":"{\"decryption\":\"none\"}"}`, `{"port":70000,"protocol":"trojan","settings":{},"enable":false}`,
		`{"port":1,"protocol":"shadowsocks","enable":false,"settings":{"method":"2022-blake3-aes-128-gcm"}}`, "\xff\x00", `{"client":{"email":"\ud800"}}`,
	} {
		f.Add(seed, true)
		f.Add(seed, false)
	}
	b := newBench(f)
	f.Fuzz(func(t *testing.T, body string, client bool) {
		path := "/panel/api/inbounds/add"
		if client {
			path = "/panel/api/clients/add"
		} else if opensElsewhere(body) {
			return
		}
		status, _, got := httpRequest{method: http.MethodPost, path: path, token: b.admin, body: body}.send(t, b.url)
		wantEnvelope(t, path+" "+body, status, got)
	})
}

// opensElsewhere says whether an inbound could listen beyond this machine, which no test may.
func opensElsewhere(body string) bool {
	var in struct {
		Listen string
		Enable *bool
	}
	if json.Unmarshal([]byte(body), &in) != nil {
		return false // of a type that the server refuses too
	}
	return in.Listen != "127.0.0.1" && (in.Enable == nil || *in.Enable)
}
