package xui

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"net/http"
	"reflect"
	"runtime/debug"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humafiber"
	"github.com/gofiber/fiber/v2"
	"go.uber.org/zap"

	"github.com/sluicehq/sluice/httpapi/request"
)

// streamLot is how many bytes of a streamed answer are made at a time.
const streamLot = 48 << 10

// handleStream registers a route whose obj may be larger than memory should hold: pieces yields its JSON text, part by
// part. T is the type of obj, for the API's document only.
//
// The first lot is made before anything is sent: an error in it is an envelope as handle answers it, and a whole answer
// that fits in it is sent as usual. Any later error cuts the connection, so that nobody takes a part for the whole.
//
// Most pieces are asked for after the handler has returned, as fast as the caller reads. So pieces may keep nothing of
// the request but ctx and the input, which outlive it, and no transaction between two pieces. A piece may be overwritten
// when the next one is asked for.
func handleStream[T, I any](r routes, op huma.Operation, pieces func(context.Context, *I) iter.Seq2[[]byte, error]) {
	op = r.secured(op)
	schema := r.api.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[Envelope[T]](), true, "")
	op.Responses["200"] = &huma.Response{
		Description: http.StatusText(http.StatusOK), Content: map[string]*huma.MediaType{fiber.MIMEApplicationJSON: {Schema: schema}},
	}
	huma.Register(r.api, op, func(ctx context.Context, in *I) (*huma.StreamResponse, error) {
		answer := newStream(pieces(ctx, in))
		if err := answer.fill(); err != nil {
			_ = answer.Close() // never fails
			return nil, NewFailure(r.sentence(ctx, op, err))
		}
		answer.broken = func(err error) {
			r.Log.Error("answer broke off", request.ID(ctx), zap.String("route", op.Path), zap.Error(err))
		}
		return &huma.StreamResponse{Body: answer.send}, nil
	})
}

// stream is the text of an envelope around pieces. The server reads and closes it.
type stream struct {
	next   func() ([]byte, error, bool)
	stop   func()
	lot    bytes.Buffer // made and not read yet
	whole  bool         // the end of the envelope is in lot
	broken func(error)  // told why the text ends too soon
}

var _ io.ReadCloser = (*stream)(nil)

func newStream(pieces iter.Seq2[[]byte, error]) *stream {
	s := &stream{}
	s.lot.WriteString(`{"success":true,"msg":"","obj":`)
	s.next, s.stop = iter.Pull2(caught(pieces))
	return s
}

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
func (s *stream) send(ctx huma.Context) {
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
func (s *stream) fill() error {
	for s.lot.Len() < streamLot && !s.whole {
		piece, err, more := s.next()
		switch {
		case err != nil:
			return err
		case more:
			s.lot.Write(piece)
		default:
			s.lot.WriteString("}\n")
			s.whole = true
		}
	}
	return nil
}

// Read returns an error that is not io.EOF when the pieces break off: then the server closes the connection without the
// mark that ends a body.
func (s *stream) Read(p []byte) (int, error) {
	if s.lot.Len() == 0 {
		if err := s.fill(); err != nil {
			s.broken(err)
			return 0, err
		}
	}
	return s.lot.Read(p)
}

// Close ends the sequence of pieces, wherever it is.
func (s *stream) Close() error {
	s.stop()
	return nil
}

// jsonList is the text of a JSON list, part by part: encode appends each of the values to buf.
func jsonList[V any](values iter.Seq2[V, error], encode func(buf []byte, v V) ([]byte, error)) iter.Seq2[[]byte, error] {
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

// appendJSON appends a value as every other route writes it.
func appendJSON[V any](buf []byte, v V) ([]byte, error) {
	w := bytes.NewBuffer(buf)
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	err := encoder.Encode(v)
	return bytes.TrimSuffix(w.Bytes(), []byte("\n")), err
}

// sequence is a walk that calls back as a sequence, at whose end stands the error that broke it off.
func sequence[V any](walk func(yield func(V) bool) error) iter.Seq2[V, error] {
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
