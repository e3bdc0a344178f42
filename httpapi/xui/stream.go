package xui

import (
	"context"
	"iter"
	"net/http"
	"reflect"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gofiber/fiber/v2"
	"go.uber.org/zap"

	"github.com/sluicehq/sluice/httpapi/request"
	"github.com/sluicehq/sluice/httpapi/stream"
)

// handleStream registers a route whose obj may be larger than memory should hold: pieces yields its JSON text, under the
// rules of stream.Answer. T is the type of obj, for the API's document only. An error in the first lot is an envelope as
// handle answers it.
func handleStream[T, I any](r routes, op huma.Operation, pieces func(context.Context, *I) iter.Seq2[[]byte, error]) {
	op = r.secured(op)
	schema := r.api.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[Envelope[T]](), true, "")
	op.Responses["200"] = &huma.Response{
		Description: http.StatusText(http.StatusOK), Content: map[string]*huma.MediaType{fiber.MIMEApplicationJSON: {Schema: schema}},
	}
	huma.Register(r.api, op, func(ctx context.Context, in *I) (*huma.StreamResponse, error) {
		envelope := stream.Within(`{"success":true,"msg":"","obj":`, pieces(ctx, in), func() string { return "}\n" })
		answer, err := stream.Answer(envelope, func(err error) {
			r.Log.Error("answer broke off", request.ID(ctx), zap.String("route", op.Path), zap.Error(err))
		})
		if err != nil {
			return nil, NewFailure(r.sentence(ctx, op, err))
		}
		return answer, nil
	})
}
