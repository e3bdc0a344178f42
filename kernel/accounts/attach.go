package accounts

import (
	"context"
	"fmt"
	"slices"

	"github.com/sluicehq/sluice/kernel/domain"
)

// Attach lets users into more inbounds. Done are those who got into one that they were not in, Idle the others.
func (s *Service) Attach(ctx context.Context, names []string, inbounds []int64, how How) (Report, error) {
	return s.moveUsers(ctx, how, "users attached", names, inbounds, func(have, wanted []int64) []int64 {
		return slices.Compact(slices.Sorted(slices.Values(slices.Concat(have, wanted))))
	})
}

// Detach takes inbounds from users; open connections there are cut. Done are those who lost one, Idle the others.
func (s *Service) Detach(ctx context.Context, names []string, inbounds []int64, how How) (Report, error) {
	return s.moveUsers(ctx, how, "users detached", names, inbounds, func(have, unwanted []int64) []int64 {
		return slices.DeleteFunc(slices.Clone(have), func(id int64) bool { return slices.Contains(unwanted, id) })
	})
}

// moveUsers gives users other inbounds: what change makes of those that they have and those of the request that exist.
func (s *Service) moveUsers(
	ctx context.Context, how How, what string, names []string, inbounds []int64, change func(have, given []int64) []int64,
) (Report, error) {
	ids, err := s.idsOf(ctx, names)
	if err != nil {
		return Report{}, err
	}
	return s.bulk(ctx, how, what, ids, func(b *batch) error {
		given, err := b.inboundsAmong(ctx, inbounds)
		if err != nil {
			return err
		}
		groups, err := allDoors(ctx, b.tx)
		if err != nil {
			return err
		}
		err = b.each(ctx, names, ids, func(name string, a *domain.Account) {
			after := change(a.Inbounds, given)
			if slices.Equal(a.Inbounds, after) {
				b.idle(name)
				return
			}
			if why := groups.want(a, a.Inbounds, after); why != nil {
				b.skip(name, why)
				return
			}
			b.did(name)
			b.put = append(b.put, s.touched(a))
		})
		if err != nil {
			return err
		}
		if err := b.tx.UpdateUsers(ctx, usersOf(b.put)); err != nil {
			return err
		}
		return b.tx.ReplaceInbounds(ctx, b.put)
	})
}

// inboundsAmong are those of the ids that an inbound has; the others are skipped.
func (b *batch) inboundsAmong(ctx context.Context, ids []int64) (there []int64, err error) {
	inbounds, err := b.tx.InboundIDs(ctx)
	if err != nil {
		return nil, err
	}
	for _, id := range ids {
		if slices.Contains(inbounds, id) {
			there = append(there, id)
			continue
		}
		b.skip(fmt.Sprintf("inbound %d", id), domain.NotFound("not found"))
	}
	return there, nil
}
