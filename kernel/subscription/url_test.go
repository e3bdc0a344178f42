package subscription

import (
	"testing"

	"github.com/sluicehq/sluice/kernel/domain"
	"github.com/sluicehq/sluice/storage"
)

func TestURL(t *testing.T) {
	b := newBench(t)
	for _, c := range []struct{ name, base, username, subID, want string }{
		{"without a public URL", "", "alice", "abc", "/sub/alice?token=abc"},
		{"with one", "https://vpn.example", "alice", "abc", "https://vpn.example/sub/alice?token=abc"},
		{"with a slash", "https://vpn.example/", "alice", "abc", "https://vpn.example/sub/alice?token=abc"},
		{"with a path", "https://vpn.example:8443/a/", "alice", "abc", "https://vpn.example:8443/a/sub/alice?token=abc"},
		{"what is escaped", "", "Renée?#%&+;", "a+;=ü", "/sub/Ren%C3%A9e%3F%23%25&+%3B?token=a%2B%3B%3D%C3%BC"},
		{"dots are no name in a path", "", "..", "abc", "/sub/abc"},
	} {
		t.Run(c.name, func(t *testing.T) {
			b.t = t
			b.write(func(tx *storage.Tx) error { return tx.SaveSettings(t.Context(), domain.Settings{PublicURL: c.base}) })
			b.reload()
			if got := b.URL(&domain.User{Username: c.username, SubID: c.subID}); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}

// The name in a URL must be that of the id's owner; nobody is told whether the id or the name is wrong.
func TestOwner(t *testing.T) {
	b := newBench(t)
	alice := b.user("Álice")
	b.user("bob")
	for _, c := range []struct {
		name, subID, username string
		found                 bool
	}{
		{"no name", "sub-Álice", "", true},
		{"its own", "sub-Álice", "Álice", true},
		{"in another case", "sub-Álice", "áLICE", true},
		{"decomposed", "sub-Álice", "A\u0301lice", true},
		{"somebody else's", "sub-Álice", "bob", false},
		{"nobody's", "sub-Álice", "carol", false},
		{"no name at all", "sub-Álice", "a\xff", false},
		{"nobody's id", "sub-carol", "bob", false},
		{"no id", "", "bob", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			user, err := b.Owner(t.Context(), c.subID, c.username)
			switch {
			case !c.found:
				wantError(t, err, domain.CodeNotFound, "subscription not found")
				if user.ID != 0 {
					t.Errorf("user %d is returned with the error", user.ID)
				}
			case err != nil || user.ID != alice.ID:
				t.Errorf("user %d, %v", user.ID, err)
			}
			_, err = b.Subscription(t.Context(), c.subID, Request{Username: c.username})
			if (err == nil) != c.found {
				t.Errorf("the subscription: %v", err)
			}
		})
	}
}
