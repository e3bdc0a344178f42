package jobs

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"
)

// stage is everything around a Life, and writes down what happens there.
type stage struct {
	t     *testing.T
	clock *wallClock
	life  *Life
	logs  *observer.ObservedLogs

	due   map[int64]int64 // by user, ms UTC
	stale []int64
	idle  []int64 // users to whom nothing can be done
	err   error   // of advance
	did   []string
}

func newStage(t *testing.T) *stage {
	core, logs := observer.New(zap.WarnLevel)
	s := &stage{t: t, clock: newWallClock(), due: map[int64]int64{}, logs: logs}
	s.life = NewLife(s.clock, zap.New(core), s, s, s.advance)
	return s
}

func (s *stage) now() int64 { return s.clock.Now().UnixMilli() }

func (s *stage) Due(now int64, limit int) []int64 {
	var ids []int64
	for _, id := range slices.Sorted(maps.Keys(s.due)) {
		if s.due[id] <= now && len(ids) < limit {
			ids = append(ids, id)
		}
	}
	return ids
}

func (s *stage) Stale(int64) []int64 { return s.stale }

func (s *stage) Postpone(id, until int64) {
	s.due[id] = until
	s.did = append(s.did, fmt.Sprintf("postpone %d by %s", id, time.Duration(until-s.now())*time.Millisecond))
}

func (s *stage) Recheck(ids []int64) error {
	if len(ids) > 0 {
		s.did = append(s.did, fmt.Sprintf("recheck %v", ids))
	}
	return nil
}

func (s *stage) advance(_ context.Context, ids []int64, firstUse map[int64]int64) ([]int64, error) {
	s.did = append(s.did, fmt.Sprintf("advance %v", ids))
	for id, at := range firstUse {
		if at != 0 {
			s.did = append(s.did, fmt.Sprintf("first use of %d at +%d", id, at-s.clock.FakeClock.Now().UnixMilli()))
		}
	}
	if s.err != nil {
		return nil, s.err
	}
	for _, id := range ids {
		if !slices.Contains(s.idle, id) {
			delete(s.due, id)
		}
	}
	return s.idle, nil
}

// run runs the job once and returns what happened.
func (s *stage) run() string {
	s.t.Helper()
	s.did = nil
	if err := s.life.Run(s.t.Context()); !errors.Is(err, s.err) {
		s.t.Fatalf("run: %v, want %v", err, s.err)
	}
	return strings.Join(s.did, ", ")
}

func (s *stage) want(want string) {
	s.t.Helper()
	if got := s.run(); got != want {
		s.t.Errorf("\n got %s\nwant %s", got, want)
	}
}

func TestLifeDoesWhatIsDue(t *testing.T) {
	s := newStage(t)
	s.want("")
	s.due[1], s.due[2], s.due[3] = s.now(), s.now()-5, s.now()+1
	s.want("recheck [1 2], advance [1 2]")
	s.want("")
	s.clock.Advance(time.Millisecond)
	s.want("recheck [3], advance [3]")
}

func TestLifeLooksAtUsersThatTheGateSaw(t *testing.T) {
	s := newStage(t)
	s.life.QuotaUsed(4)
	s.life.FirstUse(5, s.now()+7)
	s.life.FirstUse(5, s.now()+9) // the earliest counts
	s.life.QuotaUsed(5)
	s.want("advance [4 5], first use of 5 at +7")
	s.want("")
}

// The gate is told at once, every time, even while the database fails; that is asked again after a while only.
func TestLifeWhileTheDatabaseFails(t *testing.T) {
	s := newStage(t)
	s.due[1] = s.now()
	s.life.FirstUse(2, s.now())
	s.err = errors.New("disk full")
	s.want("recheck [1], advance [1 2], first use of 2 at +0")
	fault := s.err
	s.err = nil
	s.want("recheck [1]")
	s.clock.Advance(lifeBackoff - time.Millisecond)
	s.want("recheck [1]")
	s.err = fault
	s.clock.Advance(time.Millisecond)
	s.want("recheck [1], advance [1 2], first use of 2 at +-5000")
	s.err = nil
	s.clock.Advance(lifeBackoff)
	s.want("recheck [1], advance [1 2], first use of 2 at +-10000")
	s.want("")
}

// A user to whom nothing can be done does not keep the job busy, and what the gate saw of another does not move its time.
func TestLifePostponesWhatCanNotBeDone(t *testing.T) {
	s := newStage(t)
	s.due[1], s.due[2], s.due[3] = s.now(), s.now(), s.now()+1000
	s.idle = []int64{1, 3}
	s.life.QuotaUsed(3)
	s.want("recheck [1 2], advance [1 2 3], postpone 1 by 30s")
	s.want("")
	if s.due[3] != s.now()+1000 {
		t.Errorf("user 3 is due in %d ms", s.due[3]-s.now())
	}
}

func TestLifeInBatches(t *testing.T) {
	s := newStage(t)
	for id := range int64(2*lifeBatch + 1) {
		s.due[id] = s.now()
	}
	s.run()
	if len(s.did) != 4 || !strings.HasPrefix(s.did[0], "recheck [0 1 ") || len(s.due) != 0 { // the gate first, for all
		t.Errorf("%d steps, %d users left", len(s.did), len(s.due))
	}
}

func TestLifeSaysWhyWhenTheClockJumps(t *testing.T) {
	const day = 24 * time.Hour
	for _, c := range []struct {
		name  string
		by    time.Duration
		logs  string
		users string
		count int64
		want  string
	}{
		{
			"forward: what is due is done, and the log says why", day,
			"the clock jumped forward: what has become due by it is done now", "users_due", 2, "recheck [1 2], advance [1 2]",
		},
		{
			"back: who was expired by it comes back, and nothing is done twice", -day,
			"the clock jumped back: users who are not expired any more come back, no reset is done twice", "users_changed", 1,
			"recheck [9], advance [9]",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newStage(t)
			s.due[1], s.due[2], s.stale = s.now()+1000, s.now()+day.Milliseconds(), []int64{9}
			s.want("")
			s.clock.offset.Add(int64(c.by))
			s.want(c.want)
			logged := s.logs.FilterMessage(c.logs)
			if logged.Len() != 1 || logged.All()[0].ContextMap()[c.users] != c.count || logged.All()[0].ContextMap()["by"] != c.by {
				t.Errorf("logged %+v", s.logs.All())
			}
			s.want("")
		})
	}
}

// Who is to come back after the clock was set back does so later if the database fails just then.
func TestLifeBringsBackWhenTheDatabaseWorksAgain(t *testing.T) {
	s := newStage(t)
	s.stale, s.err = []int64{9}, errors.New("disk full")
	s.clock.offset.Add(int64(-24 * time.Hour))
	s.want("recheck [9], advance [9]")
	s.err = nil
	s.clock.Advance(lifeBackoff)
	s.want("advance [9]")
	s.want("")
}

// A clock that was set back must not let the job rest until the time has come again.
func TestLifeDoesNotRestForADay(t *testing.T) {
	s := newStage(t)
	s.due[1], s.err = s.now(), errors.New("disk full")
	s.run()
	s.err = nil
	s.clock.offset.Add(int64(-24 * time.Hour))
	s.due[1] = s.now()
	s.want("recheck [1], advance [1]")
}
