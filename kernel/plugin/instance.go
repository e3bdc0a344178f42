package plugin

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/sys"
	"go.uber.org/zap"

	"github.com/sluicehq/sluice/sdk/wire"
)

// message is any message of package wire.
type message interface {
	Append(b []byte) []byte
	Decode(b []byte) error
}

// instance is one running copy of a plugin, used by one call at a time.
type instance struct {
	plugin   *plugin
	ctx      context.Context // carries the instance to the host functions; never a caller's
	module   api.Module
	memory   api.Memory
	alloc    api.Function // looked up once: a look-up costs more than a call
	call     api.Function
	stack    [2]uint64    // arguments and results
	deadline atomic.Int64 // monotonic
	stderr   stderr

	input, inputSize uint32 // the guest's input buffer

	entropy  [wire.EntropySize]byte
	username wire.UsernameRequest // the copies of a caller's request that are sent
	period   wire.PeriodRequest
	format   wire.FormatRequest
	event    wire.EventRequest
	prepared []preparedSet // what this instance has been sent, oldest first

	spending *spending // of the event being handled; nil = none is, so that no permission can be used
	spent    spending  // what it points at
	held     held      // a reply of an import that did not fit
	counted  int64     // bytes of memory in the plugin's counts
}

// newInstance makes an instance and checks that it speaks the ABI. The plugin's settings are not applied yet.
func newInstance(p *plugin) (*instance, error) {
	in := &instance{plugin: p}
	in.stderr.in = in
	in.ctx = context.WithValue(context.Background(), instanceKey{}, in)
	limit := p.host.limits.Init
	in.start(limit)
	// GOGC=50 keeps the heap of a guest in Go at 5 MB instead of 7, at no cost that can be measured. Of WASI there is
	// no more than clocks, chance and stderr: files, arguments and a real sleep would have to be asked for here.
	config := wazero.NewModuleConfig().WithName("").WithStartFunctions("_initialize").WithEnv("GOGC", "50").
		WithSysWalltime().WithSysNanotime().WithRandSource(rand.Reader).WithStderr(&in.stderr)
	var err error
	if in.module, err = p.engine.runtime.InstantiateModule(in.ctx, p.compiled, config); err != nil {
		return nil, in.crash(err, limit)
	}
	in.memory = in.module.Memory()
	in.alloc, in.call = in.module.ExportedFunction(wire.ExportAlloc), in.module.ExportedFunction(wire.ExportCall)
	p.counts.instances.Add(1)
	if err := in.checkABI(limit); err != nil {
		in.close()
		return nil, err
	}
	in.count()
	return in, nil
}

// count notes how much memory the instance has by now.
func (in *instance) count() {
	used := int64(in.used())
	in.plugin.counts.memory.Add(used - in.counted)
	in.counted = used
}

// checkABI refuses another major, whose messages mean something else, and a newer minor, which may rely on ops and
// imports that this host does not have.
func (in *instance) checkABI(limit time.Duration) error {
	if err := in.enter(in.module.ExportedFunction(wire.ExportABI), 1); err != nil {
		return in.crash(err, limit)
	}
	v := uint32(in.stack[0])
	if v>>16 != wire.Major || v&0xffff > wire.Minor {
		return fmt.Errorf("it speaks ABI %d.%d, this host ABI %d.%d", v>>16, v&0xffff, wire.Major, wire.Minor)
	}
	return nil
}

// manifest asks for the manifest. It runs within the time that newInstance was given.
func (in *instance) manifest() ([]byte, error) {
	limits := &in.plugin.host.limits
	in.stack[0] = 0
	if err := in.enter(in.module.ExportedFunction(wire.ExportManifest), 1); err != nil {
		return nil, in.crash(err, limits.Init)
	}
	return in.reply(in.stack[0], limits.Manifest)
}

// close frees the instance. There is nothing to do about a failure, but it would be a leak.
func (in *instance) close() {
	in.plugin.counts.instances.Add(-1)
	in.plugin.counts.memory.Add(-in.counted)
	if err := in.module.Close(in.ctx); err != nil {
		in.plugin.journal.log.Warn("close an instance", zap.Error(err))
	}
}

// start begins a stretch of at most limit of guest time.
func (in *instance) start(limit time.Duration) {
	in.deadline.Store(monotonic() + int64(limit))
	in.stderr.reset()
}

// checkDeadline stops the guest from within a host function.
func (in *instance) checkDeadline() {
	if monotonic() > in.deadline.Load() {
		panic(errDeadline)
	}
}

// enter calls a guest function with the first n numbers of the stack, which is also where results are found.
func (in *instance) enter(f api.Function, n int) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("the engine failed: %v", v)
		}
	}()
	return f.CallWithStack(in.ctx, in.stack[:n])
}

// exchange sends req and returns the reply, which stays valid until the next call into the instance.
func (in *instance) exchange(op wire.Op, req message, limit time.Duration) ([]byte, error) {
	in.start(limit)
	n, err := in.put(req, limit)
	if err != nil {
		return nil, err
	}
	in.stack[0], in.stack[1] = uint64(op), uint64(n)
	if err := in.enter(in.call, 2); err != nil {
		return nil, in.crash(err, limit)
	}
	return in.reply(in.stack[0], in.plugin.host.limits.Reply)
}

