package plugin

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/tetratelabs/wazero/api"

	"github.com/sluicehq/sluice/sdk/wire"
)

// hostFunction is an import that answers: sluice.name(req, reqLen, dst, dstCap) i32.
type hostFunction struct {
	name   string
	budget func(*spending, *Limits) (*budget, Budget)
	work   func(in *instance, request []byte, patience time.Duration) message
	refuse func(wire.Error) message // the reply that says why nothing was done
}

// hostFunctions are all imports that need a permission.
var hostFunctions = []hostFunction{
	kvFunction(wire.ImportKVGet, kvGet), kvFunction(wire.ImportKVSet, kvSet), kvFunction(wire.ImportKVDelete, kvDelete),
	httpFunction,
}

var hostSignature = []api.ValueType{api.ValueTypeI32, api.ValueTypeI32, api.ValueTypeI32, api.ValueTypeI32}

// spending is what the handling of one event has used up.
type spending struct {
	ctx   context.Context // the caller's
	event int64           // its id
	kv    budget
	http  budget
	sent  map[string]int // HTTP requests so far, by method and URL
}

// budget is a part of it.
type budget struct {
	calls int
	time  time.Duration
}

// held is a reply that did not fit where the guest wanted it.
type held struct {
	by    string // the function
	reply []byte
}

// call is the function as the engine calls it. Wrong addresses are a crash, as they would be in the guest's own code; all
// else is an answer.
func (f *hostFunction) call(ctx context.Context, m api.Module, stack []uint64) {
	in := instanceOf(ctx)
	if in.spending == nil {
		panic(fmt.Errorf("sluice.%s can be called only while an event is handled", f.name))
	}
	in.checkDeadline()
	req, size, dst, room := uint32(stack[0]), uint32(stack[1]), uint32(stack[2]), uint32(stack[3])
	request, readable := m.Memory().Read(req, size)
	if _, writable := m.Memory().Read(dst, room); !readable || !writable {
		panic(fmt.Errorf("sluice.%s was given bytes outside the memory", f.name))
	}
	if size > 0 || in.held.by != f.name {
		in.held = held{f.name, in.encodeReply(f.perform(in, request))}
	}
	reply := in.held.reply
	if uint64(len(reply)) <= uint64(room) {
		m.Memory().Write(dst, reply)
		in.held = held{}
	}
	stack[0] = uint64(len(reply))
}

// perform does what the guest asks for, within the budget of the event. The time that it takes is not the guest's. The
// request is copied: what works on it may outlive the call.
func (f *hostFunction) perform(in *instance, request []byte) message {
	limits := &in.plugin.host.limits
	spent, may := f.budget(in.spending, limits)
	switch {
	case len(request) == 0:
		return f.refuse(wire.Error{Code: wire.CodeInvalid, Message: "the request is empty"})
	case len(request) > limits.Request:
		return f.refuse(wire.Error{Code: wire.CodeInvalid, Message: fmt.Sprintf("the request is longer than %d bytes", limits.Request)})
	case spent.calls >= may.Calls:
		return f.refuse(wire.Error{Code: wire.CodeInvalid, Message: fmt.Sprintf("one event may make %d calls of sluice.%s", may.Calls, f.name)})
	case spent.time >= may.Total:
		return f.refuse(wire.Error{Code: wire.CodeRetry, Message: fmt.Sprintf(
			"the %s that sluice.%s may take for one event are used up", milliseconds(may.Total), f.name)})
	}
	begin := monotonic()
	reply := f.work(in, bytes.Clone(request), min(may.Call, may.Total-spent.time))
	took := monotonic() - begin
	spent.calls++
	spent.time += time.Duration(took)
	in.deadline.Add(took)
	return reply
}

// encodeReply appends a reply of the host in the guest's codec.
func (in *instance) encodeReply(m message) []byte {
	b, err := in.encode(nil, m)
	if err != nil { // not possible: none of these messages has anything that JSON lacks
		panic(err)
	}
	return b
}

// decodeRequest reads a request of the guest.
func (in *instance) decodeRequest(b []byte, m message) error {
	err := error(nil)
	if in.plugin.json {
		err = json.Unmarshal(b, m)
	} else {
		err = m.Decode(b)
	}
	if err != nil {
		return errors.New("the request is not readable")
	}
	return nil
}
