package accounts_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sluicehq/sluice/kernel/accounts"
	"github.com/sluicehq/sluice/kernel/domain"
	"github.com/sluicehq/sluice/kernel/username"
	"github.com/sluicehq/sluice/storage/storagetest"
)

func TestFromTemplate(t *testing.T) {
	for _, c := range []struct {
		name     string
		template int64
		want     string
		plan     string
	}{
		{"a plan", 1, "active since 0d, expires 30d, resets 10d", "quota 1000, policy every, in [1 2 4] by [2 1]"},
		{"on hold", 2, "on_hold since 0d, held since 0d, at most until 1h", "no quota, in [4] by [2]"},
		{"without limits", 4, "active since 0d", "no quota, in [1 2] by [1]"},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBench(t)
			newPlans(b)
			who := b.reseller("op", nil)
			v, err := b.FromTemplate(t.Context(), who, c.template, "Alice", "a note")
			if err != nil || v.Username != "Alice" || v.Note != "a note" || v.Owner != "op" || v.AdminID != who.Admin.ID {
				t.Errorf("made %+v, %v", v, err)
			}
			if b.story("alice") != c.want || b.plan("alice") != c.plan {
				t.Errorf("alice\n got %s; %s\nwant %s; %s", b.story("alice"), b.plan("alice"), c.want, c.plan)
			}
			if free := c.template == 4; free != (v.Flow == domain.FlowVision) || free != (v.Method != nil && *v.Method == "aes-256-gcm") {
				t.Errorf("flow %q, method %v", v.Flow, v.Method)
			}
			b.agree()
		})
	}
}

// The affixes go around the name as it is, and what comes out is what counts.
func TestFromTemplateNames(t *testing.T) {
	b := newDoors(t)
	for i, affixes := range [][2]*string{{nil, nil}, {ptr("premium_"), ptr("_vip")}, {ptr(""), ptr("_x")}, {ptr("a_"), nil}} {
		b.template(fmt.Sprint(i+1), func(t *domain.Template) { t.Prefix, t.Suffix = affixes[0], affixes[1] })
	}
	b.create(b.user("taken_x"))
	for _, c := range []struct {
		template int64
		given    string
		want     string
		err      error
	}{
		{1, "john", "john", nil},
		{2, "john", "premium_john_vip", nil},
		{2, "jo", "premium_jo_vip", nil},
		{2, "", "", username.ErrConsecutive},
		{1, "jo", "", username.ErrLength},
		{2, strings.Repeat("a", 117), "", username.ErrLength},
		{2, strings.Repeat("a", 116), "premium_" + strings.Repeat("a", 116) + "_vip", nil},
		{1, "jo hn", "", username.ErrCharacters},
		{1, "Ünal", "", username.ErrCharacters},
		{4, "_b", "", username.ErrConsecutive},
		{3, "Taken", "", domain.Conflict("username", "already in use: Taken_x")},
		{1, "ALICE", "", domain.Conflict("username", "already in use: ALICE")},
	} {
		if c.err != nil {
			e := c.err.(*domain.Error)
			b.refused(e.Code, e.Field, e.Error(), func(ctx ctx) error {
				_, err := b.FromTemplate(ctx, b.root(), c.template, c.given, "")
				return err
			})
			continue
		}
		if v, err := b.FromTemplate(t.Context(), b.root(), c.template, c.given, ""); err != nil || v.Username != c.want {
			t.Errorf("%q became %q, %v", c.given, v.Username, err)
		}
	}
	b.agree()
}

// A template that can not be used now can not be used in any way.
func TestTemplateThatIsNoUse(t *testing.T) {
	b := newBench(t)
	newPlans(b)
	b.create(b.user("alice"))
	if _, err := b.DisableTemplates(t.Context(), []int64{2}, true); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		id   int64
		code domain.Code
		want string
	}{
		{"unknown", 9, domain.CodeNotFound, "template not found"},
		{"disabled", 2, domain.CodeForbidden, "this template is disabled"},
		{"without groups", 3, domain.CodeInvalid, "you must select at least one group"},
	} {
		for way, use := range map[string]func(ctx) error{
			"one": func(ctx ctx) error { _, err := b.FromTemplate(ctx, b.root(), c.id, "bob", ""); return err },
			"many": func(ctx ctx) error {
				_, err := b.ManyFromTemplate(ctx, b.root(), sequence(c.id, "user", 2))
				return err
			},
			"user": func(ctx ctx) error { _, err := b.ApplyTemplate(ctx, b.root(), "alice", c.id, nil); return err },
			"ids":  func(ctx ctx) error { _, err := b.ApplyTemplateTo(ctx, b.root(), []int64{1}, c.id, nil); return err },
		} {
			t.Run(c.name+"/"+way, func(t *testing.T) { b.refused(c.code, "", c.want, use) })
		}
	}
}

