package accounts

import (
	"context"
	"fmt"
	"slices"

	"github.com/sluicehq/sluice/kernel/domain"
	"github.com/sluicehq/sluice/storage"
)

// doors are the groups of some accounts, by id: what lets their users into inbounds besides their own.
type doors map[int64]domain.Group

// doorsOf reads the groups with these ids, in any order.
func doorsOf(ctx context.Context, tx *storage.Tx, ids []int64) (doors, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	groups, err := tx.GroupsOf(ctx, slices.Compact(slices.Sorted(slices.Values(ids))))
	return newDoors(groups), err
}

// allDoors reads every group, for a request about many users.
func allDoors(ctx context.Context, tx *storage.Tx) (doors, error) {
	groups, err := tx.Groups(ctx)
	return newDoors(groups), err
}

func newDoors(groups []domain.Group) doors {
	d := make(doors, len(groups))
	for _, g := range groups {
		d[g.ID] = g
	}
	return d
}

// want gives an account that was shown with some inbounds those that are wanted: what is new becomes its own, unless a group
// gives it, and what is missing is taken from its own. One that comes with a group can not be taken away (decisions.md
// §1.2, inbounds).
func (d doors) want(a *domain.Account, shown, wanted []int64) *domain.Error {
	direct := slices.Clone(a.Direct)
	for _, id := range shown {
		if slices.Contains(wanted, id) {
			continue
		}
		if group, gives := d.giving(a, id); gives {
			return domain.Conflict("", fmt.Sprintf("inbound %d comes with the group %q and can not be detached", id, group))
		}
		direct = without(direct, id)
	}
	for _, id := range wanted {
		if !slices.Contains(shown, id) && !slices.Contains(a.Inbounds, id) {
			direct = append(direct, id)
		}
	}
	slices.Sort(direct)
	a.Direct = append([]int64{}, slices.Compact(direct)...) // none is not nil
	return nil
}

// giving names a group that lets the account into an inbound.
func (d doors) giving(a *domain.Account, inbound int64) (name string, gives bool) {
	for _, id := range a.Groups {
		if g := d[id]; !g.Disabled && slices.Contains(g.Inbounds, inbound) {
			return g.Name, true
		}
	}
	return "", false
}
