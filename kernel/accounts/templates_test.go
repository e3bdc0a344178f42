package accounts_test

import (
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/sluicehq/sluice/kernel/domain"
	"github.com/sluicehq/sluice/storage"
)

// template makes a template of the group 1 as it is changed.
func (b *bench) template(name string, change func(t *domain.Template)) int64 {
	b.t.Helper()
	plan := domain.Template{Name: name, Groups: []int64{1}}
	change(&plan)
	made, err := b.CreateTemplate(b.t.Context(), plan)
	if err != nil {
		b.t.Fatalf("make the template %s: %v", name, err)
	}
	return made.ID
}

func TestCreateTemplate(t *testing.T) {
	b := newDoors(t)
	given := domain.Template{
		ID: 77, Name: "Plan", Quota: ptr(int64(5)), Duration: day, Prefix: ptr("a_"), Suffix: ptr(""), HasExtra: true, Flow: ptr(domain.FlowVision),
		Method: ptr("chacha20-poly1305"), Hold: true, HoldTimeout: ptr(hour), ResetUsage: true, ResetPolicy: "every",
		ResetParams: `{"days":3}`, Disabled: true, CreatedAt: 5, UpdatedAt: 6, Groups: []int64{2, 1, 2},
	}
	made, err := b.CreateTemplate(t.Context(), given)
	if err != nil {
		t.Fatal(err)
	}
	want := given
	want.ID, want.Method, want.Groups = 1, ptr("chacha20-ietf-poly1305"), []int64{2, 1}
	want.Revision, want.CreatedAt, want.UpdatedAt = b.lastChange(), start, start
	if !reflect.DeepEqual(made, want) {
		t.Errorf("made\n got %+v\nwant %+v", made, want)
	}
	if read, err := b.Template(t.Context(), 1); err != nil || !reflect.DeepEqual(read, want) {
		t.Errorf("read %+v, %v", read, err)
	}
	b.template("never reset", func(t *domain.Template) { t.ResetPolicy, t.ResetParams = "no_reset", "{}" })
	all, err := b.Templates(t.Context())
	if err != nil || len(all) != 2 || all[1].Name != "never reset" || all[1].ResetPolicy != "" || all[1].ResetParams != "" {
		t.Errorf("templates %+v, %v", all, err)
	}
}

func TestTemplatesRefuse(t *testing.T) {
	b := newDoors(t)
	b.template("Plan", func(*domain.Template) {})
	b.template("Other", func(*domain.Template) {})
	const years = 100 * 365 * day
	for _, c := range []struct {
		name   string
		change func(t *domain.Template)
		code   domain.Code
		field  string
		want   string
	}{
		{"no name", func(t *domain.Template) { t.Name = "" }, domain.CodeInvalid, "name", "name is required"},
		{"a long name", func(t *domain.Template) { t.Name = strings.Repeat("a", 257) }, domain.CodeInvalid, "name", "name is longer than 256 bytes"},
		{"a name in use", func(t *domain.Template) { t.Name = "Plan" }, domain.CodeConflict, "", "Template by this name already exists"},
		{"a quota of nothing", func(t *domain.Template) { t.Quota = ptr(int64(0)) }, domain.CodeInvalid, "quota", "quota must be more than 0 bytes"},
		{"a negative duration", func(t *domain.Template) { t.Duration = -1 }, domain.CodeInvalid, "duration", "duration must be between 0 and 100 years"},
		{"a long duration", func(t *domain.Template) { t.Duration = years + 1 }, domain.CodeInvalid, "duration", "duration must be between 0 and 100 years"},
		{"a hold for nothing", func(t *domain.Template) { t.Hold = true }, domain.CodeInvalid, "duration", "duration must be more than 0 on hold"},
		{"a negative timeout", func(t *domain.Template) { t.HoldTimeout = ptr(int64(-1)) }, domain.CodeInvalid, "hold_timeout", "hold_timeout must be between 0 and 100 years"},
		{"a long timeout", func(t *domain.Template) { t.HoldTimeout = ptr(int64(math.MaxInt64)) }, domain.CodeInvalid, "hold_timeout", "hold_timeout must be between 0 and 100 years"},
		{"an unknown flow", func(t *domain.Template) { t.Flow = ptr("none") }, domain.CodeInvalid, "flow", `flow must be "" or "xtls-rprx-vision"`},
		{
			"an unknown method", func(t *domain.Template) { t.Method = ptr("rot13") }, domain.CodeInvalid, "method",
			"method must be one of aes-128-gcm, aes-256-gcm, chacha20-ietf-poly1305, xchacha20-poly1305",
		},
		{"an unknown group", func(t *domain.Template) { t.Groups = []int64{1, 9} }, domain.CodeNotFound, "", "group not found"},
		{"an unknown group before a name in use", func(t *domain.Template) { t.Name, t.Groups = "Plan", []int64{9} }, domain.CodeNotFound, "", "group not found"},
	} {
		t.Run(c.name, func(t *testing.T) {
			b.refused(c.code, c.field, c.want, func(ctx ctx) error {
				plan := domain.Template{Name: "New", Groups: []int64{1}}
				c.change(&plan)
				_, err := b.CreateTemplate(ctx, plan)
				return err
			})
			b.refused(c.code, c.field, c.want, func(ctx ctx) error {
				_, err := b.UpdateTemplate(ctx, 2, func(t *domain.Template) error { c.change(t); return nil })
				return err
			})
		})
	}
	b.refused(domain.CodeNotFound, "", "template not found", func(ctx ctx) error {
		_, err := b.UpdateTemplate(ctx, 9, func(*domain.Template) error { return nil })
		return err
	})
	b.refused(domain.CodeInvalid, "reset_policy", `reset_policy must be one of calendar, daily, day, every, hourly, month, monthly, no_reset, week, weekly, year: "fortnight" is not loaded`, func(ctx ctx) error {
		_, err := b.UpdateTemplate(ctx, 2, func(t *domain.Template) error { t.ResetPolicy = "fortnight"; return nil })
		return err
	})
}

