package pasarguard

import (
	"context"

	"github.com/sluicehq/sluice/httpapi/sub"
	"github.com/sluicehq/sluice/kernel/accounts"
	"github.com/sluicehq/sluice/kernel/domain"
)

// Info is what whoever has a user's subscription may know of it, to be written as JSON. Source: PasarGuard's /info, the
// user without what is its admin's.
func (o Options) Info(ctx context.Context, userID int64) (any, error) {
	v, err := o.Accounts.UserByID(ctx, userID)
	if err != nil {
		return nil, err
	}
	return publicUser(&v.User, v.Traffic, v.Status, v.GroupIDs), nil
}

// Usage is what the user has moved, to be written as JSON. What is wrong with q is an Invalid.
func (o Options) Usage(ctx context.Context, userID int64, q sub.UsageQuery) (any, error) {
	own := UsageQuery(q)
	return o.usage(&own, func(from, to int64) ([]domain.HourUsage, error) {
		return o.Accounts.HourlyUsage(ctx, userID, from, to)
	})
}

// subUpdate is one time that an app asked for a subscription.
type subUpdate struct {
	CreatedAt moment `json:"created_at"`
	UserAgent string `json:"user_agent"`
}

type subUpdateList struct {
	Updates []subUpdate `json:"updates" nullable:"false" doc:"the newest first"`
	Count   int         `json:"count" doc:"before paging"`
}

type subUpdatesRequest struct {
	UserPath
	Offset int `query:"offset" minimum:"0" doc:"updates to leave out"`
	Limit  int `query:"limit" minimum:"1" maximum:"100" default:"10" doc:"updates at most"`
}

func (r routes) subUpdates(ctx context.Context, who accounts.Principal, in *subUpdatesRequest) (subUpdateList, error) {
	fetches, total, err := r.Accounts.SubFetchesOf(ctx, who, in.Username, in.Offset, in.Limit)
	list := subUpdateList{Updates: make([]subUpdate, len(fetches)), Count: total}
	for i, f := range fetches {
		list.Updates[i] = subUpdate{moment(f.At), f.Agent}
	}
	return list, err
}
