package stream

import (
	"bytes"
	"encoding/json"
	"iter"
)

// Within is the text of a JSON value with what stands before and after it; what comes after is asked for at the end.
func Within(before string, value iter.Seq2[[]byte, error], after func() string) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		if !yield([]byte(before), nil) {
			return
		}
		for piece, err := range value {
			if !yield(piece, err) || err != nil {
				return
			}
		}
		yield([]byte(after()), nil)
	}
}

// List is the text of a JSON list, part by part: encode appends each of the values to buf.
func List[V any](values iter.Seq2[V, error], encode func(buf []byte, v V) ([]byte, error)) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		buf, first := []byte{'['}, true
		for v, err := range values {
			if err == nil {
				if !first {
					buf = append(buf, ',')
				}
				buf, err = encode(buf, v)
			}
			if !yield(buf, err) || err != nil {
				return
			}
			buf, first = buf[:0], false
		}
		yield(append(buf, ']'), nil)
	}
}

// Append appends a value as every other route writes it.
func Append[V any](buf []byte, v V) ([]byte, error) {
	w := bytes.NewBuffer(buf)
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	err := encoder.Encode(v)
	return bytes.TrimSuffix(w.Bytes(), []byte("\n")), err
}

// Sequence is a walk that calls back as a sequence, at whose end stands the error that broke it off.
func Sequence[V any](walk func(yield func(V) bool) error) iter.Seq2[V, error] {
	return func(yield func(V, error) bool) {
		wanted := true
		err := walk(func(v V) bool {
			wanted = yield(v, nil)
			return wanted
		})
		if err != nil && wanted {
			var zero V
			yield(zero, err)
		}
	}
}
