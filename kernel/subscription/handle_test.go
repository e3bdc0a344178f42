package subscription

import (
	"testing"

	"github.com/sluicehq/sluice/kernel/domain"
)

// A handle that two lists of endpoints share would give one user the other's links.
func TestHandleNamesExactlyOneList(t *testing.T) {
	type list struct {
		snapshot uint64
		public   string
		inbounds []int64
		hosts    []*host
	}
	one, two := &host{Host: domain.Host{ID: 1}}, &host{Host: domain.Host{ID: 2}}
	seen := map[uint64]list{}
	for _, l := range []list{
		{1, "", nil, nil},
		{1, "", []int64{1}, nil},
		{2, "", []int64{1}, nil},
		{1, "", []int64{1, 2}, nil},
		{1, "", []int64{2}, nil},
		{1, "a.example", []int64{1}, nil},
		{1, "b.example", []int64{1}, nil},
		{1, "", []int64{1, 0}, nil},
		{1, "", []int64{1}, []*host{one}},
		{1, "", []int64{1}, []*host{two}},
		{1, "", []int64{1}, []*host{one, two}},
		{1, "", []int64{1, 2}, []*host{one}},
	} {
		s := &snapshot{number: l.snapshot}
		h := s.handle(l.public, l.inbounds, l.hosts)
		if other, taken := seen[h]; taken || h == 0 {
			t.Errorf("%+v and %+v have the handle %d", l, other, h)
		}
		if again := s.handle(l.public, l.inbounds, l.hosts); again != h {
			t.Errorf("%+v has the handles %d and %d", l, h, again)
		}
		seen[h] = l
	}
}
