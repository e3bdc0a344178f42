package subscription

import (
	"testing"

	"github.com/sluicehq/sluice/kernel/directory"
	"github.com/sluicehq/sluice/kernel/domain"
)

// remembering is a directory of these users, by sub id, without inbounds.
type remembering map[string]*domain.User

func (r remembering) BySubID(subID string) (directory.Record, bool) {
	u := r[subID]
	if u == nil {
		return directory.Record{}, false
	}
	return directory.Record{ID: u.ID, Revision: u.Revision, Username: u.Username, SubID: u.SubID, Enabled: u.Enabled, Quota: u.Quota, ExpireAt: u.ExpireAt, Up: 5}, true
}

// Who is found in the directory, and who only in the database, gets the same; so does who is found in neither.
func TestHolder(t *testing.T) {
	b := newBench(t)
	quota := int64(10)
	alice := b.user("Álice")
	known := *alice
	known.Quota = &quota
	b.user("bob")
	b.Directory = remembering{"sub-Álice": &known}
	b.used.Up = 2
	for _, c := range []struct {
		subID, username string
		found, whole    bool
	}{
		{"sub-Álice", "", true, false},
		{"sub-Álice", "Álice", true, false},
		{"sub-Álice", "áLICE", true, false},
		{"sub-Álice", "A\u0301lice", true, false},
		{"sub-Álice", "bob", false, false},
		{"sub-bob", "", true, true}, // of another process, which has just made it
		{"sub-bob", "BOB", true, true},
		{"sub-bob", "Álice", false, false},
		{"sub-carol", "", false, false},
		{"a\x00", "", false, false},
	} {
		t.Run(c.subID+" of "+c.username, func(t *testing.T) {
			h, err := b.holder(t.Context(), c.subID, c.username)
			if !c.found {
				wantError(t, err, domain.CodeNotFound, "subscription not found")
				return
			}
			if err != nil || h.whole != c.whole || h.user.SubID != c.subID {
				t.Errorf("%+v, %v", h, err)
			}
			if want := map[bool]int64{true: 2, false: 7}[c.whole]; h.traffic.Up != want {
				t.Errorf("moved %d bytes, want %d", h.traffic.Up, want)
			}
			if !c.whole && *h.user.Quota != quota {
				t.Errorf("quota %d", *h.user.Quota)
			}
		})
	}
}

// A user that has changed since the directory was told gets what it is now, and nobody else does.
func TestBodyOfAnotherRevisionIsNotKept(t *testing.T) {
	b := newBench(t)
	b.reload()
	alice := b.user("alice")
	older := *alice
	older.Revision--
	b.Directory = remembering{"sub-alice": &older}
	b.fetch("sub-alice", Request{Format: "links"})
	if b.bodies.list.Len() != 0 {
		t.Error("it is kept")
	}
	b.Directory = remembering{"sub-alice": alice}
	b.fetch("sub-alice", Request{Format: "links"})
	if b.bodies.list.Len() != 1 {
		t.Error("that of the same revision is not kept")
	}
}

// A user that the directory still knows and the database does not is the same as nobody.
func TestHolderThatIsGone(t *testing.T) {
	b := newBench(t)
	b.reload()
	b.Directory = remembering{"sub-ghost": {ID: 99, Username: "ghost", SubID: "sub-ghost", Revision: 1}}
	_, err := b.Subscription(t.Context(), "sub-ghost", Request{Format: "links"})
	wantError(t, err, domain.CodeNotFound, "subscription not found")
}
