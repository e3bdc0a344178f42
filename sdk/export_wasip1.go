//go:build wasip1

package sdk

import (
	"unsafe"

	"github.com/sluicehq/sluice/sdk/wire"
)

// input holds the request, output the reply. Both are kept and only ever grow, so that a call makes no garbage.
var input, output []byte

//go:wasmexport sluice_abi
func exportABI() uint32 { return wire.Version }

//go:wasmexport sluice_alloc
func exportAlloc(n uint32) uint32 {
	if uint32(len(input)) < n {
		input = make([]byte, n)
	}
	return address(input)
}

//go:wasmexport sluice_manifest
func exportManifest() uint64 {
	output = guest.manifest(output[:0])
	return wire.Pack(address(output), uint32(len(output)), false)
}

//go:wasmexport sluice_call
func exportCall(op, n uint32) uint64 {
	reply, failure := guest.call(wire.Op(op), input[:n], output[:0])
	if failure != nil {
		reply = failure.Append(output[:0])
	}
	if cap(reply) > cap(output) {
		output = reply
	}
	return wire.Pack(address(reply), uint32(len(reply)), failure != nil)
}

func address(b []byte) uint32 { return uint32(uintptr(unsafe.Pointer(unsafe.SliceData(b)))) }
