package sdk

import "github.com/sluicehq/sluice/sdk/wire"

// KVGet returns the value of a key of this plugin; found is false if it does not exist. Needs UseKV.
func KVGet(key string) (value []byte, found bool, err error) {
	reply, err := kv(hostKVGet, wire.KVRequest{Key: key})
	return reply.Value, reply.Found, err
}

// KVSet gives a key a value. Needs UseKV.
func KVSet(key string, value []byte) error {
	_, err := kv(hostKVSet, wire.KVRequest{Key: key, Value: value})
	return err
}

// KVDelete removes a key; that it does not exist is no error. Needs UseKV.
func KVDelete(key string) error {
	_, err := kv(hostKVDelete, wire.KVRequest{Key: key})
	return err
}

func kv(fn hostFunc, req wire.KVRequest) (wire.KVReply, error) {
	if req.Key == "" { // to the host, an empty request is another question
		return wire.KVReply{}, Invalid("the key is empty")
	}
	var reply wire.KVReply
	if err := reply.Decode(ask(fn, req.Append(nil))); err != nil {
		return wire.KVReply{}, err
	}
	if reply.Error.Code != 0 {
		return wire.KVReply{}, &reply.Error
	}
	return reply, nil
}
