package wire

// The appenders leave out zero values, as proto3 does.

func appendUvarint(b []byte, v uint64) []byte {
	for v >= 0x80 {
		b = append(b, byte(v)|0x80)
		v >>= 7
	}
	return append(b, byte(v))
}

func appendKey(b []byte, field, kind uint64) []byte { return appendUvarint(b, field<<3|kind) }

func appendUint(b []byte, field, v uint64) []byte {
	if v == 0 {
		return b
	}
	return appendUvarint(appendKey(b, field, varint), v)
}

func appendInt(b []byte, field uint64, v int64) []byte { return appendUint(b, field, uint64(v)) }

func appendBool(b []byte, field uint64, v bool) []byte {
	if !v {
		return b
	}
	return append(appendKey(b, field, varint), 1)
}

func appendString(b []byte, field uint64, s string) []byte {
	if s == "" {
		return b
	}
	return appendElement(b, field, s)
}

func appendBytes(b []byte, field uint64, s []byte) []byte {
	if len(s) == 0 {
		return b
	}
	b = appendUvarint(appendKey(b, field, bytes), uint64(len(s)))
	return append(b, s...)
}

// appendElement writes an element of a repeated string: an empty one counts.
func appendElement(b []byte, field uint64, s string) []byte {
	b = appendUvarint(appendKey(b, field, bytes), uint64(len(s)))
	return append(b, s...)
}

func appendStrings(b []byte, field uint64, list []string) []byte {
	for _, s := range list {
		b = appendElement(b, field, s)
	}
	return b
}

// appendMessage writes a nested message, and nothing for one that is all defaults.
func appendMessage(b []byte, field uint64, m interface{ Append([]byte) []byte }) []byte {
	start := len(b)
	b, at := openMessage(b, field)
	if b = m.Append(b); len(b) == at {
		return b[:start]
	}
	return closeMessage(b, at)
}

// openMessage writes the key of a nested message and one byte for its length; at is where the message starts.
func openMessage(b []byte, field uint64) (grown []byte, at int) {
	b = append(appendKey(b, field, bytes), 0)
	return b, len(b)
}

// closeMessage writes the length of the nested message that started at at, and moves it if one byte was too little.
func closeMessage(b []byte, at int) []byte {
	size := uint64(len(b) - at)
	wide := 0
	for v := size >> 7; v > 0; v >>= 7 {
		b = append(b, 0)
		wide++
	}
	if wide > 0 {
		copy(b[at+wide:], b[at:at+int(size)])
	}
	appendUvarint(b[:at-1], size)
	return b
}