// put encodes req into the guest's input buffer and returns its size. A request that fits is never copied.
func (in *instance) put(req message, limit time.Duration) (uint32, error) {
	buffer, ok := in.memory.Read(in.input, in.inputSize)
	if !ok {
		return 0, fail(ErrReply, "keeps its input buffer outside its memory")
	}
	b, err := in.encode(buffer[:0], req)
	if err != nil {
		return 0, err
	}
	size := uint32(len(b))
	switch limit := in.plugin.host.limits.Request; {
	case len(b) > limit:
		return 0, fmt.Errorf("can not be asked: the request of %d bytes is longer than %d", len(b), limit)
	case size <= in.inputSize && !in.plugin.json:
		return size, nil
	}
	if size > in.inputSize {
		if err := in.grow(size, limit); err != nil {
			return 0, err
		}
	}
	if !in.memory.Write(in.input, b) {
		return 0, fail(ErrReply, "keeps its input buffer outside its memory")
	}
	return size, nil
}

// grow gets an input buffer of at least size bytes, with room for a longer request next time.
func (in *instance) grow(size uint32, limit time.Duration) error {
	room := size + size/2
	in.stack[0] = uint64(room)
	if err := in.enter(in.alloc, 1); err != nil {
		return in.crash(err, limit)
	}
	in.input, in.inputSize = uint32(in.stack[0]), room
	if in.input == 0 {
		return fail(ErrTrap, "has no memory for a request of %d bytes (limit %s)", size, megabytes(in.plugin.host.limits.Memory))
	}
	return nil
}

// encode appends the request to b in the codec that the plugin's manifest names.
func (in *instance) encode(b []byte, req message) ([]byte, error) {
	if !in.plugin.json {
		return req.Append(b), nil
	}
	b, err := json.Marshal(req)
	if err != nil {
		return nil, fmt.Errorf("can not be asked: %w", err)
	}
	return b, nil
}

// decode reads a reply. Strings in it may be parts of the guest's memory.
func (in *instance) decode(b []byte, reply message) error {
	var err error
	if in.plugin.json && len(b) > 0 {
		err = json.Unmarshal(b, reply)
	} else {
		err = reply.Decode(b)
	}
	if err != nil {
		f := fail(ErrReply, "gave an unreadable reply")
		f.cause = err
		return f
	}
	return nil
}

// reply finds what a packed reply points at.
func (in *instance) reply(packed uint64, limit int) ([]byte, error) {
	ptr, size, failed := wire.Unpack(packed)
	if int64(size) > int64(limit) {
		return nil, fail(ErrReply, "replied %d bytes, the limit is %d", size, limit)
	}
	b, ok := in.memory.Read(ptr, size)
	if !ok {
		return nil, fail(ErrReply, "replied with %d bytes at %#x, outside its memory", size, ptr)
	}
	if !failed {
		return b, nil
	}
	var e wire.Error
	if err := in.decode(b, &e); err != nil {
		return nil, err
	}
	return nil, &PluginError{Code: e.Code, Message: plain(e.Message, 500)}
}

// crash explains why a call into the guest did not return.
func (in *instance) crash(err error, limit time.Duration) error {
	in.stderr.flush()
	if errors.Is(err, errDeadline) {
		return fail(ErrTimeout, "took longer than %s", milliseconds(limit))
	}
	reason, _, _ := strings.Cut(err.Error(), "\n")
	var exit *sys.ExitError
	if errors.As(err, &exit) {
		reason = fmt.Sprintf("it exited with code %d", exit.ExitCode())
	}
	if said, _, _ := strings.Cut(string(in.stderr.last()), "\n"); said != "" {
		reason = said
	}
	f := fail(ErrTrap, "crashed: %s", plain(reason, 200))
	// A guest in Go dies of a failed allocation without ever naming the limit, and stays below it by up to a heap's step.
	if used := in.used(); used > in.plugin.host.limits.Memory/2 {
		f.sentence += fmt.Sprintf(" (memory %s, limit %s)", megabytes(used), megabytes(in.plugin.host.limits.Memory))
	}
	f.cause = err
	return f
}

// used is the size of the guest's memory in bytes.
func (in *instance) used() int {
	if in.memory == nil {
		return 0
	}
	return int(in.memory.Size())
}

// stamp fills in what every request carries, if the caller has not.
func (in *instance) stamp(now *int64, entropy *[]byte) {
	if *now == 0 {
		*now = in.plugin.host.clock.Now().UnixMilli()
	}
	if len(*entropy) == 0 {
		_, _ = rand.Read(in.entropy[:]) // never fails
		*entropy = in.entropy[:]
	}
}

func milliseconds(d time.Duration) string { return fmt.Sprintf("%d ms", d.Milliseconds()) }

func megabytes(n int) string { return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20)) }
