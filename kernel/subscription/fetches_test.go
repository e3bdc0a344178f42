package subscription

import (
	"context"
	"testing"
)

// A fetch whose note can not be stored is noted by a later flush, and never in the place of a newer one.
func TestFetchesSurviveAFailedFlush(t *testing.T) {
	b := newBench(t)
	for _, name := range []string{"alice", "bob"} {
		b.user(name)
		b.fetch("sub-"+name, Request{UserAgent: "first"})
	}
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	if err := b.FlushFetches(cancelled); err == nil {
		t.Fatal("a cancelled flush succeeds")
	}
	b.fetch("sub-bob", Request{UserAgent: "second"})
	for range 2 { // the second has nothing to store
		if err := b.FlushFetches(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	for name, want := range map[string]string{"alice": "first", "bob": "second"} {
		user, err := b.db.UserByName(t.Context(), name)
		if err != nil || user.SubAgent != want || user.SubFetchAt != start {
			t.Errorf("%s was fetched by %q at %d, %v; want %q", name, user.SubAgent, user.SubFetchAt, err, want)
		}
	}
}

// What a flush puts back is older than what came meanwhile.
func TestPutBackKeepsTheNewer(t *testing.T) {
	b := newBench(t)
	alice := b.user("alice")
	b.fetch("sub-alice", Request{UserAgent: "first"})
	taken := b.fetches.take()
	b.fetch("sub-alice", Request{UserAgent: "second"})
	b.fetches.putBack(taken)
	if got := b.fetches.take()[alice.ID].Agent; got != "second" {
		t.Errorf("the agent is %q", got)
	}
}
