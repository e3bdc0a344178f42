package wire

// Deadlines of one call, in milliseconds of wall time.
const (
	UsernameDeadline  = 100
	PeriodDeadline    = 100
	FormatDeadline    = 250
	PrepareDeadline   = 250
	ConfigureDeadline = 250
	EventDeadline     = 5_000 // without the time that the host itself spends in sluice.http
	InitDeadline      = 2_000 // _initialize, sluice_abi and sluice_manifest together
)

// What the imports may take while one event is handled, in milliseconds. It is not the plugin's own time.
const (
	KVDeadline   = 2_000  // one call of kv_get, kv_set or kv_delete
	KVTotal      = 5_000  // all of them
	HTTPDeadline = 10_000 // one call of http, with its redirects
	HTTPTotal    = 20_000 // all of them
)

// Sizes, in bytes.
const (
	MaxFile     = 32 << 20 // a .wasm file
	MaxMemory   = 64 << 20 // the linear memory of one instance
	MaxRequest  = 8 << 20  // one request, and the answer to an import
	MaxReply    = 8 << 20  // one reply
	MaxManifest = 64 << 10
	MaxLogLine  = 4 << 10 // the rest of a longer line is dropped
	MaxStderr   = 8 << 10 // the tail that is kept to explain a crash
	EntropySize = 32      // what every request carries
)

// Counts.
const (
	MaxNames        = 10_000 // names in one UsernameReply; a longer one is an error
	MaxHeaders      = 32     // headers in one reply; more are an error
	MaxKVCalls      = 1_000  // calls of kv_get, kv_set and kv_delete for one event
	MaxHTTPCalls    = 16     // calls of http for one event
	MaxPreparedSets = 32     // endpoint sets that an instance of the SDK keeps; the oldest is dropped first
)

// Deadline is the time that a call of op may take, in milliseconds; 0 for an op that ABI 1 does not have.
func Deadline(op Op) int {
	switch op {
	case OpUsername:
		return UsernameDeadline
	case OpPeriod:
		return PeriodDeadline
	case OpFormat:
		return FormatDeadline
	case OpEvent:
		return EventDeadline
	case OpConfigure:
		return ConfigureDeadline
	case OpPrepare:
		return PrepareDeadline
	}
	return 0
}
