package accounts_test

import (
	"fmt"
	"reflect"
	"slices"
	"testing"

	"github.com/sluicehq/sluice/kernel/accounts"
	"github.com/sluicehq/sluice/kernel/directory"
	"github.com/sluicehq/sluice/kernel/domain"
	"github.com/sluicehq/sluice/storage"
	"github.com/sluicehq/sluice/storage/storagetest"
)

// newMany is newDoors with bob (2, used 5+6, quota 10), and carol (3) who is another admin's.
func newMany(t *testing.T) (b *bench, owner accounts.Principal) {
	t.Helper()
	b = newDoors(t)
	owner = b.reseller("op", nil)
	n := b.user("bob")
	n.Quota, n.Flow, n.Method = ptr(int64(10)), domain.FlowVision, ptr("aes-128-gcm")
	next(&n)
	b.create(n)
	if _, err := b.CreateUserOf(t.Context(), owner, b.user("carol")); err != nil {
		t.Fatal(err)
	}
	b.counters.move(2, 2, 3)
	flush(b)
	b.counters.move(2, 3, 3)
	return b, owner
}

func noted(a *domain.Account) bool {
	changed := a.User.Note != "new"
	a.User.Note = "new"
	return changed
}

// byIDs are the functions about users by id, with what they do to bob.
var byIDs = []struct {
	name string
	do   func(ctx ctx, b *bench, who accounts.Principal, ids []int64) (accounts.Report, error)
	want string // bob's story
}{
	{"change", func(ctx ctx, b *bench, who accounts.Principal, ids []int64) (accounts.Report, error) {
		return b.ChangeUsers(ctx, who, ids, accounts.How{}, noted)
	}, "limited since 0d, used 5+6"},
	{"join", func(ctx ctx, b *bench, who accounts.Principal, ids []int64) (accounts.Report, error) {
		return b.ChangeMemberships(ctx, who, ids, []int64{2}, true, accounts.How{})
	}, "limited since 0d, used 5+6"},
	{"reset", func(ctx ctx, b *bench, who accounts.Principal, ids []int64) (accounts.Report, error) {
		return b.ResetUsagesOf(ctx, who, ids, accounts.How{})
	}, "active since 0d, manual reset of 5+6 at 0d"},
	{"revoke", func(ctx ctx, b *bench, who accounts.Principal, ids []int64) (accounts.Report, error) {
		return b.RevokeSubsOf(ctx, who, ids)
	}, "limited since 0d, used 5+6"},
	{"own", func(ctx ctx, b *bench, who accounts.Principal, ids []int64) (accounts.Report, error) {
		return b.SetOwners(ctx, who, ids, "heir")
	}, "limited since 0d, used 5+6"},
	{"apply", func(ctx ctx, b *bench, who accounts.Principal, ids []int64) (accounts.Report, error) {
		return b.ApplyTemplateTo(ctx, who, ids, 1, nil)
	}, "active since 0d, used 5+6"},
	{"delete", func(ctx ctx, b *bench, who accounts.Principal, ids []int64) (accounts.Report, error) {
		return b.DeleteUsersOf(ctx, who, ids)
	}, "gone"},
}

// All are done or none, in one transaction, and the core hears of it at once; the bytes of the last seconds count.
func TestByIDs(t *testing.T) {
	for _, c := range byIDs {
		t.Run(c.name, func(t *testing.T) {
			b, owner := newMany(t)
			b.reseller("heir", nil)
			b.template("Plan", func(*domain.Template) {})
			for _, refused := range []struct {
				who accounts.Principal
				ids []int64
			}{{b.root(), []int64{1, 2, 9}}, {owner, []int64{3, 2}}, {owner, []int64{9}}} {
				b.refused(domain.CodeNotFound, "", "client not found", func(ctx ctx) error {
					_, err := c.do(ctx, b, refused.who, refused.ids)
					return err
				})
			}
			commits, batches := storagetest.Commits(b.db), b.core.batches
			report, err := c.do(t.Context(), b, b.root(), []int64{3, 2, 1, 2})
			if err != nil || report.Count != 3 || !slices.Equal(report.Done, []string{"alice", "bob", "carol"}) {
				t.Errorf("%+v, %v", report, err)
			}
			if n := storagetest.Commits(b.db) - commits; n != 1 || b.core.batches != batches+1 {
				t.Errorf("%d commits, %d batches", n, b.core.batches-batches)
			}
			if got := b.story("bob"); got != c.want {
				t.Errorf("bob\n got %s\nwant %s", got, c.want)
			}
			b.agree()
			if c.name == "delete" {
				return
			}
			b.clock.Advance(oneHour)
			if report, err := c.do(t.Context(), b, b.root(), nil); err != nil || report.Count != 0 || len(report.Done) != 0 || report.Done == nil {
				t.Errorf("of nobody: %+v, %v", report, err)
			}
		})
	}
}

