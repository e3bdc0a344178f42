package sdk

import "github.com/sluicehq/sluice/sdk/wire"

type (
	// HTTPRequest is what HTTP takes.
	HTTPRequest = wire.HTTPRequest
	// HTTPReply is what it returns.
	HTTPReply = wire.HTTPReply
)

// HTTP calls a server that the operator has granted. Any status is a reply; an error means that there was no answer.
// Only event items may call it. Needs UseHTTP.
func HTTP(req HTTPRequest) (HTTPReply, error) {
	if req.URL == "" { // to the host, an empty request is another question
		return HTTPReply{}, Invalid("the URL is empty")
	}
	var reply HTTPReply
	if err := reply.Decode(ask(hostHTTP, req.Append(nil))); err != nil {
		return HTTPReply{}, err
	}
	if reply.Error.Code != 0 {
		return HTTPReply{}, &reply.Error
	}
	return reply, nil
}
