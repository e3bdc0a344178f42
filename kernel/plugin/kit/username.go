package kit

import (
	"errors"
	"fmt"
	"strings"

	"github.com/sluicehq/sluice/kernel/domain"
	"github.com/sluicehq/sluice/sdk/wire"
)

// checkUsername holds a username item against what a template asks of it.
func (s *session) checkUsername(item *wire.Item, params string) {
	good := wire.UsernameRequest{
		ID: item.ID, Now: today.UnixMilli(), Entropy: entropy(1), Params: params, Base: "alice", Start: 1, Count: 10,
	}
	if item.Base == wire.BaseNone {
		good.Base, good.Start = "", 0
	}
	s.checkNames(item, good)
	if item.Base != wire.BaseRequired && item.Base != wire.BaseNone {
		without := good
		without.Base = ""
		_, err := s.names(item, without)
		if refused(err) {
			err = fmt.Errorf(`its manifest should say "base":"required": %w`, err)
		}
		s.advise(what(item), "it works without a base", err)
	}
	s.checkRejected(item, good)
	long := good
	long.Base, long.Count = strings.Repeat("x", 1<<20), 1
	_, err := s.host.Usernames(s.ctx, &long)
	s.strain(what(item), "a base of 1 MiB does no harm", err)
	empty := good
	empty.Count = 0
	s.checkReproducible(item, &good, &empty)
	s.checkMemory(item, &good)
}

// names asks through the host.
func (s *session) names(item *wire.Item, req wire.UsernameRequest) (names []string, err error) {
	err = s.timed(wire.OpUsername, item, func() error {
		names, err = s.host.Usernames(s.ctx, &req)
		return err
	})
	return names, err
}

// checkNames asks for series of every usual length.
func (s *session) checkNames(item *wire.Item, good wire.UsernameRequest) {
	var failure, few, unfit error
	for _, base := range []string{"alice", "user10", "Zoë", strings.Repeat("x", 32)} {
		for _, count := range []int64{1, 2, 10, 500} {
			for _, start := range []int64{0, 1, 100} {
				req := good
				if item.Base != wire.BaseNone {
					req.Base, req.Start = base, start
				}
				req.Count = count
				names, err := s.names(item, req)
				asked := fmt.Sprintf("base %q, start %d, count %d", req.Base, req.Start, req.Count)
				if err != nil {
					failure = errors.Join(failure, fmt.Errorf("%s: %w", asked, err))
					break
				}
				usable, err := fit(names)
				switch {
				case usable == 0:
					failure = errors.Join(failure, fmt.Errorf("%s: none of the %d names can be used: %w", asked, len(names), err))
				case int64(usable) < count && few == nil:
					few = fmt.Errorf("%s: %d different names that can be used", asked, usable)
				}
				unfit = errors.Join(unfit, err)
			}
		}
	}
	s.judge(what(item), "it makes names", first(failure))
	s.advise(what(item), "it makes as many as are wanted", few)
	s.advise(what(item), "every name can be used", first(unfit))
}

// first returns the first of joined errors, nil for none: a report has one line for each rule.
func first(err error) error {
	var joined interface{ Unwrap() []error }
	for errors.As(err, &joined) && len(joined.Unwrap()) > 0 {
		err = joined.Unwrap()[0]
		if !strings.Contains(err.Error(), "\n") {
			return err
		}
	}
	return err
}

// fit counts the different names that a user can have, without regard to case; the error is about the first of the rest.
func fit(names []string) (usable int, err error) {
	seen := map[string]bool{}
	for _, name := range names {
		key := strings.ToLower(name)
		switch unfit := domain.CheckName(name); {
		case unfit != nil:
			if err == nil {
				err = fmt.Errorf("the name %.60q: %w", name, unfit)
			}
		case seen[key]:
			if err == nil {
				err = fmt.Errorf("the name %.60q comes twice", name)
			}
		default:
			usable++
		}
		seen[key] = true
	}
	return usable, err
}

// checkRejected asks again as the kernel does when names are taken. A strategy that says retry has to come up with
// others: from the entropy, the attempt, or what was rejected.
func (s *session) checkRejected(item *wire.Item, req wire.UsernameRequest) {
	names, err := s.names(item, req)
	if err != nil {
		return // said already
	}
	taken := map[string]bool{}
	for attempt := int64(1); attempt <= 3; attempt++ {
		req.Rejected = nil
		for _, name := range names {
			taken[strings.ToLower(name)] = true
			req.Rejected = append(req.Rejected, wire.RejectedName{Name: name, Reason: wire.RejectedTaken})
		}
		req.Attempt, req.Entropy = attempt, entropy(byte(attempt+1))
		if names, err = s.names(item, req); err != nil {
			break
		}
		for _, name := range names {
			if !taken[strings.ToLower(name)] {
				s.judge(what(item), "asked again it has other names", nil)
				return
			}
		}
	}
	switch {
	case item.Collision == wire.CollisionRetry && err == nil:
		err = errors.New(`its manifest says "collision":"retry", but three times it offers only what was rejected`)
		s.judge(what(item), "asked again it has other names", err)
	default: // it is not going to be asked again
		s.judge(what(item), "names that are taken do no harm", harmed(err))
	}
}