// sequence asks for users with numbers behind a base.
func sequence(template int64, base string, count int) accounts.Batch {
	return accounts.Batch{TemplateID: template, Count: count, Strategy: "sequence", Base: base}
}

func names(made accounts.Made) string {
	var list []string
	for _, u := range made.Users {
		list = append(list, u.Username)
	}
	return strings.Join(list, " ")
}

// What a strategy does with names that are taken is its own rule; the affixes are around the whole.
func TestManyFromTemplate(t *testing.T) {
	b := newDoors(t)
	b.template("plain", func(*domain.Template) {})
	b.template("affixed", func(t *domain.Template) { t.Prefix, t.Suffix = ptr("premium_"), ptr("_vip") })
	b.create(b.user("USER2"))
	b.create(b.user("premium_user12_vip"))
	for _, c := range []struct {
		name    string
		batch   accounts.Batch
		want    string
		missing int
		why     string
	}{
		{"sequence", sequence(1, "test", 3), "test1 test2 test3", 0, ""},
		{"sequence from a number", accounts.Batch{TemplateID: 1, Count: 2, Strategy: "sequence", Base: "from", Start: ptr(int64(100))}, "from100 from101", 0, ""},
		{
			"sequence skips what is taken", sequence(1, "user", 3), "user1 user3", 1,
			"1 of 3 names could not be made by the strategy sequence: 1 taken",
		},
		{
			"sequence with affixes and a number", sequence(2, "user10", 3), "premium_user11_vip premium_user13_vip", 1,
			"1 of 3 names could not be made by the strategy sequence: 1 taken",
		},
		{"append", accounts.Batch{TemplateID: 2, Count: 2, Strategy: "append", Base: "user10"}, "premium_user101_vip premium_user102_vip", 0, ""},
		{
			"all are taken", sequence(1, "test", 2), "", 2,
			"2 of 2 names could not be made by the strategy sequence: 2 taken",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.batch.Note = "many"
			made, err := b.ManyFromTemplate(t.Context(), b.root(), c.batch)
			if err != nil || names(made) != c.want || made.Missing != c.missing || made.Why != c.why {
				t.Errorf("%q, %d missing: %q, %v", names(made), made.Missing, made.Why, err)
			}
			for _, u := range made.Users {
				if stored, err := b.db.UserByID(t.Context(), u.ID); err != nil || stored.SubID != u.SubID || stored.Note != "many" {
					t.Errorf("stored %+v, %v", stored, err)
				}
			}
			b.agree()
		})
	}
}

// Random names are made until there are enough: they are told what is taken.
func TestManyRandom(t *testing.T) {
	b := newDoors(t)
	b.template("plain", func(*domain.Template) {})
	made, err := b.ManyFromTemplate(t.Context(), b.root(), accounts.Batch{TemplateID: 1, Count: 500, Strategy: "random"})
	if err != nil || len(made.Users) != 500 || made.Missing != 0 {
		t.Fatalf("%d made, %d missing: %s, %v", len(made.Users), made.Missing, made.Why, err)
	}
	seen := map[string]bool{}
	for i, u := range made.Users {
		if len(u.Username) != 5 || strings.Trim(u.Username, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") != "" || seen[u.Username] {
			t.Errorf("the name %q", u.Username)
		}
		seen[u.Username] = true
		if i > 0 && u.ID != made.Users[i-1].ID+1 {
			t.Errorf("user %d comes after %d", u.ID, made.Users[i-1].ID)
		}
	}
	b.agree()
}

