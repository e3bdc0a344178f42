package jobs

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/jonboulle/clockwork"
	"go.uber.org/zap"
)

// Schedule knows what is due.
type Schedule interface {
	// Due returns at most limit users for whom something is due at now (ms UTC), soonest first.
	Due(now int64, limit int) []int64
	// Stale returns the users whose stored status is not what it should be at now.
	Stale(now int64) []int64
	// Postpone has a user be due again at until (ms UTC) only.
	Postpone(userID, until int64)
}

// Gate decides who is connected.
type Gate interface {
	// Recheck cuts those of the users whose time is over, and lets in those whose time has come back.
	Recheck(userIDs []int64) error
}

// Advance brings the stored state of users up to now: holds that end, expiry, used up quotas, renewals, resets, deletion.
// firstUse says when users on hold moved their first byte (ms UTC). It returns the users to whom nothing was done.
type Advance func(ctx context.Context, userIDs []int64, firstUse map[int64]int64) (failed []int64, err error)

const (
	lifeBatch   = 1000             // users per transaction: other writers wait for milliseconds only
	maxDue      = 100 * lifeBatch  // users per run: what is left has the next
	failedAgain = 30 * time.Second // until a user whose turn failed has the next
	lifeBackoff = 5 * time.Second  // until the next try when the database fails
)

// Life does what is due in the lives of users: from a schedule, so that it costs as much as there is due.
type Life struct {
	clock    clockwork.Clock
	log      *zap.Logger
	schedule Schedule
	gate     Gate
	advance  Advance

	running sync.Mutex // one run at a time
	wall    wallWatch
	resting int64 // ms UTC until which nothing is tried, because the database failed

	mu   sync.Mutex
	seen map[int64]int64 // users to be looked at, with the ms UTC of a first use, 0 = none
}

// NewLife returns the job that goes on with what is due.
func NewLife(clock clockwork.Clock, log *zap.Logger, schedule Schedule, gate Gate, advance Advance) *Life {
	return &Life{
		clock: clock, log: log, schedule: schedule, gate: gate, advance: advance,
		wall: watchWall(clock), seen: map[int64]int64{},
	}
}

// QuotaUsed has the next Run look at a user. It returns at once.
func (l *Life) QuotaUsed(userID int64) { l.saw(userID, 0) }

// FirstUse has the next Run end the hold of a user that moved its first byte at a moment (ms UTC). It returns at once.
func (l *Life) FirstUse(userID, at int64) { l.saw(userID, at) }

func (l *Life) saw(userID, firstUse int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.seen[userID] == 0 { // the earliest first use stays
		l.seen[userID] = firstUse
	}
}

// Run does everything that is due. What the gate must know does not wait for the database: users whose time is over are
// cut even while it fails.
func (l *Life) Run(ctx context.Context) error {
	l.running.Lock()
	defer l.running.Unlock()
	now := l.clock.Now().UnixMilli()
	l.noticeJump(now)
	due := l.schedule.Due(now, maxDue)
	if err := l.gate.Recheck(due); err != nil { // all of them before the first is stored: that may take seconds
		l.log.Warn("the core does not follow the time, its audit will", zap.Error(err))
	}
	if rest := l.resting - now; rest > 0 && rest <= lifeBackoff.Milliseconds() {
		return nil
	}
	for {
		batch := due[:min(len(due), lifeBatch)]
		due = due[len(batch):]
		seen := l.take()
		if len(batch) == 0 && len(seen) == 0 {
			return nil
		}
		if err := l.step(ctx, now, batch, seen); err != nil {
			l.resting = now + lifeBackoff.Milliseconds()
			return err
		}
	}
}

// step advances one batch. What fails for the whole batch is tried again later.
func (l *Life) step(ctx context.Context, now int64, due []int64, seen map[int64]int64) error {
	ids := slices.Concat(due, slices.Collect(maps.Keys(seen)))
	slices.Sort(ids)
	ids = slices.Compact(ids)
	failed, err := l.advance(ctx, ids, seen)
	if err != nil {
		for id, firstUse := range seen {
			l.saw(id, firstUse)
		}
		return fmt.Errorf("advance %d users: %w", len(ids), err)
	}
	for _, id := range failed {
		if slices.Contains(due, id) { // others have their own time
			l.schedule.Postpone(id, now+failedAgain.Milliseconds())
		}
	}
	return nil
}

// take returns what was seen since the last call, a batch of it.
func (l *Life) take() map[int64]int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	batch := map[int64]int64{}
	for id, firstUse := range l.seen {
		if len(batch) == lifeBatch {
			break
		}
		batch[id] = firstUse
		delete(l.seen, id)
	}
	return batch
}

// noticeJump says in the log what a clock that jumped does to users, and brings back those whose time is not over any
// more. Resets are not done twice: their next boundary is stored.
func (l *Life) noticeJump(now int64) {
	jump := l.wall.jumped()
	if jump == 0 {
		return
	}
	if jump > 0 {
		l.log.Warn("the clock jumped forward: what has become due by it is done now",
			zap.Duration("by", jump), zap.Int("users_due", len(l.schedule.Due(now, countDue))))
		return
	}
	stale := l.schedule.Stale(now)
	l.log.Warn("the clock jumped back: users who are not expired any more come back, no reset is done twice",
		zap.Duration("by", jump), zap.Int("users_changed", len(stale)))
	if err := l.gate.Recheck(stale); err != nil {
		l.log.Warn("the core does not follow the clock, its audit will", zap.Error(err))
	}
	for _, id := range stale {
		l.saw(id, 0)
	}
}

// countDue bounds how many due users are counted for a line in the log.
const countDue = 1 << 20
