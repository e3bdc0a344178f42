//go:build !wasip1

package sdk

import "github.com/sluicehq/sluice/sdk/wire"

// Native stands in for the host where a plugin is built natively, for its author's unit tests. A guest does not have it.
var Native struct {
	Log  func(level wire.LogLevel, message string) // nil = lines are dropped
	KV   map[string][]byte                         // the store; KVSet makes it
	HTTP func(HTTPRequest) HTTPReply               // nil = there is never an answer
}

// held is the last reply: it may have to be delivered twice.
var held []byte

// serve has the form of an import: an empty request asks for the reply of the last one.
func serve(request, dst []byte, reply func() []byte) int {
	if len(request) > 0 {
		held = reply()
	}
	if len(held) <= len(dst) {
		copy(dst, held)
	}
	return len(held)
}

func hostLog(level wire.LogLevel, message string) {
	if Native.Log != nil {
		Native.Log(level, message)
	}
}

func hostKVGet(request, dst []byte) int {
	return serveKV(request, dst, nil)
}

func hostKVSet(request, dst []byte) int {
	return serveKV(request, dst, func(req *wire.KVRequest) { add(&Native.KV, req.Key, req.Value) })
}

func hostKVDelete(request, dst []byte) int {
	return serveKV(request, dst, func(req *wire.KVRequest) { delete(Native.KV, req.Key) })
}

// serveKV makes the change, or answers with what the key holds if there is none.
func serveKV(request, dst []byte, change func(*wire.KVRequest)) int {
	return serve(request, dst, func() []byte {
		var req wire.KVRequest
		if err := req.Decode(request); err != nil {
			return (&wire.KVReply{Error: *failure(err)}).Append(nil)
		}
		value, found := Native.KV[req.Key]
		if change != nil {
			change(&req)
			value = nil
		}
		return (&wire.KVReply{Found: found, Value: value}).Append(nil)
	})
}

func hostHTTP(request, dst []byte) int {
	return serve(request, dst, func() []byte {
		var req wire.HTTPRequest
		if err := req.Decode(request); err != nil {
			return (&wire.HTTPReply{Error: *failure(err)}).Append(nil)
		}
		if Native.HTTP == nil {
			return (&wire.HTTPReply{Error: wire.Error{Code: wire.CodeRetry, Message: "no server answers"}}).Append(nil)
		}
		reply := Native.HTTP(req)
		return reply.Append(nil)
	})
}
