package subscription

import (
	"strings"
	"testing"

	"github.com/sluicehq/sluice/kernel/domain"
	"github.com/sluicehq/sluice/storage"
)

// Whoever may not connect is told why by the first entry, if the operator wants it, in everything that the id gives.
func TestStatusEntry(t *testing.T) {
	b := newBench(t)
	id := b.inbound(func(in *domain.Inbound) { in.Remark = "one" })
	b.user("alice", id)
	b.reload()
	own := string(b.fetch("sub-alice", Request{Format: "links"}).Body)
	const door = "vless://00000000-0000-0000-0000-000000000000@127.0.0.1:1?encryption=none&security=none&type=tcp#"
	past, none := start-day, int64(0)
	for _, c := range []struct {
		name   string
		change func(*domain.User)
		want   string
	}{
		{"active", func(*domain.User) {}, ""},
		{"on hold", func(u *domain.User) { u.Hold(start, day, nil) }, ""},
		{"disabled", func(u *domain.User) { u.Enabled = false }, "%E2%9D%8C%20Disabled"},
		{"expired", func(u *domain.User) { u.ExpireAt = &past }, "%E2%8C%9B%20Expired%202026-09-20"},
		{"limited", func(u *domain.User) { u.Quota = &none }, "%F0%9F%AA%AB%200%20B%20used%20up"},
	} {
		t.Run(c.name, func(t *testing.T) {
			b.t = t
			for _, on := range []bool{false, true} {
				b.write(func(tx *storage.Tx) error { return tx.SaveSettings(t.Context(), domain.Settings{StatusEntry: on}) })
				b.reload()
				user, err := b.db.UserBySubID(t.Context(), "sub-alice")
				if err != nil {
					t.Fatal(err)
				}
				user.Enabled, user.ExpireAt, user.Quota, user.HoldSince = true, nil, nil, nil
				c.change(&user)
				b.write(func(tx *storage.Tx) error { return tx.UpdateUser(t.Context(), &user) })
				want := own
				if on && c.want != "" {
					want = door + c.want + "\n" + own
				}
				if got := string(b.fetch("sub-alice", Request{Format: "links"}).Body); got != want {
					t.Errorf("with %v got %q, want %q", on, got, want)
				}
				if got, err := b.LinksBySubID(t.Context(), "sub-alice", "localhost"); err != nil || strings.Join(got, "\n")+"\n" != want {
					t.Errorf("with %v by id %q, %v", on, got, err)
				}
				b.wantLinks(&user, strings.TrimSpace(own))
			}
		})
	}
}