// A try answers what it would do, and does nothing. Who is as wanted already is not counted, and not written.
func TestChangeUsersTried(t *testing.T) {
	b, _ := newMany(t)
	if _, err := b.ChangeUsers(t.Context(), b.root(), []int64{1}, accounts.How{}, noted); err != nil {
		t.Fatal(err)
	}
	before, told := b.lastChange(), len(b.core.told())
	for _, do := range []func(how accounts.How) (accounts.Report, error){
		func(how accounts.How) (accounts.Report, error) {
			return b.ChangeUsers(t.Context(), b.root(), []int64{1, 2, 3}, how, noted)
		},
		func(how accounts.How) (accounts.Report, error) {
			return b.ChangeMemberships(t.Context(), b.root(), []int64{1, 2, 3}, []int64{1, 1}, true, how)
		},
	} {
		tried, err := do(accounts.How{DryRun: true})
		if err != nil || tried.Count != 2 || len(tried.Done) != 3 || b.lastChange() != before || len(b.core.told()) != told {
			t.Errorf("tried %+v, %v, change %d after %d", tried, err, b.lastChange(), before)
		}
		done, err := do(accounts.How{})
		if err != nil || !reflect.DeepEqual(done, tried) || b.lastChange() != before+2 {
			t.Errorf("done %+v, tried %+v, %v", done, tried, err)
		}
		before, told = b.lastChange(), len(b.core.told())
	}
	b.agree()
}

// What a change makes of a user is checked as any other.
func TestChangeUsersRefuses(t *testing.T) {
	b, _ := newMany(t)
	b.refused(domain.CodeInvalid, "quota", "quota must be more than 0 bytes", func(ctx ctx) error {
		_, err := b.ChangeUsers(ctx, b.root(), []int64{1, 2}, accounts.How{}, func(a *domain.Account) bool {
			a.User.Quota = ptr(int64(0))
			return true
		})
		return err
	})
	b.refused(domain.CodeConflict, "sub_id", "sub_id is already in use", func(ctx ctx) error {
		_, err := b.ChangeUsers(ctx, b.root(), []int64{1, 2}, accounts.How{}, func(a *domain.Account) bool {
			a.User.SubID = "the-same"
			return true
		})
		return err
	})
	b.refused(domain.CodeNotFound, "", "group not found", func(ctx ctx) error {
		_, err := b.ChangeMemberships(ctx, b.root(), []int64{1}, []int64{1, 9}, false, accounts.How{})
		return err
	})
	b.refused(domain.CodeNotFound, "", "admin not found", func(ctx ctx) error {
		_, err := b.SetOwners(ctx, b.root(), []int64{1}, "nobody")
		return err
	})
	b.refused(domain.CodeInvalid, "ids", "ids must be at most 5000 users", func(ctx ctx) error {
		_, err := b.ApplyTemplateTo(ctx, b.root(), make([]int64, 5001), 1, nil)
		return err
	})
}

func TestChangeMemberships(t *testing.T) {
	for _, c := range []struct {
		name   string
		groups []int64
		join   bool
		count  int
		want   []string // alice and bob
	}{
		{"join behind the others", []int64{3, 2, 3}, true, 2, []string{"own [3], groups [1 3 2]: [1 2 3 4]", "own [1], groups [3 2]: [1 4]"}},
		{"some are in it", []int64{1}, true, 1, []string{"own [3], groups [1]: [1 2 3]", "own [1], groups [1]: [1 2]"}},
		{"leave", []int64{1, 2}, false, 1, []string{"own [3], groups []: [3]", "own [1], groups []: [1]"}},
		{"leave what nobody is in", []int64{2}, false, 0, []string{"own [3], groups [1]: [1 2 3]", "own [1], groups []: [1]"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			b, _ := newMany(t)
			report, err := b.ChangeMemberships(t.Context(), b.root(), []int64{2, 1}, c.groups, c.join, accounts.How{})
			if err != nil || report.Count != c.count || !slices.Equal(report.Done, []string{"alice", "bob"}) {
				t.Errorf("%+v, %v", report, err)
			}
			if got := []string{b.doors("alice"), b.doors("bob")}; !slices.Equal(got, c.want) {
				t.Errorf("got  %q\nwant %q", got, c.want)
			}
			b.agree()
		})
	}
}

