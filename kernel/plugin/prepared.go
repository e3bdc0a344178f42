package plugin

import (
	"errors"

	"github.com/sluicehq/sluice/sdk/wire"
)

// preparedSet names endpoints that an instance has been sent.
type preparedSet struct {
	item   string
	handle uint64
}

// render makes one subscription on this instance. If the format keeps endpoint sets, and the caller has named one, the
// endpoints are sent only when the instance does not hold them.
func (in *instance) render(item *wire.Item, req *wire.FormatRequest, reply *wire.FormatReply) error {
	in.format = *req
	in.stamp(&in.format.Now, &in.format.Entropy)
	if !item.Prepare || req.Prepared == 0 {
		in.format.Prepared = 0
		return in.send(wire.OpFormat, &in.format, reply)
	}
	in.format.Endpoints = nil
	set := preparedSet{item.ID, req.Prepared}
	for {
		sent, err := in.prepare(set, req)
		if err != nil {
			return err
		}
		err = in.send(wire.OpFormat, &in.format, reply)
		var reported *PluginError
		if sent || !errors.As(err, &reported) || reported.Code != wire.CodeNotPrepared {
			return err
		}
		in.forget(set) // the guest has dropped it: send it, then ask again
	}
}

// prepare sends the endpoints unless the instance has them, and reports whether it did.
func (in *instance) prepare(set preparedSet, req *wire.FormatRequest) (sent bool, err error) {
	for _, have := range in.prepared {
		if have == set {
			return false, nil
		}
	}
	err = in.send(wire.OpPrepare, &wire.PrepareRequest{
		ID: req.ID, Now: in.format.Now, Entropy: in.format.Entropy, Settings: req.Settings,
		Endpoints: req.Endpoints, Handle: set.handle,
	}, &wire.PrepareReply{})
	if err != nil {
		return false, err
	}
	if len(in.prepared) == wire.MaxPreparedSets {
		in.prepared = append(in.prepared[:0], in.prepared[1:]...)
	}
	in.prepared = append(in.prepared, set)
	return true, nil
}

// forget drops a set that turned out to be missing.
func (in *instance) forget(set preparedSet) {
	for i, have := range in.prepared {
		if have == set {
			in.prepared = append(in.prepared[:i], in.prepared[i+1:]...)
			return
		}
	}
}
