package plugin

import (
	"time"

	"github.com/sluicehq/sluice/sdk/wire"
)

// Limits bound what one plugin may take. A zero field means ABI 1's number, named behind it.
type Limits struct {
	Init     time.Duration             // making one instance; wire.InitDeadline
	Call     map[wire.Op]time.Duration // one call, by op; wire.Deadline
	Memory   int                       // bytes of one instance's linear memory, whole pages of 64 KiB; wire.MaxMemory
	Recycle  int                       // bytes above which an instance is not used again; 16 MiB
	File     int                       // bytes of a .wasm file; wire.MaxFile
	Manifest int                       // bytes; wire.MaxManifest
	Request  int                       // bytes; wire.MaxRequest
	Reply    int                       // bytes; wire.MaxReply
	KV       Budget                    // sluice.kv_*, for one event; wire.KVDeadline and what follows it
	HTTP     Budget                    // sluice.http, for one event; wire.HTTPDeadline and what follows it
}

// Budget bounds the calls of a host function that a plugin makes while it handles one event. Their time is not the
// plugin's.
type Budget struct {
	Calls int
	Call  time.Duration // for one of them
	Total time.Duration // for all of them
}

const pageSize = 64 << 10

func (l Limits) withDefaults() Limits {
	if l.Init == 0 {
		l.Init = wire.InitDeadline * time.Millisecond
	}
	if l.KV == (Budget{}) {
		l.KV = Budget{wire.MaxKVCalls, wire.KVDeadline * time.Millisecond, wire.KVTotal * time.Millisecond}
	}
	if l.HTTP == (Budget{}) {
		l.HTTP = Budget{wire.MaxHTTPCalls, wire.HTTPDeadline * time.Millisecond, wire.HTTPTotal * time.Millisecond}
	}
	for _, v := range []struct {
		field *int
		value int
	}{
		{&l.Memory, wire.MaxMemory},
		{&l.Recycle, 16 << 20},
		{&l.File, wire.MaxFile},
		{&l.Manifest, wire.MaxManifest},
		{&l.Request, wire.MaxRequest},
		{&l.Reply, wire.MaxReply},
	} {
		if *v.field == 0 {
			*v.field = v.value
		}
	}
	return l
}

// call returns the time that one call of op may take.
func (l *Limits) call(op wire.Op) time.Duration {
	if d, ok := l.Call[op]; ok {
		return d
	}
	return time.Duration(wire.Deadline(op)) * time.Millisecond
}
