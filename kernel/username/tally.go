package username

import (
	"fmt"
	"strings"

	"github.com/sluicehq/sluice/sdk/wire"
)

// tally is what became of the names of one attempt that were of no use.
type tally struct {
	rejected []wire.RejectedName // what the strategy is told with the next attempt

	used, again, impossible, absent int   // taken, offered twice, invalid, not offered at all
	rule                            error // what the first invalid name was in conflict with
}

func (t *tally) taken(bare string) {
	t.used++
	t.reject(bare, wire.RejectedTaken)
}

func (t *tally) repeated(bare string) {
	t.again++
	t.reject(bare, wire.RejectedTaken)
}

func (t *tally) invalid(bare string, rule error) {
	if t.impossible++; t.rule == nil {
		t.rule = rule
	}
	t.reject(bare, wire.RejectedInvalid)
}

// reject notes a name for the next attempt, unless it is longer than any name can be: a reply of megabytes must not come
// back as a request of megabytes.
func (t *tally) reject(bare, reason string) {
	if len(bare) <= MaxLength {
		t.rejected = append(t.rejected, wire.RejectedName{Name: bare, Reason: reason})
	}
}

// String lists what there was: 2 taken, 1 offered twice.
func (t *tally) String() string {
	var parts []string
	for _, part := range []struct {
		n    int
		what string
	}{
		{t.used, "taken"},
		{t.again, "offered twice"},
		{t.impossible, fmt.Sprintf("invalid (%v)", t.rule)},
		{t.absent, "not offered"},
	} {
		if part.n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", part.n, part.what))
		}
	}
	return strings.Join(parts, ", ")
}

// why is the sentence of a Result.
func (g *generation) why() string {
	if g.missing() == 0 {
		return ""
	}
	attempts := ""
	if g.attempts > 1 {
		attempts = fmt.Sprintf(" in %d attempts; of the last", g.attempts)
	}
	return fmt.Sprintf("%d of %d names could not be made by the strategy %s%s: %s",
		g.missing(), g.Count, g.Strategy, attempts, &g.last)
}
