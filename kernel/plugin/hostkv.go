package plugin

import (
	"context"
	"errors"
	"time"

	"go.uber.org/zap"

	"github.com/sluicehq/sluice/kernel/domain"
	"github.com/sluicehq/sluice/sdk/wire"
)

// KV is the store of one plugin. An error that is an Invalid is the plugin's fault, such as a quota, and is told to it;
// of any other it is told only that the store fails.
type KV interface {
	Get(ctx context.Context, key string) (value []byte, found bool, err error)
	Set(ctx context.Context, key string, value []byte) (existed bool, err error)
	Delete(ctx context.Context, key string) (existed bool, err error)
}

const maxKey = 256 // bytes

// kvWork is what one of the functions does with the store.
type kvWork func(context.Context, KV, *wire.KVRequest) (wire.KVReply, error)

func kvGet(ctx context.Context, store KV, req *wire.KVRequest) (reply wire.KVReply, err error) {
	reply.Value, reply.Found, err = store.Get(ctx, req.Key)
	return reply, err
}

func kvSet(ctx context.Context, store KV, req *wire.KVRequest) (reply wire.KVReply, err error) {
	reply.Found, err = store.Set(ctx, req.Key, req.Value)
	return reply, err
}

func kvDelete(ctx context.Context, store KV, req *wire.KVRequest) (reply wire.KVReply, err error) {
	reply.Found, err = store.Delete(ctx, req.Key)
	return reply, err
}

func kvFunction(name string, work kvWork) hostFunction {
	return hostFunction{
		name:   name,
		budget: func(s *spending, l *Limits) (*budget, Budget) { return &s.kv, l.KV },
		refuse: func(e wire.Error) message { return &wire.KVReply{Error: e} },
		work: func(in *instance, request []byte, patience time.Duration) message {
			reply, err := in.kv(request, patience, work)
			if err != nil {
				return &wire.KVReply{Error: in.hostError("sluice."+name, err)}
			}
			return &reply
		},
	}
}

func (in *instance) kv(request []byte, patience time.Duration, work kvWork) (wire.KVReply, error) {
	var req wire.KVRequest
	if err := in.decodeRequest(request, &req); err != nil {
		return wire.KVReply{}, domain.Invalid("", err.Error())
	}
	p := in.plugin
	switch {
	case !p.granted.kv:
		return wire.KVReply{}, domain.Invalid("", "the permission kv was not granted")
	case p.host.o.KV == nil:
		return wire.KVReply{}, domain.Unavailable("there is no key-value store here")
	case req.Key == "" || len(req.Key) > maxKey:
		return wire.KVReply{}, domain.Invalid("key", "must have 1 to 256 bytes")
	}
	ctx, cancel := context.WithTimeout(in.spending.ctx, patience)
	defer cancel()
	return work(ctx, p.host.o.KV(p.name), &req)
}

// hostError is what a guest is told of an error of the host: an Invalid as it is, of others only what is meant to be
// shown. The log has the rest.
func (in *instance) hostError(function string, err error) wire.Error {
	e := wire.Error{Code: wire.CodeRetry, Message: function + " failed"}
	var known *domain.Error
	if errors.As(err, &known) {
		e.Message = known.Error()
		if known.Code == domain.CodeInvalid {
			e.Code = wire.CodeInvalid
			return e
		}
	}
	in.plugin.journal.mishap("plugin got no answer", zap.String("from", function), zap.Error(err))
	return e
}
