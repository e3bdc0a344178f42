//go:build wasip1

package sdk

import (
	"unsafe"

	"github.com/sluicehq/sluice/sdk/wire"
)

// The linker drops the imports that a plugin does not reach, so that a plain plugin asks for nothing.

//go:wasmimport sluice log
func importLog(level int32, message unsafe.Pointer, size uint32)

//go:wasmimport sluice kv_get
func importKVGet(request unsafe.Pointer, size uint32, dst unsafe.Pointer, dstSize uint32) int32

//go:wasmimport sluice kv_set
func importKVSet(request unsafe.Pointer, size uint32, dst unsafe.Pointer, dstSize uint32) int32

//go:wasmimport sluice kv_delete
func importKVDelete(request unsafe.Pointer, size uint32, dst unsafe.Pointer, dstSize uint32) int32

//go:wasmimport sluice http
func importHTTP(request unsafe.Pointer, size uint32, dst unsafe.Pointer, dstSize uint32) int32

func hostLog(level wire.LogLevel, message string) {
	importLog(int32(level), unsafe.Pointer(unsafe.StringData(message)), uint32(len(message)))
}

func hostKVGet(request, dst []byte) int {
	return int(importKVGet(start(request), uint32(len(request)), start(dst), uint32(len(dst))))
}

func hostKVSet(request, dst []byte) int {
	return int(importKVSet(start(request), uint32(len(request)), start(dst), uint32(len(dst))))
}

func hostKVDelete(request, dst []byte) int {
	return int(importKVDelete(start(request), uint32(len(request)), start(dst), uint32(len(dst))))
}

func hostHTTP(request, dst []byte) int {
	return int(importHTTP(start(request), uint32(len(request)), start(dst), uint32(len(dst))))
}

func start(b []byte) unsafe.Pointer { return unsafe.Pointer(unsafe.SliceData(b)) }
