package accounts_test

import (
	"reflect"
	"testing"

	"github.com/sluicehq/sluice/kernel/accounts"
	"github.com/sluicehq/sluice/kernel/directory"
	"github.com/sluicehq/sluice/kernel/domain"
	"github.com/sluicehq/sluice/storage"
)

// Users who were selected may be gone when it is their turn: that is no fault of who asked. One who was named must be there.
func TestSelectedUsersMayBeGone(t *testing.T) {
	b, _ := newMany(t)
	root := accounts.Principal{Admin: b.admin}
	ids := b.SelectUsers(root, directory.Query{})
	b.write(func(tx *storage.Tx) error { return tx.DeleteUser(t.Context(), 2) }) // this process does not know yet
	if _, err := b.ChangeUsers(t.Context(), root, ids, accounts.How{}, noted); domain.CodeOf(err) != domain.CodeNotFound {
		t.Errorf("one who was named is gone: %v", err)
	}
	report, err := b.ChangeUsers(t.Context(), root, ids, accounts.How{There: true}, noted)
	if err != nil || report.Count != len(ids)-1 {
		t.Errorf("one who was selected is gone: %+v, %v, of %v", report, err, ids)
	}
}

// Who was renewed by another process is not deleted for having been expired in this one's memory.
func TestRenewedMeanwhile(t *testing.T) {
	b, _ := newMany(t)
	root := accounts.Principal{Admin: b.admin}
	for _, name := range []string{"bob", "carol"} {
		b.neighbour().update(name, func(u *domain.User) { u.ExpireAt = ptr(b.clock.Now().UnixMilli() - 1) })
	}
	b.follow()
	b.neighbour().update("bob", func(u *domain.User) { u.ExpireAt = nil })
	report, err := b.DeleteExpired(t.Context(), root, directory.Query{})
	if err != nil || !reflect.DeepEqual(report.Done, []string{"carol"}) {
		t.Errorf("deleted %v, %v", report.Done, err)
	}
	if _, err := b.DB.UserByName(t.Context(), "bob"); err != nil {
		t.Errorf("bob: %v", err)
	}
}
