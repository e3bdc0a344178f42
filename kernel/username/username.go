// Package username makes the names of users that are created in bulk: a strategy plugin proposes, the rules here decide.
package username

import (
	"context"
	"encoding/json"
	"strings"

	"github.com/sluicehq/sluice/kernel/plugin"
	"github.com/sluicehq/sluice/sdk/wire"
)

// Strategies runs username plugins; *plugin.Host is one.
type Strategies interface {
	Usernames(ctx context.Context, req *wire.UsernameRequest) ([]string, error)
	CheckParams(kind, id, params string) error
	Items(kind string) []plugin.Item
}

var _ Strategies = (*plugin.Host)(nil)

// Service generates names. Its methods may be called from any goroutine.
type Service struct{ strategies Strategies }

// New returns a service that asks the plugins of s.
func New(s Strategies) *Service { return &Service{strategies: s} }

// Strategy is one loaded way to make names, as it is shown to operators.
type Strategy struct {
	ID          string
	Title       string          // the id if the plugin gives none
	Description string          // one sentence, "" = none
	Params      json.RawMessage // JSON Schema of its parameters, nil = takes none
	Base        string          // wire.BaseNone, wire.BaseOptional or wire.BaseRequired
	Collision   string          // wire.CollisionSkip or wire.CollisionRetry
	Plugin      string          // the name of the plugin it comes from
	Builtin     bool            // part of the binary
}

// List returns the loaded strategies, sorted by id.
func (s *Service) List() []Strategy {
	items := s.strategies.Items(wire.KindUsername)
	list := make([]Strategy, len(items))
	for i, item := range items {
		list[i] = Strategy{
			ID: item.ID, Title: orElse(item.Title, item.ID), Description: item.Description, Params: json.RawMessage(item.Params),
			Base: orElse(item.Base, wire.BaseOptional), Collision: orElse(item.Collision, wire.CollisionSkip),
			Plugin: item.Plugin, Builtin: item.Builtin,
		}
	}
	return list
}

// find returns the strategy of that id, the zero value if none is loaded.
func (s *Service) find(id string) Strategy {
	for _, strategy := range s.List() {
		if strategy.ID == id {
			return strategy
		}
	}
	return Strategy{}
}

// known lists the ids of the loaded strategies for an error.
func (s *Service) known() string {
	var ids []string
	for _, strategy := range s.List() {
		ids = append(ids, strategy.ID)
	}
	if ids == nil {
		return "those that plugins provide, and none is loaded"
	}
	return strings.Join(ids, ", ")
}

func orElse(s, other string) string {
	if s == "" {
		return other
	}
	return s
}
