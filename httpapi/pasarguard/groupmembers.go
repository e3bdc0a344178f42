package pasarguard

import (
	"context"

	"github.com/sluicehq/sluice/kernel/accounts"
)

type memberChange struct {
	Body struct {
		GroupIDs    []int64 `json:"group_ids" required:"true" nullable:"false"`
		Users       []int64 `json:"users" doc:"ids of users, whether they match the filters or not"`
		Admins      []int64 `json:"admins" doc:"ids of the admins that users belong to"`
		HasGroupIDs []int64 `json:"has_group_ids" doc:"ids of groups that users are in"`
		DryRun      bool    `json:"dry_run" doc:"true = say how many it would be, and change nothing"`
	}
}

// changeMembers puts whom the request is about into groups, or takes them out; whom that is says UserFilter.
func (r routes) changeMembers(join bool) func(context.Context, accounts.Principal, *memberChange) (done, error) {
	return func(ctx context.Context, who accounts.Principal, in *memberChange) (done, error) {
		ids, err := r.selected(who, &UserFilter{Users: in.Body.Users, Admins: in.Body.Admins, GroupIDs: in.Body.HasGroupIDs})
		if err != nil {
			return done{}, err
		}
		report, err := r.Accounts.ChangeMemberships(ctx, who, ids, in.Body.GroupIDs, join, accounts.How{DryRun: in.Body.DryRun, There: true})
		return doneFor(report.Count), err
	}
}
