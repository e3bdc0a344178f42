package storage

import (
	"context"
	"maps"
	"slices"

	"github.com/sluicehq/sluice/kernel/domain"
)

// The effective inbounds of a user: those that it is attached to itself, and those of its groups that are not disabled.
const (
	inboundsOfUser = "SELECT inbound_id FROM user_inbounds WHERE user_id = $1 UNION " +
		"SELECT gi.inbound_id FROM user_groups AS ug JOIN groups AS g ON g.id = ug.group_id " +
		"JOIN group_inbounds AS gi ON gi.group_id = g.id WHERE ug.user_id = $1 AND NOT g.disabled ORDER BY inbound_id"
	inboundsOfGroups = "SELECT group_id, inbound_id FROM group_inbounds JOIN groups ON id = group_id " +
		"WHERE group_id " + isListed + " AND NOT disabled"
)

// UserInbounds returns the ids of the effective inbounds of a user, ascending; none for an unknown user.
func (r *Reader) UserInbounds(ctx context.Context, userID int64) ([]int64, error) {
	return r.ids(ctx, "read inbounds of user", inboundsOfUser, userID)
}

// effective fills Inbounds of accounts from Direct and Groups. It asks nothing if nobody is in a group.
func (r *Reader) effective(ctx context.Context, accounts []domain.Account) error {
	groups := map[int64][]int64{}
	for i := range accounts {
		for _, id := range accounts[i].Groups {
			groups[id] = nil
		}
	}
	if len(groups) > 0 {
		var group, inbound int64
		err := r.scan(ctx, []any{&group, &inbound}, func() { groups[group] = append(groups[group], inbound) },
			inboundsOfGroups, r.engine.list(slices.Sorted(maps.Keys(groups))))
		if err != nil {
			return fail(ctx, r.engine, "read inbounds of groups", err)
		}
	}
	for i := range accounts {
		a := &accounts[i]
		a.Inbounds = append(make([]int64, 0, len(a.Direct)), a.Direct...)
		for _, id := range a.Groups {
			a.Inbounds = append(a.Inbounds, groups[id]...)
		}
		slices.Sort(a.Inbounds)
		a.Inbounds = slices.Compact(a.Inbounds)
	}
	return nil
}

// Who has an inbound: all of them, and for a page one source after the other.
const (
	usersOfInbound = "SELECT user_id FROM user_inbounds WHERE inbound_id = $1 UNION " +
		"SELECT ug.user_id FROM group_inbounds AS gi JOIN groups AS g ON g.id = gi.group_id " +
		"JOIN user_groups AS ug ON ug.group_id = g.id WHERE gi.inbound_id = $1 AND NOT g.disabled ORDER BY user_id"
	groupsOfInbound = "SELECT group_id FROM group_inbounds JOIN groups ON id = group_id " +
		"WHERE inbound_id = $1 AND NOT disabled ORDER BY group_id"
	nextOfInbound = "SELECT user_id FROM user_inbounds WHERE inbound_id = $1 AND user_id > $2 ORDER BY user_id LIMIT $3"
	nextOfGroup   = "SELECT user_id FROM user_groups WHERE group_id = $1 AND user_id > $2 ORDER BY user_id LIMIT $3"
)

// AccountsOfInbound is AccountsAfter among the users who have an inbound, themselves or by a group that is not disabled;
// an unknown one has none. It costs by the limit and the number of such groups, whatever the number of users before and
// after.
func (r *Reader) AccountsOfInbound(
	ctx context.Context, inboundID, afterID int64, limit int,
) (accounts []domain.Account, err error) {
	err = r.snapshot(ctx, "read accounts of inbound", func(r *Reader) error {
		users, err := r.ids(ctx, "read users of inbound", nextOfInbound, inboundID, afterID, limit)
		if err != nil {
			return err
		}
		groups, err := r.ids(ctx, "read groups of inbound", groupsOfInbound, inboundID)
		if err != nil {
			return err
		}
		for _, id := range groups {
			members, err := r.ids(ctx, "read members of group", nextOfGroup, id, afterID, limit)
			if err != nil {
				return err
			}
			users = append(users, members...)
		}
		slices.Sort(users)
		users = slices.Compact(users)
		accounts, err = r.Accounts(ctx, users[:min(limit, len(users))])
		return err
	})
	return accounts, err
}
