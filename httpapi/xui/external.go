package xui

import (
	"context"
	"fmt"
	"strings"

	"github.com/sluicehq/sluice/kernel/accounts"
	"github.com/sluicehq/sluice/kernel/domain"
)

// externalLink is an external link as callers see it.
type externalLink struct {
	ID             int64               `json:"id"`
	ClientID       int64               `json:"clientId"`
	Kind           domain.ExternalKind `json:"kind"`
	Value          string              `json:"value"`
	Remark         string              `json:"remark"`
	Enable         bool                `json:"enable"`
	ExpiryTime     int64               `json:"expiryTime" doc:"ms since the epoch, 0 = never"`
	NamePrefix     string              `json:"namePrefix"`
	LastFetchAt    int64               `json:"lastFetchAt" doc:"ms since the epoch at which a subscription was fetched last, 0 = never"`
	LastFetchError string              `json:"lastFetchError" doc:"why that failed, empty = it did not"`
	SortIndex      int                 `json:"sortIndex"`
	CreatedAt      int64               `json:"createdAt" doc:"ms since the epoch"`
}

func newExternalLinks(links []accounts.ExternalView) []externalLink {
	list := make([]externalLink, len(links))
	for i, l := range links {
		list[i] = externalLink{
			ID: l.ID, ClientID: l.UserID, Kind: l.Kind, Value: l.Value, Remark: l.Remark, Enable: l.Enabled,
			ExpiryTime: orZero(l.ExpireAt), NamePrefix: l.NamePrefix, LastFetchAt: l.TriedAt, LastFetchError: l.Error,
			SortIndex: l.Position, CreatedAt: l.CreatedAt,
		}
	}
	return list
}

// externalInput is an external link as callers send it.
type externalInput struct {
	Kind       string `json:"kind" doc:"link (also when empty) or subscription"`
	Value      string `json:"value" doc:"a share link, or the URL of a provider's subscription; without one the item is left out"`
	Remark     string `json:"remark" doc:"the name that apps show for a link"`
	Enable     *bool  `json:"enable" doc:"absent = true"`
	ExpiryTime int64  `json:"expiryTime" doc:"ms since the epoch, 0 = never"`
	NamePrefix string `json:"namePrefix" doc:"put before the names of a subscription's links"`
}

type externalRequest struct {
	EmailPath
	Body struct {
		ExternalLinks field[[]externalInput] `json:"externalLinks" doc:"all of them; an empty list or null takes all away"`
	}
}

// maxExternal is how many external links a client may have.
const maxExternal = 100

func (r routes) setExternalLinks(ctx context.Context, in *externalRequest) (none, string, error) {
	given := in.Body.ExternalLinks.Value
	if !in.Body.ExternalLinks.Set { // a mistake more often than a wish for none
		return none{}, "", domain.Invalid("externalLinks", "is required: a list, which may be empty")
	}
	if len(given) > maxExternal {
		return none{}, "", domain.Invalid("externalLinks", fmt.Sprintf("has %d items, at most %d are allowed", len(given), maxExternal))
	}
	links := make([]domain.ExternalLink, len(given))
	for i, g := range given {
		if g.ExpiryTime < 0 {
			return none{}, "", domain.Invalid(fmt.Sprintf("externalLinks[%d].expiryTime", i), "must not be negative")
		}
		kind := domain.ExternalKind(g.Kind)
		if kind == "" {
			kind = domain.ExternalShareLink
		}
		links[i] = domain.ExternalLink{
			Kind: kind, Value: strings.TrimSpace(g.Value), Remark: g.Remark, NamePrefix: g.NamePrefix,
			Enabled: g.Enable == nil || *g.Enable, ExpireAt: noneIfZero(g.ExpiryTime),
		}
	}
	return none{}, "", r.Accounts.SetExternalLinks(ctx, in.Email, links)
}
