package wire_test

import (
	"bytes"
	"math/rand/v2"
	"reflect"
	"testing"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/dynamicpb"
)

// FuzzDecode hands the input to every message. Whatever it accepts must survive Append and a second Decode. Nothing
// behind the input may be read: what lies there changes after Decode, and the message must not.
func FuzzDecode(f *testing.F) {
	for i, m := range messages {
		full := dynamicpb.NewMessage(descriptor(f, m))
		fill(rand.New(rand.NewPCG(5, uint64(i))), full)
		b, err := proto.Marshal(full)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
		f.Add(reordered(full))
		f.Add(b[:len(b)/2])
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		behind := append(bytes.Clone(in), bytes.Repeat([]byte{0x0a}, 64)...)
		in, behind = behind[:len(in)], behind[len(in):]
		for _, known := range messages {
			m := reflect.New(typeOf(known)).Interface().(message)
			if m.Decode(in) != nil {
				continue
			}
			first := m.Append(nil)
			for i := range behind {
				behind[i]++
			}
			if !bytes.Equal(m.Append(nil), first) {
				t.Fatalf("%T holds bytes from behind its input", m)
			}
			again := reflect.New(typeOf(known)).Interface().(message)
			if err := again.Decode(first); err != nil {
				t.Fatalf("%T does not decode what it has appended: %v", m, err)
			}
			if second := again.Append(nil); !bytes.Equal(first, second) {
				t.Fatalf("%T changes on the way:\n%q\n%q", m, first, second)
			}
		}
	})
}
