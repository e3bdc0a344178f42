// Package wire is the language that Sluice and its plugins speak: names, limits and messages of ABI 1, shared by host
// and guest. It imports nothing but unsafe and math/bits, so that a guest built from it stays small.
//
// Every message has Append, which appends its protobuf form to a buffer, and Decode, which replaces the message by what
// a buffer holds. Decode reuses the slices that the message already has and copies nothing: the strings and byte slices
// of a decoded message are parts of the input and die with it (strings.Clone keeps one). It accepts any bytes: what is
// not a message is an error, what is unknown is skipped, nothing is read outside the input.
//
// The published schema is plugin.proto; the json tags are the names that plugins with the json codec use.
package wire

// Major and Minor are the version that sluice_abi returns as Major<<16 | Minor. Fields and ops are added with a new
// minor; whatever would break an old plugin needs a new major.
const (
	Major   = 1
	Minor   = 0
	Version = Major<<16 | Minor
)

// Exports of a guest. It also exports its memory, and _initialize if its language needs one.
const (
	ExportABI      = "sluice_abi"      // () i32: Version
	ExportAlloc    = "sluice_alloc"    // (n i32) i32: address of an input buffer of at least n bytes, 0 = no memory
	ExportManifest = "sluice_manifest" // () i64: packed reply that holds the manifest as JSON
	ExportCall     = "sluice_call"     // (op i32, n i32) i64: packed reply to the n bytes in the input buffer
)

// ImportModule is the wasm module name of every function that the host offers. A function is linked only if the guest
// imports it, and all but ImportLog only if the operator granted the permission.
//
// ImportLog is (level, ptr, len). The others are (req, reqLen, dst, dstCap) i32: they return the size of the reply and
// write it to dst if it fits. If it does not fit nothing is written and the host holds the reply: the same function with
// reqLen 0 delivers it, without doing the work again.
const (
	ImportModule   = "sluice"
	ImportLog      = "log"
	ImportKVGet    = "kv_get"
	ImportKVSet    = "kv_set"
	ImportKVDelete = "kv_delete"
	ImportHTTP     = "http"
)

// Op is the first argument of sluice_call: what the request asks for.
type Op uint32

// The ops of ABI 1. A guest answers any other with CodeUnimplemented.
const (
	OpUsername  Op = 1  // UsernameRequest to UsernameReply
	OpPeriod    Op = 2  // PeriodRequest to PeriodReply
	OpFormat    Op = 3  // FormatRequest to FormatReply
	OpEvent     Op = 4  // EventRequest to EventReply
	OpConfigure Op = 5  // ConfigureRequest to ConfigureReply, once per instance and before any other
	OpPrepare   Op = 16 // PrepareRequest to PrepareReply, for formats whose manifest says prepare
)

// String is the name of the op in errors and logs.
func (op Op) String() string {
	switch op {
	case OpUsername:
		return "username.generate"
	case OpPeriod:
		return "period.next"
	case OpFormat:
		return "format.render"
	case OpEvent:
		return "event.handle"
	case OpConfigure:
		return "configure"
	case OpPrepare:
		return "format.prepare"
	}
	return "unknown op"
}

// errorBit marks a packed reply whose payload is an Error.
const errorBit = 1 << 31

// Pack makes the i64 that sluice_call and sluice_manifest return: ptr<<32 | failed<<31 | size. size is below 2 GiB.
// The reply stays in place until the next call into the instance; there is no free.
func Pack(ptr, size uint32, failed bool) uint64 {
	p := uint64(ptr)<<32 | uint64(size&^errorBit)
	if failed {
		p |= errorBit
	}
	return p
}

// Unpack is the reverse of Pack. Nothing is promised about ptr and size: the caller checks them against the memory.
func Unpack(p uint64) (ptr, size uint32, failed bool) {
	return uint32(p >> 32), uint32(p) &^ errorBit, p&errorBit != 0
}
