package pasarguard

import (
	"context"
	"encoding/json"

	"github.com/sluicehq/sluice/kernel/accounts"
)

func (r routes) strategies() {
	handle(r, get("/username_strategies", "List the ways to make usernames", templatesTag), r.listStrategies)
}

// strategyBody is a way to make names for many users, as callers see it.
type strategyBody struct {
	ID          string          `json:"id" doc:"what strategy names"`
	Title       string          `json:"title"`
	Description string          `json:"description"`
	Params      json.RawMessage `json:"params_schema" doc:"JSON Schema of params, null = it takes none"`
	Username    string          `json:"username" enum:"none,optional,required" doc:"what it makes of username and start_number"`
	Collision   string          `json:"collision" enum:"skip,retry" doc:"skip = names that exist are left out; retry = others are made instead"`
	Plugin      string          `json:"plugin" doc:"the plugin that it comes from"`
	Builtin     bool            `json:"builtin" doc:"the plugin is a part of the program"`
}

func (r routes) listStrategies(_ context.Context, _ accounts.Principal, _ *struct{}) ([]strategyBody, error) {
	bodies := []strategyBody{}
	for _, s := range r.Accounts.Strategies() {
		bodies = append(bodies, strategyBody{s.ID, s.Title, s.Description, s.Params, s.Base, s.Collision, s.Plugin, s.Builtin})
	}
	return bodies, nil
}
