// Package stream writes answers that may be larger than memory should hold.
package stream

import (
	"bytes"
	"fmt"
	"io"
	"iter"
	"runtime/debug"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humafiber"
	"github.com/gofiber/fiber/v2"
)

// lotSize is how many bytes of an answer are made at a time.
const lotSize = 48 << 10

// Answer is the answer whose JSON text pieces yields, part by part.
//
// The first lot is made before anything is sent: an error in it is returned, and a whole answer that fits in it is sent as
// usual. Any later error cuts the connection, so that nobody takes a part for the whole, and broken is told.
//
// Most pieces are asked for after the handler has returned, as fast as the caller reads. So pieces may keep nothing of
// the request but its context and its input, which outlive it, and no transaction between two pieces. A piece may be
// overwritten when the next one is asked for.
func Answer(pieces iter.Seq2[[]byte, error], broken func(error)) (*huma.StreamResponse, error) {
	s := &source{broken: broken}
	s.next, s.stop = iter.Pull2(caught(pieces))
	if err := s.fill(); err != nil {
		_ = s.Close() // never fails
		return nil, err
	}
	return &huma.StreamResponse{Body: s.send}, nil
}

// source is the text of an answer. The server reads and closes it.
type source struct {
	next   func() ([]byte, error, bool)
	stop   func()
	lot    bytes.Buffer // made and not read yet
	whole  bool         // the end of the text is in lot
	broken func(error)  // told why the text ends too soon
}

var _ io.ReadCloser = (*source)(nil)

// caught is pieces with a panic turned into an error that carries its stack. Outside of a handler nothing else would
// log one.
func caught(pieces iter.Seq2[[]byte, error]) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		defer func() {
			if p := recover(); p != nil {
				yield(nil, fmt.Errorf("panic: %v\n%s", p, debug.Stack()))
			}
		}()
		pieces(yield)
	}
}

// send hands the answer to the server: as it is when it is whole, else to be read from here.
func (s *source) send(ctx huma.Context) {
	ctx.SetHeader(fiber.HeaderContentType, fiber.MIMEApplicationJSON)
	response := humafiber.Unwrap(ctx).Response()
	if !s.whole {
		response.SetBodyStream(s, -1)
		return
	}
	response.SetBodyRaw(s.lot.Bytes())
	_ = s.Close() // never fails
}

// fill makes the next lot.
func (s *source) fill() error {
	for s.lot.Len() < lotSize && !s.whole {
		piece, err, more := s.next()
		if err != nil {
			return err
		}
		s.lot.Write(piece)
		s.whole = !more
	}
	return nil
}

// Read returns an error that is not io.EOF when the pieces break off: then the server closes the connection without the
// mark that ends a body.
func (s *source) Read(p []byte) (int, error) {
	if s.lot.Len() == 0 {
		if err := s.fill(); err != nil {
			s.broken(err)
			return 0, err
		}
	}
	return s.lot.Read(p)
}

// Close ends the sequence of pieces, wherever it is.
func (s *source) Close() error {
	s.stop()
	return nil
}
