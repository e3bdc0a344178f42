package wire_test

import (
	"bytes"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	"github.com/bufbuild/protocompile"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/dynamicpb"

	"github.com/sluicehq/sluice/sdk/wire"
)

// message is what every type of the package is.
type message interface {
	Append([]byte) []byte
	Decode([]byte) error
}

// messages has one of every message of plugin.proto; TestSchemaIsTheCode fails if one is missing.
var messages = []message{
	&wire.Account{}, &wire.ConfigureReply{}, &wire.ConfigureRequest{}, &wire.Endpoint{}, &wire.Error{},
	&wire.EventReply{}, &wire.EventRequest{}, &wire.FormatReply{}, &wire.FormatRequest{}, &wire.HTTPReply{},
	&wire.HTTPRequest{}, &wire.Hysteria{}, &wire.KVReply{}, &wire.KVRequest{}, &wire.Pair{}, &wire.PeriodReply{},
	&wire.PeriodRequest{}, &wire.PrepareReply{}, &wire.PrepareRequest{}, &wire.RejectedName{}, &wire.Security{},
	&wire.Shadowsocks{}, &wire.Transition{}, &wire.Transport{}, &wire.User{}, &wire.UsernameReply{},
	&wire.UsernameRequest{}, &wire.WireGuard{},
}

// schema is plugin.proto as published.
func schema(t testing.TB) protoreflect.MessageDescriptors {
	t.Helper()
	c := protocompile.Compiler{Resolver: &protocompile.SourceResolver{}, SourceInfoMode: protocompile.SourceInfoStandard}
	files, err := c.Compile(t.Context(), "plugin.proto")
	if err != nil {
		t.Fatal(err)
	}
	return files[0].Messages()
}

func typeOf(m message) reflect.Type { return reflect.TypeOf(m).Elem() }

func descriptor(t testing.TB, m message) protoreflect.MessageDescriptor {
	t.Helper()
	d := schema(t).ByName(protoreflect.Name(typeOf(m).Name()))
	if d == nil {
		t.Fatalf("plugin.proto has no message %s", typeOf(m).Name())
	}
	return d
}

// fieldOf finds the struct field that a field of the schema is, by its JSON name.
func fieldOf(typ reflect.Type, name protoreflect.Name) (reflect.StructField, bool) {
	for i := range typ.NumField() {
		f := typ.Field(i)
		if tag, _, _ := strings.Cut(f.Tag.Get("json"), ","); tag == string(name) {
			return f, true
		}
	}
	return reflect.StructField{}, false
}

// goType is how a field of the schema is spelled in Go.
func goType(f protoreflect.FieldDescriptor) string {
	name := f.Kind().String()
	switch {
	case f.Kind() == protoreflect.BytesKind:
		name = "[]uint8"
	case f.Message() != nil:
		name = "wire." + string(f.Message().Name())
	case f.FullName() == "sluice.plugin.v1.Error.code":
		name = "wire.Code"
	}
	if f.IsList() {
		name = "[]" + name
	}
	return name
}

func TestSchemaIsTheCode(t *testing.T) {
	all := schema(t)
	if all.Len() != len(messages) {
		t.Errorf("plugin.proto has %d messages, the test knows %d", all.Len(), len(messages))
	}
	for _, m := range messages {
		typ, d := typeOf(m), descriptor(t, m)
		if typ.NumField() != d.Fields().Len() {
			t.Errorf("%s: %d fields in Go, %d in plugin.proto", typ, typ.NumField(), d.Fields().Len())
		}
		for i := range d.Fields().Len() {
			f := d.Fields().Get(i)
			switch g, ok := fieldOf(typ, f.Name()); {
			case !ok:
				t.Errorf("%s has no field for %s", typ, f.FullName())
			case g.Type.String() != goType(f):
				t.Errorf("%s.%s is %s, plugin.proto says %s", typ, g.Name, g.Type, goType(f))
			}
		}
	}
}

func TestSchemaCommentsEveryField(t *testing.T) {
	all := schema(t)
	for i := range all.Len() {
		for j := range all.Get(i).Fields().Len() {
			f := all.Get(i).Fields().Get(j)
			if f.ParentFile().SourceLocations().ByDescriptor(f).TrailingComments == "" {
				t.Errorf("%s has no comment", f.FullName())
			}
		}
	}
}

// fill sets every field, with lists of one to three elements.
func fill(r *rand.Rand, m protoreflect.Message) {
	fields := m.Descriptor().Fields()
	for i := range fields.Len() {
		f := fields.Get(i)
		if !f.IsList() {
			m.Set(f, value(r, f, m.NewField(f)))
			continue
		}
		list := m.NewField(f).List()
		for range 1 + r.IntN(3) {
			list.Append(value(r, f, list.NewElement()))
		}
		m.Set(f, protoreflect.ValueOfList(list))
	}
}

