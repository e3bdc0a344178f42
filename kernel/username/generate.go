package username

import (
	"context"
	"fmt"

	"github.com/sluicehq/sluice/kernel/domain"
	"github.com/sluicehq/sluice/sdk/wire"
)

// How often a strategy that retries is asked. Its names may be used up, or it may not listen: then it costs a few calls,
// each within the host's deadline, and not more.
const (
	maxAttempts  = 20
	maxFruitless = 3 // attempts in a row without a single new name
)

// Taken says which of names, at most MaxCount, users have already, by domain.NameKey.
type Taken func(ctx context.Context, names []string) (map[string]bool, error)

// Result is what Generate could make.
type Result struct {
	Names   []string // with affixes, in the order of the strategy; possible, free when asked, unique by domain.NameKey
	Missing int      // how many names fewer than asked for
	Why     string   // one sentence: how many names are missing and why, "" = none is
}

// Generate makes r.Count names, or as many as the strategy's collision rule allows: one that skips is asked once, one
// that retries is told what was rejected and asked again. Names that a strategy offers beyond what it was asked for are
// ignored. taken is called at most once per attempt; somebody may take a name afterwards, and Generate is then simply
// called again.
//
// Errors are an Invalid of the field that is wrong, those of taken, or what became of the plugin: an Unavailable if it does
// not work, an Invalid if it refuses the request. Too few names are not an error.
func (s *Service) Generate(ctx context.Context, r Request, taken Taken) (Result, error) {
	strategy, err := s.check(r)
	if err != nil {
		return Result{}, err
	}
	attempts := 1
	if strategy.Collision == wire.CollisionRetry {
		attempts = maxAttempts
	}
	g := &generation{Request: r, seen: map[string]bool{}}
	for fruitless := 0; g.missing() > 0 && g.attempts < attempts && fruitless < maxFruitless; {
		offered, err := s.strategies.Usernames(ctx, g.ask())
		if err != nil {
			return Result{}, fmt.Errorf("ask for usernames: %w", err)
		}
		fruitless++
		before := len(g.names)
		if err := g.judge(ctx, offered, taken); err != nil {
			return Result{}, err
		}
		if len(g.names) > before {
			fruitless = 0
		}
	}
	return Result{Names: g.names, Missing: g.missing(), Why: g.why()}, nil
}

// generation is one Request while it is answered.
type generation struct {
	Request
	names    []string
	asked    int             // how many names the strategy was asked for last
	seen     map[string]bool // domain.NameKey of every possible name that was offered
	attempts int
	last     tally // of the last attempt
}

func (g *generation) missing() int { return g.Count - len(g.names) }

// ask begins an attempt. Time and entropy are filled in by the host, anew each time. Whoever is asked again is asked for
// plenty: where most names are taken, one name at a time would find none of those that are left.
func (g *generation) ask() *wire.UsernameRequest {
	start := int64(1)
	if g.Start != nil {
		start = *g.Start
	}
	if g.asked = g.Count; g.attempts > 0 {
		g.asked = MaxCount
	}
	req := &wire.UsernameRequest{
		ID: g.Strategy, Params: g.Params, Base: g.Base, Start: start,
		Count: int64(g.asked), Attempt: int64(g.attempts), Rejected: g.last.rejected,
	}
	g.attempts++
	g.last = tally{}
	return req
}

// judge takes the names that are possible, new and free, and tallies the others.
func (g *generation) judge(ctx context.Context, offered []string, taken Taken) error {
	g.last.absent = max(0, g.missing()-len(offered))
	var bare, names []string
	for _, offer := range offered[:min(len(offered), g.asked)] {
		name := g.Prefix + offer + g.Suffix
		key := domain.NameKey(name)
		if err := Check(name); err != nil {
			g.last.invalid(offer, err)
		} else if g.seen[key] {
			g.last.repeated(offer)
		} else {
			g.seen[key] = true
			bare, names = append(bare, offer), append(names, name)
		}
	}
	if len(names) == 0 {
		return nil
	}
	users, err := taken(ctx, names)
	if err != nil {
		return fmt.Errorf("look for users of generated names: %w", err)
	}
	for i, name := range names {
		if users[domain.NameKey(name)] {
			g.last.taken(bare[i])
		} else if g.missing() > 0 {
			g.names = append(g.names, name)
		}
	}
	return nil
}
