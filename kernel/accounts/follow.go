package accounts

import (
	"context"
	"maps"
	"slices"

	"github.com/sluicehq/sluice/kernel/directory"
	"github.com/sluicehq/sluice/kernel/domain"
)

// followBatch is how many changes or users are looked at under one lock.
const followBatch = 1000

// FollowFrom says that everything up to a change (storage.Reader.LastChange) is in the parts that follow the database.
func (s *Service) FollowFrom(seq int64) { s.followed = seq }

// Follow makes the directory and the core follow the commits of other processes on the same database, and those whose
// effect was lost. A process' own commits are known by their revisions and cost nothing more.
func (s *Service) Follow(ctx context.Context) error {
	for {
		n, err := s.followSome(ctx)
		if err != nil || n < followBatch {
			return err
		}
	}
}

func (s *Service) followSome(ctx context.Context) (n int, err error) {
	s.order.Lock()
	defer s.order.Unlock()
	changes, err := s.DB.Changes(ctx, s.followed, followBatch)
	if err != nil || len(changes) == 0 {
		return 0, err
	}
	var users, inbounds, groups []int64
	links, settings := false, false
	for _, c := range changes {
		switch c.Kind {
		case domain.KindUser:
			if s.Directory.Revision(c.ID) < c.Seq {
				users = append(users, c.ID)
			}
		case domain.KindInbound:
			inbounds, links = append(inbounds, c.ID), true
		case domain.KindGroup:
			if !s.done[c.Seq] {
				groups = append(groups, c.ID)
			}
		case domain.KindHost:
			links = true
		case domain.KindSetting:
			links, settings = true, true
		}
	}
	if err := s.followInbounds(ctx, inbounds, &users); err != nil {
		return 0, err
	}
	for _, id := range groups {
		members, err := s.DB.GroupMembers(ctx, id)
		if err != nil {
			return 0, err
		}
		users = append(users, members...)
	}
	if _, err := s.refresh(ctx, users); err != nil {
		return 0, err
	}
	if links {
		s.reload(ctx)
	}
	if settings && s.OnSettings != nil {
		now, err := s.DB.Settings(ctx)
		if err != nil {
			return 0, err
		}
		s.OnSettings(now)
	}
	s.followed = changes[len(changes)-1].Seq
	maps.DeleteFunc(s.done, func(seq int64, _ bool) bool { return seq <= s.followed })
	return len(changes), nil
}

// followInbounds brings inbounds to what the database says, and adds to users those that an inbound was taken from.
func (s *Service) followInbounds(ctx context.Context, ids []int64, users *[]int64) error {
	if len(ids) == 0 {
		return nil
	}
	list, err := s.DB.Inbounds(ctx)
	if err != nil {
		return err
	}
	var put []domain.Inbound
	var gone []int64
	for _, id := range ids {
		i := slices.IndexFunc(list, func(in domain.Inbound) bool { return in.ID == id })
		if i < 0 {
			gone = append(gone, id)
		} else {
			put = append(put, s.served(list[i]))
		}
	}
	*users = append(*users, s.Directory.UsersOf(gone)...) // nobody after a deletion of this process
	s.follow("inbounds of the database", func(c Core) error { return c.ApplyInbounds(ctx, put, gone) })
	return nil
}

// refresh applies users as the database has them, and returns how many of them were not that.
func (s *Service) refresh(ctx context.Context, ids []int64) (wrong int, err error) {
	slices.Sort(ids)
	ids = slices.Compact(ids)
	if len(ids) == 0 {
		return 0, nil
	}
	for some := range slices.Chunk(ids, followBatch) {
		err := s.settled(ctx, func() error {
			accounts, err := s.DB.Accounts(ctx, some)
			if err != nil {
				return err
			}
			gone := missing(some, accounts)
			for _, a := range accounts {
				wrong += differs(s.Directory.Revision(a.User.ID), a.User.Revision)
			}
			for _, id := range gone {
				wrong += differs(s.Directory.Revision(id), 0)
			}
			s.usersChanged(ctx, "users of the database", accounts, gone)
			return nil
		})
		if err != nil {
			return wrong, err
		}
	}
	return wrong, nil
}

func differs(a, b int64) int {
	if a != b {
		return 1
	}
	return 0
}

// Reconcile compares every user's revision in the database with the directory's, applies those that differ, and returns
// how many there were.
func (s *Service) Reconcile(ctx context.Context) (repaired int, err error) {
	if err := s.Follow(ctx); err != nil {
		return 0, err
	}
	suspects, err := s.suspects(ctx)
	if err != nil {
		return 0, err
	}
	s.order.Lock() // no commit of this process is between the database and the directory now
	defer s.order.Unlock()
	for batch := range slices.Chunk(suspects, followBatch) {
		wrong, err := s.refresh(ctx, batch)
		repaired += wrong
		if err != nil {
			return repaired, err
		}
	}
	return repaired, nil
}

// suspects are the users that seemed to differ while others went on writing.
func (s *Service) suspects(ctx context.Context) (ids []int64, err error) {
	both := 0
	err = s.DB.EachRevision(ctx, func(id, revision int64) {
		known := s.Directory.Revision(id)
		if known != 0 {
			both++
		}
		if known < revision {
			ids = append(ids, id)
		}
	})
	if err != nil || both >= s.Directory.Len() {
		return ids, err
	}
	left := map[int64]bool{} // in the directory only
	s.Directory.Each(func(r directory.Record) bool { left[r.ID] = true; return true })
	err = s.DB.EachRevision(ctx, func(id, _ int64) { delete(left, id) })
	return slices.AppendSeq(ids, maps.Keys(left)), err
}
