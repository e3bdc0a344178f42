package pasarguard

import (
	"context"
	"encoding/json"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/sluicehq/sluice/httpapi/detail"
	"github.com/sluicehq/sluice/kernel/accounts"
)

const coresTag = "core"

func (r routes) cores() {
	handle(r, r.sudo(get("/cores", "List the cores: there is one", coresTag)), r.listCores)
	handle(r, r.sudo(get("/cores/simple", "List names and ids of the cores: there is one", coresTag)), r.simpleCores)
	handle(r, r.sudo(get("/core/{core_id}", "Read the core's base configuration", coresTag)), r.getCore)
	handle(r, r.sudo(put("/core/{core_id}", "Replace the core's base configuration; every connection is cut", coresTag)), r.updateCore)
	handleEmpty(r, r.sudo(remove("/core/{core_id}", "Refused: the core can not be deleted", coresTag)), r.deleteCore)
	handleEmpty(r, r.sudo(created("/core", "Refused: there is one core", coresTag)), r.createCore)
	restart := post("/core/{core_id}/restart", "Start the core anew; every connection is cut", coresTag)
	restart.DefaultStatus = http.StatusNoContent
	handleEmpty(r, r.sudo(restart), r.restartCore)
}

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
	ID     int64         `json:"id"`
	Name   string        `json:"name"`
	Config configuration `json:"config"`
}

// The one core that there is: it has an id because PasarGuard numbers its cores.
const (
	coreID   = 1
	coreName = "default"
)

// CorePath is a path with the id of a core.
type CorePath struct {
	ID int64 `path:"core_id"`
}

// check refuses the id of a core that there is not.
func (p *CorePath) check() error {
	if p.ID != coreID {
		return detail.Sentence(http.StatusNotFound, "Core config not found")
	}
	return nil
}

// coreList is every core.
type coreList struct {
	Count int        `json:"count"`
	Cores []coreBody `json:"cores"`
}

func (r routes) listCores(ctx context.Context, _ accounts.Principal, _ *struct{}) (coreList, error) {
	config, err := r.Accounts.CoreConfig(ctx)
	return coreList{1, []coreBody{{coreID, coreName, configuration(config)}}}, err
}

// simpleCoreList is what choices of a core are made of.
type simpleCoreList struct {
	Cores []simple `json:"cores"`
	Total int      `json:"total"`
}

func (r routes) simpleCores(context.Context, accounts.Principal, *struct{}) (simpleCoreList, error) {
	return simpleCoreList{[]simple{{coreID, coreName}}, 1}, nil
}

func (r routes) getCore(ctx context.Context, _ accounts.Principal, in *CorePath) (coreBody, error) {
	if err := in.check(); err != nil {
		return coreBody{}, err
	}
	config, err := r.Accounts.CoreConfig(ctx)
	return coreBody{coreID, coreName, configuration(config)}, err
}

type coreChange struct {
	CorePath
	Body struct {
		Config configuration `json:"config" required:"true"`
	}
}

func (r routes) updateCore(ctx context.Context, _ accounts.Principal, in *coreChange) (coreBody, error) {
	if err := in.check(); err != nil {
		return coreBody{}, err
	}
	if err := r.Accounts.SetCoreConfig(ctx, string(in.Body.Config)); err != nil {
		return coreBody{}, detail.Names(nil).Of(ctx, r.Log, err) // its fields are the core's, not this dialect's
	}
	return coreBody{coreID, coreName, in.Body.Config}, nil
}

func (r routes) deleteCore(_ context.Context, _ accounts.Principal, in *CorePath) error {
	if err := in.check(); err != nil {
		return err
	}
	return detail.Sentence(http.StatusForbidden, "Cannot delete default core config")
}

func (r routes) createCore(context.Context, accounts.Principal, *struct{}) error {
	return detail.Sentence(http.StatusConflict, "there is one core, with id 1: change it instead")
}

// restartCore hands the core the configuration that it has, as a change would.
func (r routes) restartCore(ctx context.Context, _ accounts.Principal, in *CorePath) error {
	if err := in.check(); err != nil {
		return err
	}
	config, err := r.Accounts.CoreConfig(ctx)
	if err != nil {
		return err
	}
	return r.Accounts.SetCoreConfig(ctx, config)
}