// 500 users are one transaction, one call of the core, and one question to the period of the template.
func TestManyAtOnce(t *testing.T) {
	b, periods := newInterrupted(t)
	b.group("one", 1)
	b.template("plan", func(t *domain.Template) { t.ResetPolicy = "week" })
	commits, batches, asked := storagetest.Commits(b.db), b.core.batches, len(periods.asked)
	made, err := b.ManyFromTemplate(t.Context(), b.root(), sequence(1, "user", 500))
	if err != nil || len(made.Users) != 500 {
		t.Fatalf("%d made, %v", len(made.Users), err)
	}
	if n := storagetest.Commits(b.db) - commits; n != 1 || b.core.batches != batches+1 || len(periods.asked) != asked+1 {
		t.Errorf("%d commits, %d batches, %d questions", n, b.core.batches-batches, len(periods.asked)-asked)
	}
	ids := make([]int64, 0, 500)
	for _, u := range made.Users {
		ids = append(ids, u.ID)
	}
	commits, batches = storagetest.Commits(b.db), b.core.batches
	report, err := b.ApplyTemplateTo(t.Context(), b.root(), ids, 1, ptr("again"))
	if n := storagetest.Commits(b.db) - commits; err != nil || report.Count != 500 || n != 1 || b.core.batches != batches+1 {
		t.Errorf("%d brought, %v, %d commits, %d batches", report.Count, err, n, b.core.batches-batches)
	}
	if u, err := b.db.UserByID(t.Context(), ids[499]); err != nil || u.Note != "again" || *u.NextResetAt != start+17*day {
		t.Errorf("%+v, %v", u, err)
	}
	b.agree()
}

// taking is names of which somebody takes one, after they were found free, so many times.
type taking struct {
	*username.Service
	times int
	take  func(name string)
}

func (n *taking) Generate(ctx context.Context, r username.Request, taken username.Taken) (username.Result, error) {
	result, err := n.Service.Generate(ctx, r, taken)
	if n.times > 0 && err == nil {
		n.times--
		n.take(result.Names[1])
	}
	return result, err
}

// A name that somebody takes before the commit is taken: the strategy is asked again, and nobody is made twice.
func TestManyIsOvertaken(t *testing.T) {
	for _, c := range []struct {
		name    string
		batch   accounts.Batch
		times   int
		want    string // "" = random
		missing int
	}{
		{"skips it", sequence(1, "user", 4), 1, "user1 user3 user4", 1},
		{"skips them", sequence(1, "user", 4), 3, "user1", 3}, // user2, user3 and user4 in turn
		{"makes another", accounts.Batch{TemplateID: 1, Count: 4, Strategy: "random"}, 3, "", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newDoors(t)
			b.template("plain", func(*domain.Template) {})
			b.Names = &taking{username.New(builtins), c.times, func(name string) { b.create(b.user(strings.ToLower(name))) }}
			made, err := b.ManyFromTemplate(t.Context(), b.root(), c.batch)
			if err != nil || made.Missing != c.missing || len(made.Users) != 4-c.missing || c.want != "" && names(made) != c.want {
				t.Errorf("%q, %d missing, %v", names(made), made.Missing, err)
			}
			if n := b.directory.Len(); n != 1+c.times+len(made.Users) {
				t.Errorf("%d users", n)
			}
			b.agree()
		})
	}
	b := newDoors(t)
	b.template("plain", func(*domain.Template) {})
	b.Names = &taking{username.New(builtins), 1000, func(name string) { b.create(b.user(name)) }}
	_, err := b.ManyFromTemplate(t.Context(), b.root(), accounts.Batch{TemplateID: 1, Count: 4, Strategy: "random"})
	wantError(t, err, domain.CodeConflict, "", "the names are being taken by others: try again")
}

func TestManyRefuses(t *testing.T) {
	b := newDoors(t)
	b.template("plain", func(*domain.Template) {})
	for _, c := range []struct {
		name  string
		batch accounts.Batch
		field string
		want  string
	}{
		{"nobody", sequence(1, "user", 0), "count", "count must be between 1 and 500"},
		{"too many", sequence(1, "user", 501), "count", "count must be between 1 and 500"},
		{"no base", sequence(1, "", 1), "base", "base is required when strategy is 'sequence'"},
		{"an unknown strategy", accounts.Batch{TemplateID: 1, Count: 1, Strategy: "dice"}, "strategy", "strategy must be one of append, random, sequence"},
		{"a long note", accounts.Batch{TemplateID: 1, Count: 1, Strategy: "random", Note: strings.Repeat("a", 4097)}, "note", "note is longer than 4096 bytes"},
	} {
		t.Run(c.name, func(t *testing.T) {
			b.refused(domain.CodeInvalid, c.field, c.want, func(ctx ctx) error {
				_, err := b.ManyFromTemplate(ctx, b.root(), c.batch)
				return err
			})
		})
	}
	var ids []string
	for _, s := range b.Strategies() {
		ids = append(ids, s.ID)
	}
	if !slices.Equal(ids, []string{"append", "random", "sequence"}) {
		t.Errorf("strategies %q", ids)
	}
}

