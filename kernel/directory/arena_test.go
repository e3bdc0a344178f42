package directory

import (
	"fmt"
	"strings"
	"testing"

	"github.com/sluicehq/sluice/kernel/domain"
)

// What updates leave behind is freed: the arena never takes more than twice what lives, and a few chunks.
func TestArenaStaysSmall(t *testing.T) {
	note := func(id, revision int64, size int) domain.Account {
		return with(id, revision, func(a *domain.Account) {
			a.User.Note = strings.Repeat(fmt.Sprint(revision%10), size)
		})
	}
	for _, c := range []struct {
		name   string
		users  int64
		rounds int64
		size   func(id, round int64) int // of the note
		remove func(id int64) bool
	}{
		{"one user over and over", 1, 5_000, func(_, _ int64) int { return 100 }, nil},
		{"all in turn", 1_000, 20, func(_, _ int64) int { return 50 }, nil},
		{"notes that grow and shrink", 300, 30, func(id, round int64) int { return int(id * round * 37 % 900) }, nil},
		{"notes larger than a chunk", 10, 50, func(_, round int64) int { return int(round%2) * 3 * chunkText }, nil},
		{"notes that fill most of a chunk among small ones", 100, 20, func(id, _ int64) int { return int(id%2) * 10_000 }, nil},
		{"most removed", 3_000, 1, func(_, _ int64) int { return 60 }, func(id int64) bool { return id%10 != 0 }},
		{"all removed", 3_000, 1, func(_, _ int64) int { return 60 }, func(int64) bool { return true }},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := New()
			for round := range c.rounds {
				for id := range c.users {
					d.Put(note(id, round, c.size(id, round)))
				}
			}
			for id := range c.users {
				if c.remove != nil && c.remove(id) {
					d.Remove(id)
				}
			}
			var live, counted int64
			for r := range d.Each {
				live += int64(len(r.Username) + len(r.SubID) + len(r.Note))
				if want := note(r.ID, c.rounds-1, c.size(r.ID, c.rounds-1)).User; r.Note != want.Note || r.SubID != want.SubID {
					t.Fatalf("user %d has other strings than it was given", r.ID)
				}
			}
			for _, chunk := range d.text.chunks {
				counted += int64(chunk.live)
			}
			if lengths := int64(d.Len()) * 16; counted < live || counted > live+lengths {
				t.Errorf("%d bytes count as living, but %d do", counted, live)
			}
			if most := 2*live + 4*chunkText; d.text.bytes > most {
				t.Errorf("%d bytes hold %d, want at most %d", d.text.bytes, live, most)
			}
		})
	}
}

func TestUnchangedStringsStayWhereTheyAre(t *testing.T) {
	d := filled(t, account(1, 1))
	before := d.recs.at(1).text
	d.Put(expiring(1, 2, 100))
	if after := d.recs.at(1).text; after != before {
		t.Errorf("moved from %v to %v", before, after)
	}
}
