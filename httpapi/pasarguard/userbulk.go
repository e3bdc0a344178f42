package pasarguard

import (
	"context"
	"fmt"

	"github.com/sluicehq/sluice/httpapi/detail"
	"github.com/sluicehq/sluice/kernel/accounts"
	"github.com/sluicehq/sluice/kernel/directory"
	"github.com/sluicehq/sluice/kernel/domain"
)

func (r routes) bulk() {
	handle(r, post("/users/bulk/expire", "Move the end of users' time", usersTag), r.moveExpiries)
	handle(r, post("/users/bulk/data_limit", "Add to users' data limits", usersTag), r.addToLimits)
	handle(r, post("/users/bulk/proxy_settings", "Change users' flow and method", usersTag), r.changeProxies)
	handle(r, post("/users/bulk/delete", "Delete users", usersTag), manyUsers(r.Accounts.DeleteUsersOf))
	handle(r, post("/users/bulk/reset", "Set users' usage to zero and forget its history", usersTag), manyUsers(r.resetMany))
	handle(r, post("/users/bulk/revoke_sub", "Give users new subscription links and new credentials", usersTag), manyUsers(r.Accounts.RevokeSubsOf))
	handle(r, post("/users/bulk/disable", "Disable users", usersTag), manyUsers(r.switchMany(false)))
	handle(r, post("/users/bulk/enable", "Enable users", usersTag), manyUsers(r.switchMany(true)))
	handle(r, r.sudo(put("/users/bulk/set_owner", "Give users to another admin", usersTag)), r.setOwners)
	handle(r, r.sudo(post("/users/reset", "Set the usage of all users to zero and forget its history", usersTag)), r.resetAll)
}

// UserFilter says whom a bulk request is about: who matches all of its filters, and who is named; without any filter,
// everyone. Only what is absent or null is no filter: an empty list is nobody, so that a script whose list came out empty
// does not change everyone. It is exported because the API's document passes over embedded types that are not.
type UserFilter struct {
	Users        []int64        `json:"users" doc:"ids of users, whether they match the filters or not"`
	Admins       []int64        `json:"admins" doc:"ids of the admins that users belong to"`
	GroupIDs     []int64        `json:"group_ids" doc:"ids of groups that users are in"`
	Status       []string       `json:"status" doc:"active, on_hold, limited, expired or disabled"`
	ExpireAfter  field[instant] `json:"expire_after" doc:"ISO-8601, or seconds since the epoch"`
	ExpireBefore field[instant] `json:"expire_before" doc:"the same"`
	DryRun       bool           `json:"dry_run" doc:"true = say how many it would be, and change nothing"`
}

// query is for who matches the filters; any is false when there is none.
func (f *UserFilter) query() (q directory.Query, any bool, err error) {
	q = directory.Query{Admins: f.Admins, AnyGroups: f.GroupIDs}
	if q.Statuses, err = readStatuses(f.Status); err != nil {
		return q, false, err
	}
	for _, t := range []struct {
		name  string
		given instant
		to    *int64
	}{{"expire_after", f.ExpireAfter.Value, &q.ExpireFrom}, {"expire_before", f.ExpireBefore.Value, &q.ExpireTo}} {
		at, ok := t.given.at(0)
		if !ok {
			return q, false, detail.Fields{t.name: badMoment}
		}
		*t.to = orZero(at)
	}
	any = q.Admins != nil || q.AnyGroups != nil || q.Statuses != nil || q.ExpireFrom != 0 || q.ExpireTo != 0
	return q, any, nil
}

// selected are the ids of whom the request is about.
func (r routes) selected(who accounts.Principal, f *UserFilter) ([]int64, error) {
	query, any, err := f.query()
	if err != nil {
		return nil, err
	}
	if f.Users == nil {
		return r.Accounts.SelectUsers(who, query), nil
	}
	ids := r.Accounts.SelectUsers(who, directory.Query{IDs: f.Users})
	if any {
		ids = append(ids, r.Accounts.SelectUsers(who, query)...)
	}
	return ids, nil
}

// changeMany lets change edit whom the request is about.
func (r routes) changeMany(
	ctx context.Context, who accounts.Principal, f *UserFilter, change func(*domain.Account) (changed bool),
) (done, error) {
	ids, err := r.selected(who, f)
	if err != nil {
		return done{}, err
	}
	report, err := r.Accounts.ChangeUsers(ctx, who, ids, accounts.How{DryRun: f.DryRun, There: true}, change)
	return doneFor(report.Count), err
}

// doneFor is PasarGuard's sentence, letter by letter.
func doneFor(users int) done {
	return done{fmt.Sprintf("operation has been successfuly done on %d users", users)}
}