// value is a random value that is not the default; empty is where nested messages are filled in.
func value(r *rand.Rand, f protoreflect.FieldDescriptor, empty protoreflect.Value) protoreflect.Value {
	switch f.Kind() {
	case protoreflect.BoolKind:
		return protoreflect.ValueOfBool(true)
	case protoreflect.Int64Kind:
		return protoreflect.ValueOfInt64(int64(r.Uint64()>>r.IntN(64)) | 1)
	case protoreflect.Uint64Kind:
		return protoreflect.ValueOfUint64(r.Uint64()>>r.IntN(64) | 1)
	case protoreflect.Uint32Kind:
		return protoreflect.ValueOfUint32(r.Uint32()>>r.IntN(32) | 1)
	case protoreflect.BytesKind:
		return protoreflect.ValueOfBytes([]byte(text(r)))
	case protoreflect.MessageKind:
		fill(r, empty.Message())
		return empty
	}
	return protoreflect.ValueOfString(text(r))
}

// text is 1 to 300 characters, so that lengths need one byte and two.
func text(r *rand.Rand) string {
	alphabet := []rune("aZ0 ?&#%\n\"ä語🇩")
	runes := make([]rune, 1+r.IntN(300>>r.IntN(8)))
	for i := range runes {
		runes[i] = alphabet[r.IntN(len(alphabet))]
	}
	return string(runes)
}

func TestRoundTripWithSchema(t *testing.T) {
	for _, m := range messages {
		t.Run(typeOf(m).Name(), func(t *testing.T) {
			random := rand.New(rand.NewPCG(1, 2))
			d := descriptor(t, m)
			for range 50 { // one message again and again: a slice that is reused must not keep anything
				want := dynamicpb.NewMessage(d)
				fill(random, want)
				encoded, err := proto.MarshalOptions{Deterministic: true}.Marshal(want)
				if err != nil {
					t.Fatal(err)
				}
				if err := m.Decode(encoded); err != nil {
					t.Fatal(err)
				}
				ours := m.Append([]byte("front"))
				if !bytes.Equal(ours, append([]byte("front"), encoded...)) {
					t.Fatalf("Append gives %q\nprotobuf gives %q", ours[5:], encoded)
				}
			}
			if err := m.Decode(nil); err != nil {
				t.Fatal(err)
			}
			if b := m.Append(nil); len(b) != 0 {
				t.Errorf("a message decoded from nothing still holds %q", b)
			}
		})
	}
}

// reordered encodes m with unknown fields of every wire type between its own, in all nested messages too.
func reordered(m protoreflect.Message) []byte {
	b := unknown(nil)
	fields := m.Descriptor().Fields()
	for i := fields.Len() - 1; i >= 0; i-- {
		f := fields.Get(i)
		if f.Message() == nil {
			one := m.Type().New()
			one.Set(f, m.Get(f))
			encoded, err := proto.Marshal(one.Interface())
			if err != nil {
				panic(err)
			}
			b = append(b, encoded...)
		} else if f.IsList() {
			for j := range m.Get(f).List().Len() {
				b = nested(b, f, m.Get(f).List().Get(j).Message())
			}
		} else {
			b = nested(b, f, m.Get(f).Message())
		}
		b = unknown(b)
	}
	return b
}

func nested(b []byte, f protoreflect.FieldDescriptor, m protoreflect.Message) []byte {
	return protowire.AppendBytes(protowire.AppendTag(b, f.Number(), protowire.BytesType), reordered(m))
}

func unknown(b []byte) []byte {
	b = protowire.AppendVarint(protowire.AppendTag(b, 900, protowire.VarintType), 1<<63)
	b = protowire.AppendFixed32(protowire.AppendTag(b, 901, protowire.Fixed32Type), 7)
	b = protowire.AppendFixed64(protowire.AppendTag(b, 902, protowire.Fixed64Type), 8)
	return protowire.AppendString(protowire.AppendTag(b, 903, protowire.BytesType), "from a newer minor")
}

func TestUnknownFieldsAreSkipped(t *testing.T) {
	for _, m := range messages {
		t.Run(typeOf(m).Name(), func(t *testing.T) {
			want := dynamicpb.NewMessage(descriptor(t, m))
			fill(rand.New(rand.NewPCG(3, 4)), want)
			encoded, err := proto.MarshalOptions{Deterministic: true}.Marshal(want)
			if err != nil {
				t.Fatal(err)
			}
			if err := m.Decode(reordered(want)); err != nil {
				t.Fatal(err)
			}
			if got := m.Append(nil); !bytes.Equal(got, encoded) {
				t.Errorf("got %q\nwant %q", got, encoded)
			}
		})
	}
}
