//go:build wasip1

package main

import "unsafe"

// input holds the request and reply what was answered last: both must stay where they are until the host is done.
var input, answer []byte

// sluice_abi says which version of the ABI this is: 1.0.
//
//go:wasmexport sluice_abi
func abi() uint32 { return 1 << 16 }

// sluice_alloc makes room for a request of n bytes. The host writes every request there, until it needs more.
//
//go:wasmexport sluice_alloc
func alloc(n uint32) uint32 {
	input = make([]byte, n)
	return address(input)
}

// sluice_manifest tells what the plugin provides.
//
//go:wasmexport sluice_manifest
func describe() uint64 { return pack([]byte(manifest), false) }

// sluice_call answers the n bytes that the host has put into the input.
//
//go:wasmexport sluice_call
func serve(op, n uint32) uint64 { return pack(call(op, input[:n])) }

// pack says where a reply is and how long, with bit 31 for a failure.
func pack(b []byte, failed bool) uint64 {
	answer = b
	packed := uint64(address(b))<<32 | uint64(len(b))
	if failed {
		packed |= 1 << 31
	}
	return packed
}

func address(b []byte) uint32 { return uint32(uintptr(unsafe.Pointer(unsafe.SliceData(b)))) }