func apply(id int64) step {
	return func(b *bench) {
		b.t.Helper()
		if _, err := b.ApplyTemplate(b.t.Context(), b.root(), "ALICE", id, nil); err != nil {
			b.t.Fatal(err)
		}
	}
}

// Whatever a user is, with a template it is what the template says. Its boundaries count from its creation, and none is
// passed by that.
func TestApplyTemplate(t *testing.T) {
	const plan, held30, free = "quota 1000, policy every, in [1 2 4] by [2 1]", "no quota, in [1 4] by [2]", "no quota, in [1 2] by [1]"
	in := func(groups ...int64) func(*accounts.NewUser) {
		return func(n *accounts.NewUser) { n.Groups = groups }
	}
	tellPlans(t, []planTale{
		{tale{"active", with(quota, in(1)), []step{moves(1, 2), pass(oneDay), apply(1)}, "active since 0d, expires 31d, resets 10d, used 1+2"}, plan},
		{tale{"disabled", quota, []step{enable(false), pass(oneDay), apply(1)}, "active since 1d, expires 31d, resets 10d"}, plan},
		{tale{"on hold", with(held(ptr(start+9*day)), in(2)), []step{pass(oneDay), apply(1)}, "active since 1d, expires 31d, resets 10d"}, plan},
		{tale{"expired", with(expiring(day), quota), []step{pass(2 * oneDay), apply(4)}, "active since 2d"}, free},
		{tale{"limited, and it is enough", quota, []step{moves(50, 50), seen(0), pass(oneDay), apply(1)}, "active since 1d, expires 31d, resets 10d, used 50+50"}, plan},
		{tale{"limited, and it is not", quota, []step{moves(500, 500), seen(0), pass(oneDay), apply(1)}, "limited since 0d, expires 31d, resets 10d, used 500+500"}, plan},
		{tale{"used up to the byte, and not flushed", quota, []step{moves(999, 1), apply(1)}, "limited since 0d, expires 30d, resets 10d, used 999+1"}, plan},
		{tale{"a next plan is dropped", with(quota, next), []step{apply(1), pass(30 * oneDay)}, "expired since 30d, expires 30d, resets 40d"}, plan},
		{
			tale{"a next plan is dropped by who has used up", with(quota, next), []step{moves(1000, 0), apply(1), pass(oneHour)}, "limited since 0d, expires 30d, resets 10d, used 1000+0"},
			plan,
		},
		{
			tale{"to a hold, with usage", quota, []step{moves(60, 40), seen(0), pass(oneDay), apply(2)}, "on_hold since 1d, held since 1d, at most until 25h, manual reset of 60+40 at 1d"},
			held30,
		},
		{
			tale{"to a hold, and used", quota, []step{pass(oneDay), apply(2), pass(oneHour / 2), seen(start + day + 1)}, "active since 24h30m, expires 744h0m0.001s, manual reset of 0+0 at 1d"},
			held30,
		},
		{
			tale{"from one hold to another", held(nil), []step{pass(oneDay), apply(2), pass(oneHour)}, "active since 25h, expires 745h, manual reset of 0+0 at 1d"},
			held30,
		},
		{tale{"disabled, to a hold", quota, []step{enable(false), apply(2)}, "on_hold since 0d, held since 0d, at most until 1h, manual reset of 0+0 at 0d"}, held30},
		{tale{"the same policy stays", with(quota, every), []step{moves(1, 2), pass(7 * oneDay), apply(1)}, "active since 0d, expires 37d, resets 10d, used 1+2"}, plan},
		{
			tale{"another policy is counted from the creation", with(quota, monthly), []step{moves(1, 2), pass(13 * oneDay), apply(1), pass(0)}, "active since 0d, expires 43d, resets 20d, used 1+2"},
			plan,
		},
		{tale{"no policy any more", with(quota, every), []step{moves(1, 2), pass(7 * oneDay), apply(4)}, "active since 0d, used 1+2"}, free},
		{tale{"a renewal stays", func(n *accounts.NewUser) { n.RenewDays = 3 }, []step{apply(1), pass(30 * oneDay)}, "active since 0d, expires 33d, resets 40d, renewed 1, renewal reset of 0+0 at 30d"}, plan},
	})
}

