package ops

import (
	"context"
	"encoding/json"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
)

// configuration is a JSON object that is passed on as it is.
type configuration json.RawMessage

// Schema tells the validation to want an object and to leave its content to the core.
func (configuration) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeObject, AdditionalProperties: true, Description: "dns, routing, outbounds and policy of xray-core"}
}

// UnmarshalJSON keeps the object.
func (c *configuration) UnmarshalJSON(data []byte) error {
	*c = append((*c)[:0], data...)
	return nil
}

// MarshalJSON writes the object.
func (c configuration) MarshalJSON() ([]byte, error) { return c, nil }

// coreBody is the core's base configuration, in PasarGuard's shape of a core.
type coreBody struct {
	ID     int           `json:"id"`
	Name   string        `json:"name"`
	Config configuration `json:"config"`
}

type coreReply struct{ Body coreBody }

type coreChange struct {
	Body struct {
		Config configuration `json:"config" required:"true"`
	}
}

// theCore is the one core that there is: its id stands in the path because PasarGuard numbers its cores.
func theCore(config string) *coreReply {
	return &coreReply{coreBody{1, "default", configuration(config)}}
}

func (o Options) core(api huma.API) {
	huma.Register(api, operation(http.MethodGet, "/core/1", "Read the core's base configuration", "core"),
		func(ctx context.Context, _ *struct{}) (*coreReply, error) {
			config, err := o.Accounts.CoreConfig(ctx)
			if err != nil {
				return nil, o.fail(ctx, err)
			}
			return theCore(config), nil
		})
	huma.Register(api, operation(http.MethodPut, "/core/1", "Replace the core's base configuration; every connection is cut", "core"),
		func(ctx context.Context, in *coreChange) (*coreReply, error) {
			if err := o.Accounts.SetCoreConfig(ctx, string(in.Body.Config)); err != nil {
				return nil, o.fail(ctx, err)
			}
			return theCore(string(in.Body.Config)), nil
		})
}
