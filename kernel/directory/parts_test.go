package directory

import (
	"slices"
	"testing"
)

// Four texts, of which all have one hash.
func TestIndexWithEqualHashes(t *testing.T) {
	texts := map[uint32]string{1: "a", 2: "b", 3: "c", 4: "a"}
	for _, c := range []struct {
		name string
		do   func(*index)
		want map[string]uint32
	}{
		{"all", func(*index) {}, map[string]uint32{"a": 1, "b": 2, "c": 3, "d": 0}},
		{"first removed", func(x *index) { x.remove("a", 1) }, map[string]uint32{"a": 0, "b": 2, "c": 3}},
		{"other removed", func(x *index) { x.remove("b", 2) }, map[string]uint32{"a": 1, "b": 0, "c": 3}},
		{"first removed and back", func(x *index) {
			x.remove("a", 1)
			x.set("a", 1)
		}, map[string]uint32{"a": 1, "b": 2, "c": 3}},
		{"first taken over, before its holder lets go", func(x *index) { x.set("a", 4) }, map[string]uint32{"a": 4, "b": 2}},
		{"first taken over", func(x *index) {
			x.set("a", 4)
			x.remove("a", 1)
		}, map[string]uint32{"a": 4, "b": 2, "c": 3}},
		{"other taken over", func(x *index) {
			texts[4] = "b"
			x.set("b", 4)
			x.remove("b", 2)
		}, map[string]uint32{"a": 1, "b": 4, "c": 3}},
		{"other taken over when it could be first", func(x *index) {
			texts[4] = "b"
			x.remove("a", 1)
			x.set("b", 4)
			x.remove("b", 2)
		}, map[string]uint32{"a": 0, "b": 4, "c": 3}},
	} {
		t.Run(c.name, func(t *testing.T) {
			texts[4] = "a"
			x := newIndex(func(string) uint32 { return 5 }, func(slot uint32) []byte { return []byte(texts[slot]) })
			for slot := uint32(1); slot <= 3; slot++ {
				x.set(texts[slot], slot)
			}
			c.do(&x)
			for text, want := range c.want {
				if got := x.find(text); got != want {
					t.Errorf("find(%q) = %d, want %d", text, got, want)
				}
			}
		})
	}
}

func TestIDs(t *testing.T) {
	x := ids{pages: map[int64]*page{}}
	far := int64(1) << 50
	for slot, id := range []int64{-1, 0, 255, 256, far} {
		x.set(id, uint32(slot+1))
	}
	for range pageSize { // counts once
		x.remove(0)
	}
	x.remove(far + 1)
	for id, want := range map[int64]uint32{
		-1: 1, 0: gone, 1: unknown, 255: 3, 256: 4, far: 5, far + 1: gone, far + 1_000: unknown,
	} {
		if got := x.get(id); got != want {
			t.Errorf("get(%d) = %d, want %d", id, got, want)
		}
	}
	if got := slices.Collect(x.on(0)); !slices.Equal(got, []uint32{3}) {
		t.Errorf("slots %v are in use on page 0, want 3", got)
	}
}

// A page whose ids are all gone takes no memory of its own, and still knows it.
func TestIDsOfLongAgo(t *testing.T) {
	x := ids{pages: map[int64]*page{}}
	for range 2 {
		for id := range int64(10 * pageSize) {
			x.remove(id)
		}
	}
	if x.own != 0 || x.pages[0] != deserted || x.pages[9] != deserted {
		t.Errorf("%d pages of their own: %v", x.own, x.pages)
	}
	if x.get(5) != gone || x.get(10*pageSize-1) != gone || x.get(10*pageSize) != unknown {
		t.Error("what is gone was forgotten")
	}
}

func TestInterner(t *testing.T) {
	n := newInterner()
	take := func(inbounds, groups []int64, admin int64) uint32 {
		number := n.number(shared{inbounds: inbounds, groups: groups, admin: admin})
		n.join(number, running, usage{10, 1, 12})
		return number
	}
	given := []int64{1, 2}
	a := take(given, nil, 0)
	given[0] = 9 // the caller's own
	b := take([]int64{1, 2}, nil, 0)
	others := []uint32{
		take([]int64{1, 300}, nil, 0), take([]int64{1}, []int64{2}, 0), take(nil, []int64{1, 2}, 0), take([]int64{1, 2}, nil, 7),
		take(nil, nil, 0),
	}
	if a != b || slices.Contains(others, a) || len(n.numbers) != 6 {
		t.Fatalf("numbers %d, %d, others %v of %d", a, b, others, len(n.numbers))
	}
	for name, s := range map[string]shared{
		"policy": {inbounds: []int64{1, 2}, policy: "month"}, "quota": {inbounds: []int64{1, 2}, quota: true},
		"expiry": {inbounds: []int64{1, 2}, ends: true}, "order of groups": {groups: []int64{2, 1}},
	} {
		if _, known := n.numbers[string(n.compose(&s))]; known {
			t.Errorf("another %s is no other set", name)
		}
	}
	if s := n.sets[a]; !slices.Equal(s.inbounds, []int64{1, 2}) || s.groups != nil || s.up != 20 || s.down != 2 {
		t.Errorf("the set is %+v", s)
	}
	if s := n.sets[others[4]]; s.inbounds != nil || !s.orphaned() || s.counts.in(everybody) != 1 {
		t.Errorf("the set of nothing is %+v", s)
	}
	n.leave(a, running, usage{10, 1, 12})
	if again := n.number(shared{inbounds: []int64{1, 2}}); again != a {
		t.Errorf("a set in use was given the number %d besides %d", again, a)
	}
	n.leave(a, running, usage{10, 1, 12})
	if reused := take([]int64{7}, nil, 0); reused != a || !slices.Equal(n.sets[reused].inbounds, []int64{7}) {
		t.Errorf("the vacant number %d was not used: %d %v", a, reused, n.sets[reused])
	}
}