type bulkAmount struct {
	Body struct {
		Amount int64 `json:"amount" required:"true" doc:"seconds, or bytes; below 0 = less"`
		UserFilter
	}
}

// moveExpiries adds to the expiry of who has one, and to what users on hold will get; of whom no time would be left
// nothing is changed.
func (r routes) moveExpiries(ctx context.Context, who accounts.Principal, in *bulkAmount) (done, error) {
	seconds := in.Body.Amount
	if seconds > maxDuration || seconds < -maxDuration {
		return done{}, detail.Fields{"amount": fmt.Sprintf("Amount must be between -%d and %d", maxDuration, maxDuration)}
	}
	return r.changeMany(ctx, who, &in.Body.UserFilter, func(a *domain.Account) bool {
		return seconds != 0 && accounts.AddTime(&a.User, seconds*1000) == ""
	})
}

// addToLimits adds to the limit of who has one; of whom no limit would be left nothing is changed.
func (r routes) addToLimits(ctx context.Context, who accounts.Principal, in *bulkAmount) (done, error) {
	return r.changeMany(ctx, who, &in.Body.UserFilter, func(a *domain.Account) bool {
		return in.Body.Amount != 0 && accounts.AddBytes(&a.User, in.Body.Amount) == ""
	})
}

type bulkProxies struct {
	Body struct {
		Flow   *string `json:"flow" doc:"xtls-rprx-vision; none or empty = none; null = as it is"`
		Method *string `json:"method" doc:"of shadowsocks; null = as it is"`
		UserFilter
	}
}

func (r routes) changeProxies(ctx context.Context, who accounts.Principal, in *bulkProxies) (done, error) {
	flow, known := givenFlow(in.Body.Flow)
	if !known {
		return done{}, detail.Fields{"flow": flowFault}
	}
	method, known := givenMethod(in.Body.Method)
	if !known {
		return done{}, detail.Fields{"method": methodFault}
	}
	return r.changeMany(ctx, who, &in.Body.UserFilter, func(a *domain.Account) (changed bool) {
		c := &a.User.Credentials
		if flow != nil && *flow != c.Flow {
			c.Flow, changed = *flow, true
		}
		if method != nil && (c.Method == nil || *method != *c.Method) {
			c.Method, changed = method, true
		}
		return changed
	})
}

// userNames are those that something happened to.
type userNames struct {
	Users []string `json:"users" nullable:"false" doc:"empty when they are more than 5000"`
	Count int      `json:"count"`
}

// named is the answer of a route about many users, all of whom are as it was asked for.
func named(report accounts.Report, err error) (userNames, error) {
	if err != nil {
		return userNames{}, err
	}
	return userNames{report.Done, max(report.Count, len(report.Done))}, nil
}

// manyUsers is a route that does something to the users whose ids it is sent.
func manyUsers(
	do func(ctx context.Context, who accounts.Principal, ids []int64) (accounts.Report, error),
) func(context.Context, accounts.Principal, *idsRequest) (userNames, error) {
	return func(ctx context.Context, who accounts.Principal, in *idsRequest) (userNames, error) {
		return named(do(ctx, who, in.Body.IDs))
	}
}

func (r routes) resetMany(ctx context.Context, who accounts.Principal, ids []int64) (accounts.Report, error) {
	return r.Accounts.ResetUsagesOf(ctx, who, ids, accounts.How{})
}

// switchMany enables or disables users.
func (r routes) switchMany(enabled bool) func(context.Context, accounts.Principal, []int64) (accounts.Report, error) {
	return func(ctx context.Context, who accounts.Principal, ids []int64) (accounts.Report, error) {
		return r.Accounts.ChangeUsers(ctx, who, ids, accounts.How{}, func(a *domain.Account) bool {
			changed := a.User.Enabled != enabled
			a.User.Enabled = enabled
			return changed
		})
	}
}

type ownersChange struct {
	Body struct {
		IDs   []int64 `json:"ids" required:"true" nullable:"false" maxItems:"5000"`
		Admin string  `json:"admin_username" required:"true" doc:"the admin that the users belong to then"`
	}
}

func (r routes) setOwners(ctx context.Context, who accounts.Principal, in *ownersChange) (userNames, error) {
	return named(r.Accounts.SetOwners(ctx, who, in.Body.IDs, in.Body.Admin))
}

func (r routes) resetAll(ctx context.Context, who accounts.Principal, _ *struct{}) (nothing, error) {
	_, err := r.Accounts.ResetUsagesOf(ctx, who, r.Accounts.SelectUsers(who, directory.Query{}), accounts.How{There: true})
	return nothing{}, err
}
