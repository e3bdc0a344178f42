// Command summary is a plugin without the SDK: a subscription as JSON, for scripts that want to know where a user stands.
// Its manifest names the json codec, so that requests and replies are JSON with the names of plugin.proto. Whatever
// language has JSON and compiles to WebAssembly can do as much; abi.go is all that there is below.
package main

import "encoding/json"

const manifest = `{"abi":1,"name":"summary","version":"1.0.0","codec":"json","provides":[{"kind":"format","id":"summary",
	"title":"JSON summary","content_type":"application/json"}]}`

// The parts of the messages that are of use here. A member that is absent is zero.
type (
	formatRequest struct {
		User struct {
			Username string `json:"username"`
			Status   string `json:"status"`
			Up       int64  `json:"up"`
			Down     int64  `json:"down"`
			HasQuota bool   `json:"has_quota"`
			Quota    int64  `json:"quota"`
			ExpireAt int64  `json:"expire_at"`
		} `json:"user"`
		Endpoints []struct {
			Protocol string `json:"protocol"`
			Address  string `json:"address"`
			Port     int    `json:"port"`
			RawURI   string `json:"raw_uri"`
		} `json:"endpoints"`
		Accounts []struct {
			Remark string `json:"remark"`
		} `json:"accounts"`
	}
	formatReply struct {
		Body     []byte `json:"body"` // travels as base64
		Filename string `json:"filename"`
	}
	failure struct {
		Code    int    `json:"code"`
		Message string `json:"message"`
	}
)

// summary is what a script gets. What a user does not have is null.
type summary struct {
	Username string `json:"username"`
	Status   string `json:"status"`
	Used     int64  `json:"used"`      // bytes
	Left     *int64 `json:"left"`      // bytes
	ExpireAt *int64 `json:"expire_at"` // ms since 1970
	Servers  []any  `json:"servers"`
}

type server struct {
	Name     string `json:"name"`
	Protocol string `json:"protocol"`
	Address  string `json:"address"`
	Port     int    `json:"port"`
}

// Codes of a failure, and the op that this plugin has.
const (
	invalid       = 1
	unimplemented = 2
	formatRender  = 3
)

// call answers one request; failed says that the reply is a failure.
func call(op uint32, request []byte) (reply []byte, failed bool) {
	if op != formatRender {
		return encode(failure{unimplemented, "this plugin only renders"}), true
	}
	var req formatRequest
	if err := json.Unmarshal(request, &req); err != nil || len(req.Accounts) != len(req.Endpoints) {
		return encode(failure{invalid, "the request can not be read"}), true
	}
	return encode(formatReply{Body: encode(summarize(&req)), Filename: "summary.json"}), false
}

func summarize(req *formatRequest) summary {
	u := &req.User
	s := summary{Username: u.Username, Status: u.Status, Used: u.Up + u.Down, Servers: []any{}}
	if u.HasQuota {
		left := max(0, u.Quota-s.Used)
		s.Left = &left
	}
	if u.ExpireAt != 0 {
		s.ExpireAt = &u.ExpireAt
	}
	for i, e := range req.Endpoints {
		if e.RawURI == "" {
			s.Servers = append(s.Servers, server{req.Accounts[i].Remark, e.Protocol, e.Address, e.Port})
		}
	}
	return s
}

// encode can not fail: there are only texts and numbers.
func encode(v any) []byte {
	b, _ := json.Marshal(v)
	return b
}

func main() {}
