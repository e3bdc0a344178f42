package accounts_test

import (
	"context"
	"fmt"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sluicehq/sluice/kernel/accounts"
	"github.com/sluicehq/sluice/kernel/domain"
)

// bulkCase is a bulk use case on the users of newBulk, and what it does without further wishes.
type bulkCase struct {
	name    string
	do      func(context.Context, *bench, accounts.How) (accounts.Report, error)
	done    []string // nil = only the count is reported
	count   int
	idle    []string
	skipped []string
	effects []string // what the core is told
}

// newBulk has the inbounds 1 and 2, and the users a (1, used 5+5), b (1, off), c (2, with the group "old") and d (expired
// and nowhere).
func newBulk(t *testing.T) *bench {
	t.Helper()
	b := newBench(t)
	b.inbounds(2)
	b.create(b.user("a"))
	n := b.user("b")
	n.Enabled = false
	b.create(n)
	n = b.user("c")
	n.Inbounds, n.GroupNames = []int64{2}, []string{"old"}
	b.create(n)
	n = b.user("d")
	n.Inbounds, n.Orphan, n.ExpireAt = nil, true, ptr(start)
	b.create(n)
	b.counters.move(1, 5, 5)
	return b
}

var bulkCases = []bulkCase{
	{
		name: "create",
		do: func(ctx context.Context, b *bench, how accounts.How) (accounts.Report, error) {
			again, bad, followed, grouped := b.user("A"), b.user("x/y"), b.user("f"), b.user("g")
			again.SubID = "s1"
			nextOf(9)(&followed)
			grouped.GroupNames = []string{"new", ""}
			return b.CreateUsers(ctx, []accounts.NewUser{again, followed, b.user("e"), bad, grouped, b.user("E")}, how)
		},
		done: []string{"e"}, count: 1,
		skipped: []string{
			"A: username already in use: A", "f: template not found", `x/y: username must not contain spaces, control characters, / or \`,
			"g: group name is required", "E: username already in use: E",
		},
		effects: []string{"user 5 [1]"},
	},
	{
		name: "disable",
		do: func(ctx context.Context, b *bench, how accounts.How) (accounts.Report, error) {
			return b.SetEnabled(ctx, []string{"C", "x", "b"}, false, how)
		},
		done: []string{"C", "b"}, count: 2, skipped: []string{"x: client not found"}, effects: []string{"user 3 [2]"},
	},
	{
		name: "attach",
		do: func(ctx context.Context, b *bench, how accounts.How) (accounts.Report, error) {
			return b.Attach(ctx, []string{"c", "a", "x"}, []int64{1, 9, 1}, how)
		},
		done: []string{"c"}, count: 1, idle: []string{"a"},
		skipped: []string{"inbound 9: not found", "x: client not found"}, effects: []string{"user 3 [1 2]"},
	},
	{
		name: "detach",
		do: func(ctx context.Context, b *bench, how accounts.How) (accounts.Report, error) {
			return b.Detach(ctx, []string{"c", "a", "x"}, []int64{1}, how)
		},
		done: []string{"a"}, count: 1, idle: []string{"c"}, skipped: []string{"x: client not found"}, effects: []string{"user 1 []"},
	},
	{
		name: "label",
		do: func(ctx context.Context, b *bench, how accounts.How) (accounts.Report, error) {
			return b.Label(ctx, []string{"a", "c", "x"}, "old", how)
		},
		done: []string{"a"}, count: 1, idle: []string{"c"}, skipped: []string{"x: client not found"}, effects: []string{"user 1 [1]"},
	},
	{
		name: "reset",
		do: func(ctx context.Context, b *bench, how accounts.How) (accounts.Report, error) {
			return b.ResetTraffics(ctx, []string{"a", "x"}, how)
		},
		done: []string{"a"}, count: 1, skipped: []string{"x: client not found"}, effects: []string{"user 1 [1]"},
	},
	{
		name: "reset all",
		do: func(ctx context.Context, b *bench, how accounts.How) (accounts.Report, error) {
			return b.ResetAllTraffics(ctx, how)
		},
		count: 1, effects: []string{"user 1 [1]"},
	},
	{
		name: "delete",
		do: func(ctx context.Context, b *bench, how accounts.How) (accounts.Report, error) {
			return b.DeleteUsers(ctx, []string{"x", "a"}, true, how)
		},
		done: []string{"a"}, count: 1, skipped: []string{"x: client not found"}, effects: []string{"no user 1"},
	},
	{
		name: "delete depleted",
		do: func(ctx context.Context, b *bench, how accounts.How) (accounts.Report, error) {
			return b.DeleteDepleted(ctx, how)
		},
		count: 1, effects: []string{"no user 4"},
	},
	{
		name: "delete orphans",
		do: func(ctx context.Context, b *bench, how accounts.How) (accounts.Report, error) {
			return b.DeleteOrphans(ctx, how)
		},
		count: 1, effects: []string{"no user 4"},
	},
}

// lists makes absent lists of a case empty, as reports have them.
func lists(r accounts.Report) (idle, skipped []string) {
	return append([]string{}, r.Idle...), reasons(r)
}

func (c *bulkCase) check(t *testing.T, got accounts.Report) {
	t.Helper()
	idle, skipped := lists(got)
	if got.Count != c.count || !reflect.DeepEqual(got.Done, append([]string{}, c.done...)) ||
		!reflect.DeepEqual(idle, append([]string{}, c.idle...)) || !reflect.DeepEqual(skipped, append([]string{}, c.skipped...)) {
		t.Errorf("%d done: %q, idle %q, skipped %q", got.Count, got.Done, idle, skipped)
	}
}

// Each bulk use case does what can be done and tells the core of nobody else.
func TestBulk(t *testing.T) {
	for _, c := range bulkCases {
		t.Run(c.name, func(t *testing.T) {
			b := newBulk(t)
			told := len(b.core.told())
			report, err := c.do(t.Context(), b, accounts.How{})
			if err != nil {
				t.Fatal(err)
			}
			c.check(t, report)
			if effects := b.core.told()[told:]; !reflect.DeepEqual(effects, c.effects) {
				t.Errorf("effects %q, want %q", effects, c.effects)
			}
			b.agree()
		})
	}
}

// A dry run answers the same and changes nothing.
func TestBulkDryRun(t *testing.T) {
	for _, c := range bulkCases {
		t.Run(c.name, func(t *testing.T) {
			b := newBulk(t)
			flush(b)
			b.script()
			before, told := b.lastChange(), len(b.core.told())
			report, err := c.do(t.Context(), b, accounts.How{DryRun: true, Once: once("k")})
			if err != nil {
				t.Fatal(err)
			}
			c.check(t, report)
			if b.lastChange() != before || len(b.core.told()) != told {
				t.Errorf("change %d after %d, effects %q", b.lastChange(), before, b.core.told()[told:])
			}
			if _, err := c.do(t.Context(), b, accounts.How{Once: once("k")}); err != nil || b.lastChange() == before {
				t.Errorf("in earnest: %v, change %d", err, b.lastChange())
			}
		})
	}
}

// An atomic request with anything skipped changes nothing and says what is in its way.
func TestBulkAtomic(t *testing.T) {
	for _, c := range bulkCases {
		t.Run(c.name, func(t *testing.T) {
			b := newBulk(t)
			flush(b)
			before, told := b.lastChange(), len(b.core.told())
			report, err := c.do(t.Context(), b, accounts.How{Atomic: true})
			if len(c.skipped) == 0 {
				if c.check(t, report); err != nil {
					t.Error(err)
				}
				return
			}
			want := "nothing was changed: " + c.skipped[0]
			if err == nil || !strings.HasPrefix(err.Error(), want) || b.lastChange() != before || len(b.core.told()) != told {
				t.Errorf("%v\nwant %s; change %d after %d", err, want, b.lastChange(), before)
			}
			b.agree()
		})
	}
}

// script makes the token 1, whose requests once names.
func (b *bench) script() {
	b.t.Helper()
	if _, _, err := b.CreateToken(b.t.Context(), "script", domain.ScopeAdmin, nil); err != nil {
		b.t.Fatal(err)
	}
}

func once(key string) *accounts.Once {
	return &accounts.Once{Caller: 1, Route: "/r", Key: key, BodyHash: "h"}
}

// A request that is sent again under its key gets the same answer and does nothing, for a day.
func TestBulkOnce(t *testing.T) {
	for _, c := range bulkCases {
		t.Run(c.name, func(t *testing.T) {
			b := newBulk(t)
			b.script()
			first, err := c.do(t.Context(), b, accounts.How{Once: once("k")})
			if err != nil {
				t.Fatal(err)
			}
			before, told := b.lastChange(), len(b.core.told())
			again, err := c.do(t.Context(), b, accounts.How{Once: once("k")})
			if err != nil || !reflect.DeepEqual(again, first) || b.lastChange() != before || len(b.core.told()) != told {
				t.Errorf("%+v, %v\nwant %+v; effects %q", again, err, first, b.core.told()[told:])
			}
			other := once("k")
			other.BodyHash = "other"
			b.refused(domain.CodeConflict, "idempotency_key", "idempotency_key was used for another request already", func(ctx context.Context) error {
				_, err := c.do(ctx, b, accounts.How{Once: other})
				return err
			})
			b.clock.Advance(24*time.Hour + time.Millisecond)
			if _, err := c.do(t.Context(), b, accounts.How{Once: other}); err != nil {
				t.Errorf("a day later: %v", err)
			}
			b.agree()
		})
	}
}

// Counters that were kept come back with the name, and count against the quota at once.
func TestKeptTraffic(t *testing.T) {
	b := newBulk(t)
	if err := b.DeleteUser(t.Context(), "a", true); err != nil { // with what is not flushed
		t.Fatal(err)
	}
	n := b.user("A")
	n.Quota = ptr(int64(10))
	b.create(n)
	if got := b.story("a"); got != "limited since 0d, used 5+5" {
		t.Errorf("a is %s", got)
	}
	if err := b.DeleteUser(t.Context(), "a", false); err != nil {
		t.Fatal(err)
	}
	b.create(n)
	if got := b.story("a"); got != "active since 0d" {
		t.Errorf("without kept traffic a is %s", got)
	}
	b.agree()
}

// Who has used up a quota comes back, who was disabled does not; all are told of, also more than one portion.
func TestResetAllTraffics(t *testing.T) {
	b := newBulk(t)
	const more = 1200
	var list []accounts.NewUser
	for i := range more {
		n := b.user(fmt.Sprintf("u%d", i))
		n.Quota = ptr(int64(2))
		list = append(list, n)
	}
	if r, err := b.CreateUsers(t.Context(), list, accounts.How{}); err != nil || r.Count != more {
		t.Fatalf("%d, %v", r.Count, err)
	}
	for id := int64(5); id < 5+more; id++ {
		b.counters.move(id, 1, 1)
	}
	b.counters.move(2, 7, 7)
	flush(b)
	told := len(b.core.told())
	report, err := b.ResetAllTraffics(t.Context(), accounts.How{})
	if err != nil || report.Count != more+2 || len(b.core.told()) != told+more+2 {
		t.Errorf("%d reset, %v, %d effects", report.Count, err, len(b.core.told())-told)
	}
	for name, want := range map[string]string{
		"a": "active since 0d, manual reset of 5+5 at 0d", "b": "disabled since 0d, manual reset of 7+7 at 0d",
		"u0": "active since 0d, manual reset of 1+1 at 0d", "u1199": "active since 0d, manual reset of 1+1 at 0d",
	} {
		if got := b.story(name); got != want {
			t.Errorf("%s is %s, want %s", name, got, want)
		}
	}
	b.agree()
}

// Bytes that another process has stored are reset too, although the directory does not know of them.
func TestResetAllTrafficsOfAnotherProcess(t *testing.T) {
	b := newBulk(t)
	moved := domain.Chunk{Node: "other", Seq: 1, Users: []domain.TrafficDelta{{UserID: 3, Up: 7, OnlineAt: start}}}
	if err := b.db.FlushTraffic(t.Context(), moved); err != nil {
		t.Fatal(err)
	}
	report, err := b.ResetAllTraffics(t.Context(), accounts.How{})
	if err != nil || report.Count != 2 { // and a
		t.Errorf("%d reset, %v", report.Count, err)
	}
	if got := b.story("c"); got != "active since 0d, manual reset of 7+0 at 0d" {
		t.Errorf("c is %s", got)
	}
	b.agree()
}

// Two requests with one key at the same time are one request.
func TestOnceAtTheSameTime(t *testing.T) {
	b := newBulk(t)
	b.script()
	var all sync.WaitGroup
	views := make([]accounts.UserView, 8)
	for i := range views {
		all.Go(func() {
			var err error
			if views[i], err = b.CreateUser(t.Context(), b.user("e"), once("k")); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	for _, v := range views {
		if v.ID != views[0].ID || v.SubID != views[0].SubID || v.SubID == "" {
			t.Errorf("%+v\nis not %+v", v, views[0])
		}
	}
	b.agree()
}
