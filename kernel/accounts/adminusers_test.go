package accounts_test

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"github.com/sluicehq/sluice/kernel/domain"
	"github.com/sluicehq/sluice/storage"
)

// newOwnersBench has the users u1 to u4 of mary, of whom u2 is disabled, and u5 of root.
func newOwnersBench(t *testing.T) (b *bench, mary domain.Admin) {
	t.Helper()
	b = newBench(t)
	b.inbounds(1)
	mary = b.operator("mary", false)
	for i := 1; i <= 5; i++ {
		n := b.user(fmt.Sprint("u", i))
		n.Enabled = i != 2
		if i < 5 {
			n.AdminID = mary.ID
		}
		b.create(n)
	}
	return b, mary
}

// wantEnabled checks the ids of the users who are enabled, in the database and in the directory.
func (b *bench) wantEnabled(want ...int64) {
	b.t.Helper()
	var stored, live []int64
	for id := range int64(6) {
		if u, err := b.db.UserByID(b.t.Context(), id); err == nil && u.Enabled && u.Status == domain.StatusActive {
			stored = append(stored, id)
		}
		if r, ok := b.directory.ByID(id); ok && r.Enabled {
			live = append(live, id)
		}
	}
	if !slices.Equal(stored, want) || !slices.Equal(live, want) {
		b.t.Errorf("enabled are %v, in the directory %v; want %v", stored, live, want)
	}
}

func TestEnableAdminUsers(t *testing.T) {
	b, _ := newOwnersBench(t)
	for _, c := range []struct {
		enabled bool
		changed int
		told    []string
		want    []int64
	}{
		{false, 3, []string{"user 1 [1]", "user 3 [1]", "user 4 [1]"}, []int64{5}},
		{false, 0, nil, []int64{5}},
		{true, 4, []string{"user 1 [1]", "user 2 [1]", "user 3 [1]", "user 4 [1]"}, []int64{1, 2, 3, 4, 5}},
	} {
		calls := len(b.core.told())
		changed, err := b.EnableAdminUsers(t.Context(), "MARY", c.enabled)
		if err != nil || changed != c.changed {
			t.Errorf("%d changed, %v; want %d", changed, err, c.changed)
		}
		if told := b.core.told()[calls:]; !slices.Equal(told, c.told) {
			t.Errorf("the core is told %q, want %q", told, c.told)
		}
		b.wantEnabled(c.want...)
	}
}

// Whom the directory takes for a user of the admin, but another process has given to another one, is left alone.
func TestAdminUsersWhoWereMoved(t *testing.T) {
	b, mary := newOwnersBench(t)
	u, err := b.db.UserByID(t.Context(), 3)
	if err != nil {
		t.Fatal(err)
	}
	u.AdminID = b.admin.ID
	b.write(func(tx *storage.Tx) error { return tx.UpdateUsers(t.Context(), []*domain.User{&u}) })
	if changed, err := b.EnableAdminUsers(t.Context(), mary.Username, false); err != nil || changed != 2 {
		t.Errorf("%d changed, %v", changed, err)
	}
	if deleted, err := b.DeleteAdminUsers(t.Context(), mary.Username); err != nil || deleted != 3 {
		t.Errorf("%d deleted, %v", deleted, err)
	}
	b.wantEnabled(3, 5)
}

func TestDeleteAdminUsers(t *testing.T) {
	b, _ := newOwnersBench(t)
	calls := len(b.core.told())
	if deleted, err := b.DeleteAdminUsers(t.Context(), "MARY"); err != nil || deleted != 4 {
		t.Errorf("%d deleted, %v", deleted, err)
	}
	if told := b.core.told()[calls:]; !slices.Equal(told, []string{"no user 1", "no user 2", "no user 3", "no user 4"}) {
		t.Errorf("the core is told %q", told)
	}
	b.wantEnabled(5)
	if deleted, err := b.DeleteAdminUsers(t.Context(), "mary"); err != nil || deleted != 0 {
		t.Errorf("again: %d deleted, %v", deleted, err)
	}
}

func TestAdminUsersRefuse(t *testing.T) {
	b, _ := newOwnersBench(t)
	for name, do := range map[string]func(context.Context) (int, error){
		"disable": func(ctx context.Context) (int, error) { return b.EnableAdminUsers(ctx, "bob", false) },
		"delete":  func(ctx context.Context) (int, error) { return b.DeleteAdminUsers(ctx, "bob") },
	} {
		t.Run(name, func(t *testing.T) {
			b.t = t
			b.refused(domain.CodeNotFound, "", "admin not found", func(ctx context.Context) error {
				_, err := do(ctx)
				return err
			})
		})
	}
}
