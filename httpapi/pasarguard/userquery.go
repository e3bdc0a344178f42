package pasarguard

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/sluicehq/sluice/httpapi/detail"
	"github.com/sluicehq/sluice/kernel/directory"
	"github.com/sluicehq/sluice/kernel/domain"
)

// UserQuery says which users a list is to have, in which order. A parameter that is there several times matches who has
// any of its values. It is exported because the API's document passes over embedded types that are not.
type UserQuery struct {
	Paging
	Search     string   `query:"search" doc:"a part of the name or the note, whatever the case"`
	Username   []string `query:"username,explode" doc:"a whole name"`
	Usernames  []string `query:"usernames,explode" doc:"the same"`
	IDs        []int64  `query:"ids,explode"`
	Status     []string `query:"status,explode" doc:"active, on_hold, limited, expired or disabled"`
	Admin      []string `query:"admin,explode" doc:"the name of the admin that a user belongs to"`
	AdminIDs   []int64  `query:"admin_ids,explode"`
	Group      []int64  `query:"group,explode" doc:"the id of a group that a user is in"`
	GroupIDs   []int64  `query:"group_ids,explode" doc:"the same"`
	Strategies []string `query:"data_limit_reset_strategy,explode" doc:"as users show it"`

	DataLimitMin int64 `query:"data_limit_min" minimum:"0" doc:"bytes, 0 = open"`
	DataLimitMax int64 `query:"data_limit_max" minimum:"0" doc:"bytes, 0 = open"`
	NoDataLimit  bool  `query:"no_data_limit" doc:"true = only those without a limit"`

	ExpireAfter  string `query:"expire_after" doc:"ISO-8601, or seconds since the epoch; so are the other times"`
	ExpireBefore string `query:"expire_before"`
	NoExpire     bool   `query:"no_expire" doc:"true = only those who never expire, or are on hold"`
	OnlineAfter  string `query:"online_after" doc:"of the last byte"`
	OnlineBefore string `query:"online_before"`
	Online       bool   `query:"online" doc:"true = only those with an open connection"`
	ProxyID      string `query:"proxy_id" doc:"a uuid, a password or an auth, whole"`

	Sort string `query:"sort" doc:"username, used_traffic, data_limit, expire, created_at, edit_at or online_at, several with commas; - in front = descending; absent = as they were made"`
}

// userSorts are what a list of users can be sorted by.
var userSorts = map[string]directory.Sort{
	"username": directory.SortName, "used_traffic": directory.SortTraffic, "data_limit": directory.SortQuota,
	"expire": directory.SortExpiry, "created_at": directory.SortCreated, "edit_at": directory.SortEdited,
	"online_at": directory.SortOnline,
}

// statuses are all that a user can have.
var statuses = []domain.Status{
	domain.StatusActive, domain.StatusOnHold, domain.StatusLimited, domain.StatusExpired, domain.StatusDisabled,
}

// query is what the list is to have, but for its limit.
func (q *UserQuery) query(ctx context.Context, r routes) (directory.Query, error) {
	d := directory.Query{
		Search: strings.TrimSpace(q.Search), SearchNames: true, IDs: q.IDs, Names: slices.Concat(q.Username, q.Usernames),
		AnyGroups: slices.Concat(q.Group, q.GroupIDs), QuotaFrom: q.DataLimitMin, QuotaTo: q.DataLimitMax, Offset: q.Offset,
	}
	if q.ProxyID != "" {
		ids, err := r.Accounts.UsersWith(ctx, q.ProxyID)
		if err != nil {
			return d, err
		}
		if d.IDs != nil {
			ids = slices.DeleteFunc(ids, func(id int64) bool { return !slices.Contains(q.IDs, id) })
		}
		d.IDs = ids
	}
	if q.NoDataLimit {
		d.HasQuota = new(bool)
	}
	if q.NoExpire {
		d.Expires = new(bool)
	}
	if q.Online {
		d.Buckets = directory.Online
	}
	for _, name := range q.Strategies {
		d.Policies = append(d.Policies, policiesShown(name)...)
	}
	var err error
	if d.Statuses, err = readStatuses(q.Status); err != nil {
		return d, err
	}
	if d.Order, err = readOrder(q.Sort, userOrder); err != nil {
		return d, err
	}
	for _, t := range []struct {
		name, text string
		to         *int64
	}{
		{"expire_after", q.ExpireAfter, &d.ExpireFrom},
		{"expire_before", q.ExpireBefore, &d.ExpireTo},
		{"online_after", q.OnlineAfter, &d.OnlineFrom},
		{"online_before", q.OnlineBefore, &d.OnlineTo},
	} {
		if *t.to, err = queryMoment(t.name, t.text); err != nil {
			return d, err
		}
	}
	d.Admins, err = r.adminIDs(ctx, q.Admin, q.AdminIDs)
	return d, err
}

// adminIDs are the ids of the admins with these names, and these ids; nil only if none is asked for.
func (r routes) adminIDs(ctx context.Context, names []string, ids []int64) ([]int64, error) {
	if len(names) == 0 {
		return ids, nil
	}
	ids = list(ids)
	for _, name := range names {
		admin, err := r.Accounts.Admin(ctx, name)
		switch {
		case domain.CodeOf(err) == domain.CodeNotFound: // nobody is its user
		case err != nil:
			return nil, err
		default:
			ids = append(ids, admin.ID)
		}
	}
	return ids, nil
}

// policiesShown are the ids of the policies that are shown as name.
func policiesShown(name string) (ids []string) {
	ids = []string{givenPolicy(name)}
	for id, shown := range policyNames {
		if shown == name && id != ids[0] {
			ids = append(ids, id)
		}
	}
	return ids
}

// readStatuses reads the names of statuses, nil for nil.
func readStatuses(names []string) (read []domain.Status, err error) {
	if names != nil {
		read = []domain.Status{}
	}
	for _, name := range names {
		if !slices.Contains(statuses, domain.Status(name)) {
			return nil, detail.Sentence(http.StatusBadRequest, strconv.Quote(name)+" is not a valid status")
		}
		read = append(read, domain.Status(name))
	}
	return read, nil
}

// userOrder is one key of an order of users.
func userOrder(name string, descending bool) (by directory.OrderBy, known bool) {
	sort, known := userSorts[name]
	return directory.OrderBy{Sort: sort, Descending: descending}, known
}