// A template changes what it is about, and nothing else.
func TestApplyTemplateKeeps(t *testing.T) {
	b := newBench(t)
	newPlans(b)
	who := b.reseller("op", nil)
	n := b.user("Alice")
	n.Note, n.LimitIP, n.Method, n.Flow = "old", 3, ptr("aes-128-gcm"), ""
	before, err := b.CreateUserOf(t.Context(), who, n)
	if err != nil {
		t.Fatal(err)
	}
	b.clock.Advance(time.Hour)
	for _, c := range []struct {
		template     int64
		note         *string
		want         string
		flow, method string
	}{
		{1, nil, "old", "", "aes-128-gcm"},
		{4, ptr("new"), "new", domain.FlowVision, "aes-256-gcm"},
		{1, ptr(""), "", domain.FlowVision, "aes-256-gcm"},
	} {
		v, err := b.ApplyTemplate(t.Context(), b.root(), "alice", c.template, c.note)
		if err != nil {
			t.Fatal(err)
		}
		if v.Note != c.want || v.Flow != c.flow || *v.Method != c.method || v.Owner != "op" {
			t.Errorf("note %q, flow %q, method %q, owner %q", v.Note, v.Flow, *v.Method, v.Owner)
		}
		keys := func(u domain.User) []any {
			return []any{u.ID, u.Username, u.SubID, u.VLESSID, u.VMessID, u.TrojanPassword, u.ShadowsocksPassword, u.HysteriaAuth, u.AdminID, u.CreatedAt, u.LimitIP}
		}
		if !slices.Equal(keys(v.User), keys(before.User)) || v.UpdatedAt != start+hour {
			t.Errorf("alice was\n%+v\nand is\n%+v", before.User, v.User)
		}
	}
	b.agree()
}

// Users who are changed while a template is planned are brought to it as they are then; all of them or none.
func TestApplyTemplateIsOvertaken(t *testing.T) {
	b, periods := newSlow(t)
	b.create(b.user("bob"))
	calls := 0
	var busy func() // the answer never comes before another change
	busy = func() {
		calls++
		b.edit("alice", func(v *accounts.UserView) { v.LimitIP, v.Quota = calls, nil })
		periods.first = busy
	}
	periods.first = busy
	if _, err := b.ApplyTemplateTo(t.Context(), b.root(), []int64{1, 2}, 1, nil); err != nil {
		t.Fatal(err)
	}
	v, err := b.User(t.Context(), "alice")
	if err != nil || calls == 0 || v.LimitIP != calls || v.HasNextPlan || b.plan("alice") != b.plan("bob") || b.plan("bob") != "quota 1000, policy every, in [1 2 4] by [2 1]" {
		t.Errorf("alice %+v, %v, has %s, bob has %s", v, err, b.plan("alice"), b.plan("bob"))
	}
	b, periods = newSlow(t)
	periods.first = func() {
		if err := b.DeleteUser(t.Context(), "alice", false); err != nil {
			t.Error(err)
		}
	}
	_, err = b.ApplyTemplate(t.Context(), b.root(), "alice", 1, nil)
	wantError(t, err, domain.CodeNotFound, "", "client not found")
	b, periods = newSlow(t)
	b.edit("alice", func(v *accounts.UserView) { v.ResetPolicy, v.ResetParams = "every", `{"days":10}` })
	periods.first = func() { // its boundary was not asked for, and is needed now
		t.Error("a period is asked although the policy stays")
	}
	if _, err := b.ApplyTemplate(t.Context(), b.root(), "alice", 1, nil); err != nil {
		t.Error(err)
	}
	b.agree()
}

// A template whose period does not answer changes nobody.
func TestApplyTemplateFails(t *testing.T) {
	b, host := moody(t, patient())
	b.group("one", 1)
	id := b.template("plan", func(t *domain.Template) { t.ResetPolicy = "week" })
	b.create(b.user("alice"))
	if err := host.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	before := b.lastChange()
	_, err := b.ApplyTemplate(t.Context(), b.root(), "alice", id, nil)
	if domain.CodeOf(err) == "" || b.lastChange() != before {
		t.Errorf("%v, change %d after %d", err, b.lastChange(), before)
	}
	b.agree()
}