// A PasarGuard reset clears the hourly history and drops the next plan; what was used in the user's life stays.
func TestResetUsagesOf(t *testing.T) {
	b, _ := newMany(t)
	v, err := b.ResetUsageOf(t.Context(), b.root(), "BOB")
	if err != nil || v.HasNextPlan || v.NextQuota != nil || v.Traffic.Used() != 0 || v.Status != domain.StatusActive ||
		v.Traffic.LifetimeUp != 5 || v.Traffic.LifetimeDown != 6 || v.Owner != "root" {
		t.Errorf("%+v, %v", v, err)
	}
	hours, err := b.UsageOf(t.Context(), b.root(), "bob", 0, start+day)
	if err != nil || len(hours) != 0 {
		t.Errorf("history %+v, %v", hours, err)
	}
	b.counters.move(2, 1, 0)
	hours, err = b.UsageOf(t.Context(), b.root(), "bob", 0, start+day)
	if err != nil || !slices.Equal(hours, []domain.HourUsage{{Hour: start - start%hour, Up: 1}}) {
		t.Errorf("history %+v, %v", hours, err)
	}
	b.agree()
}

// Nothing of what apps have of a user is worth anything any more; what the operator chose stays.
func TestRevokeSubs(t *testing.T) {
	b, _ := newMany(t)
	before, err := b.User(t.Context(), "bob")
	if err != nil {
		t.Fatal(err)
	}
	v, err := b.RevokeSubOf(t.Context(), b.root(), "bob")
	if err != nil {
		t.Fatal(err)
	}
	old := []string{before.SubID, before.VLESSID, before.VMessID, before.TrojanPassword, before.ShadowsocksPassword, before.HysteriaAuth}
	for _, secret := range []string{v.SubID, v.VLESSID, v.VMessID, v.TrojanPassword, v.ShadowsocksPassword, v.HysteriaAuth} {
		if slices.Contains(old, secret) || len(secret) < 26 {
			t.Errorf("%q is still %q", secret, old)
		}
	}
	if v.VLESSID != v.VMessID || v.Flow != domain.FlowVision || *v.Method != "aes-128-gcm" || v.Username != "bob" || !v.HasNextPlan {
		t.Errorf("revoked %+v", v)
	}
	b.agree()
}

// Of more than 5,000 users nobody is named, and none is held until the commit: the core hears of them in portions.
func TestManyIDs(t *testing.T) {
	const users = 5001
	b := newBench(t)
	b.inbounds(1)
	b.write(func(tx *storage.Tx) error {
		rows := make([]*storage.NewUser, users)
		for i := range rows {
			text := fmt.Sprintf("%036d", i)
			rows[i] = &storage.NewUser{User: domain.User{
				Username: fmt.Sprintf("user%d", i), SubID: text, Enabled: true, AdminID: b.admin.ID, Status: domain.StatusActive,
				Credentials: domain.Credentials{
					VLESSID: fmt.Sprintf("%08d-0000-4000-8000-000000000000", i), VMessID: fmt.Sprintf("%08d-0000-4000-8000-000000000000", i),
					TrojanPassword: text, ShadowsocksPassword: text, HysteriaAuth: text,
				},
			}, Inbounds: []int64{1}}
		}
		for some := range slices.Chunk(rows, 1000) {
			if err := tx.InsertUsers(t.Context(), some); err != nil {
				return err
			}
		}
		return nil
	})
	b.follow()
	batches, commits := b.core.batches, storagetest.Commits(b.db)
	report, err := b.ChangeUsers(t.Context(), b.root(), b.SelectUsers(b.root(), directory.Query{}), accounts.How{}, noted)
	if err != nil || report.Count != users || len(report.Done) != 0 {
		t.Errorf("%d changed, %d named, %v", report.Count, len(report.Done), err)
	}
	if n := storagetest.Commits(b.db) - commits; n != 1 || b.core.batches < batches+6 {
		t.Errorf("%d commits, %d batches", n, b.core.batches-batches)
	}
	b.agree()
}
