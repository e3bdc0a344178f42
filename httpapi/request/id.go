// Package request reads of a request what the frameworks do not hand over ready for use.
package request

import (
	"context"

	"go.uber.org/zap"
)

// key is under which the server's middleware keeps the id among the values of a request.
const key = "requestid"

// ID is the id of the request, which its answer carries as X-Request-Id. ctx is that of a huma handler or fiber's own.
func ID(ctx context.Context) zap.Field {
	id, _ := ctx.Value(key).(string)
	return zap.String("request", id)
}
