package main

import (
	"encoding/json"
	"testing"

	"github.com/sluicehq/sluice/sdk/wire"
)

func TestSummary(t *testing.T) {
	for _, c := range []struct{ name, request, want string }{
		{
			"everything", `{"user":{"username":"alice","status":"active","up":1,"down":2,"has_quota":true,"quota":10,"expire_at":99},
				"endpoints":[{"protocol":"vless","address":"a.example","port":443},{"raw_uri":"vless://x"}],"accounts":[{"remark":"A \"1\""},{}],"later":1}`,
			`{"username":"alice","status":"active","used":3,"left":7,"expire_at":99,"servers":[{"name":"A \"1\"","protocol":"vless","address":"a.example","port":443}]}`,
		},
		{"nothing", `{}`, `{"username":"","status":"","used":0,"left":null,"expire_at":null,"servers":[]}`},
		{"more than the quota", `{"user":{"up":9,"has_quota":true}}`, `{"username":"","status":"","used":9,"left":0,"expire_at":null,"servers":[]}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			b, failed := call(formatRender, []byte(c.request))
			var reply formatReply
			if err := json.Unmarshal(b, &reply); err != nil || failed || string(reply.Body) != c.want {
				t.Errorf("it answers %s, %v, want %s", reply.Body, failed, c.want)
			}
		})
	}
}

func TestFailures(t *testing.T) {
	for _, c := range []struct {
		name, request string
		op            uint32
		want          string
	}{
		{"another op", `{}`, 9, `{"code":2,"message":"this plugin only renders"}`},
		{"no JSON", `{`, formatRender, `{"code":1,"message":"the request can not be read"}`},
		{"an account too many", `{"accounts":[{}]}`, formatRender, `{"code":1,"message":"the request can not be read"}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			if b, failed := call(c.op, []byte(c.request)); !failed || string(b) != c.want {
				t.Errorf("it answers %s, %v", b, failed)
			}
		})
	}
}

func TestManifest(t *testing.T) {
	var m wire.Manifest
	if err := json.Unmarshal([]byte(manifest), &m); err != nil || m.Codec != wire.CodecJSON || len(m.Provides) != 1 || m.Provides[0].ID != "summary" {
		t.Errorf("the manifest is %+v, %v", m, err)
	}
}
