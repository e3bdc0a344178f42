package meter

// appendU32 appends v as unsigned LEB128.
func appendU32(b []byte, v uint32) []byte {
	for v >= 0x80 {
		b = append(b, byte(v)|0x80)
		v >>= 7
	}
	return append(b, byte(v))
}

// appendBytes appends p behind its length.
func appendBytes(b, p []byte) []byte { return append(appendU32(b, uint32(len(p))), p...) }

// appendName appends s as WebAssembly writes names.
func appendName(b []byte, s string) []byte { return append(appendU32(b, uint32(len(s))), s...) }

// paddedSize is the fixed width of a number written by putPadded.
const paddedSize = 4

// putPadded writes v as a signed LEB128 that always takes paddedSize bytes, so that it can be filled in later. v must
// lie in 0..2^27-1, which MaxBody guarantees for a weight.
func putPadded(b []byte, v uint32) {
	for i := range paddedSize - 1 {
		b[i] = byte(v) | 0x80
		v >>= 7
	}
	b[paddedSize-1] = byte(v) & 0x3f
}