// A change of a template changes nobody, and one that is none is not written. A policy that nobody knows any more stays.
func TestUpdateTemplate(t *testing.T) {
	b := newDoors(t)
	id := b.template("Plan", func(t *domain.Template) { t.Groups = []int64{2, 1} })
	b.write(func(tx *storage.Tx) error {
		stored, err := tx.Template(t.Context(), id)
		if err != nil {
			return err
		}
		stored.ResetPolicy = "fortnight"
		return tx.UpdateTemplate(t.Context(), &stored)
	})
	before := b.lastChange()
	b.clock.Advance(oneHour)
	same, err := b.UpdateTemplate(t.Context(), id, func(t *domain.Template) error { t.Name, t.Groups = "Plan", []int64{2, 1, 2}; return nil })
	if err != nil || same.UpdatedAt != start || b.lastChange() != before {
		t.Errorf("%+v, %v, change %d after %d", same, err, b.lastChange(), before)
	}
	after, err := b.UpdateTemplate(t.Context(), id, func(t *domain.Template) error { t.Name, t.Groups = "Best", []int64{1, 2}; return nil })
	if err != nil || after.UpdatedAt != start+hour || after.CreatedAt != start || after.Revision != b.lastChange() {
		t.Errorf("%+v, %v", after, err)
	}
	if read, err := b.Template(t.Context(), id); err != nil || !reflect.DeepEqual(read, after) || !slices.Equal(read.Groups, []int64{1, 2}) {
		t.Errorf("read %+v, %v", read, err)
	}
	b.core.wantTold(t, "user 1 [1 2 3]")
}

// Templates are deleted, or switched, in one transaction: all or none, each once, with names in the order of the request.
func TestTemplatesAtOnce(t *testing.T) {
	b := newDoors(t)
	for _, name := range []string{"a", "b", "c"} {
		b.template(name, func(*domain.Template) {})
	}
	for _, do := range []func(ctx ctx, ids []int64) ([]string, error){
		b.DeleteTemplates, func(ctx ctx, ids []int64) ([]string, error) { return b.DisableTemplates(ctx, ids, true) },
	} {
		b.refused(domain.CodeNotFound, "", "template not found", func(ctx ctx) error {
			_, err := do(ctx, []int64{1, 9})
			return err
		})
	}
	before := b.lastChange()
	names, err := b.DisableTemplates(t.Context(), []int64{3, 1, 3}, true)
	if err != nil || !slices.Equal(names, []string{"c", "a"}) || b.lastChange() != before+2 {
		t.Errorf("shut %q, %v, change %d after %d", names, err, b.lastChange(), before)
	}
	names, err = b.DisableTemplates(t.Context(), []int64{1, 2}, true)
	if err != nil || !slices.Equal(names, []string{"a", "b"}) || b.lastChange() != before+3 { // one was shut already
		t.Errorf("shut %q, %v, change %d after %d", names, err, b.lastChange(), before)
	}
	names, err = b.DeleteTemplates(t.Context(), []int64{2, 1, 2})
	all, listed := b.Templates(t.Context())
	if err != nil || listed != nil || !slices.Equal(names, []string{"b", "a"}) || len(all) != 1 || all[0].Name != "c" || !all[0].Disabled {
		t.Errorf("deleted %q, %v, left %+v, %v", names, err, all, listed)
	}
}

// With a template go the next plans that name it: whoever waited for one may be deleted now. Other processes follow.
func TestDeleteTemplateOfNextPlans(t *testing.T) {
	for _, here := range []bool{true, false} {
		b := newDoors(t)
		one, other := b.template("one", func(*domain.Template) {}), b.template("other", func(*domain.Template) {})
		for name, id := range map[string]int64{"bob": one, "carol": other} {
			n := b.user(name)
			expiring(day)(&n)
			n.AutoDelete, n.NextPlan = ptr(0), domain.NextPlan{HasNextPlan: true, NextTemplate: ptr(id)}
			b.create(n)
		}
		b.FollowFrom(b.lastChange())
		told := len(b.core.told())
		if here {
			if _, err := b.DeleteTemplates(t.Context(), []int64{one}); err != nil {
				t.Fatal(err)
			}
		} else {
			b.neighbour().write(func(tx *storage.Tx) error { _, err := tx.DeleteTemplate(t.Context(), one); return err })
		}
		b.follow()
		if got := len(b.core.told()) - told; got != 1 {
			t.Errorf("%d effects", got)
		}
		b.agree()
		pass(oneDay)(b)
		if got := b.story("bob"); got != "gone" {
			t.Errorf("bob is %s", got)
		}
		if got := b.story("carol"); got != "active since 0d, renewal reset of 0+0 at 1d" {
			t.Errorf("carol is %s", got)
		}
	}
}
