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
	given := []int64{1, 2}
	a := n.take(given)
	given[0] = 9 // the caller's own
	b, c := n.take([]int64{1, 2}), n.take([]int64{1, 300})
	if a != b || a == c || !slices.Equal(n.get(a), []int64{1, 2}) || !slices.Equal(n.get(c), []int64{1, 300}) {
		t.Fatalf("sets %d %v, %d %v, %d %v", a, n.get(a), b, n.get(b), c, n.get(c))
	}
	if none := n.take(nil); none != 0 || n.get(none) != nil {
		t.Errorf("the empty set is %d %v", none, n.get(none))
	}
	n.drop(0)
	n.drop(a)
	if again := n.take([]int64{1, 2}); again != a {
		t.Errorf("a set in use was given the number %d besides %d", again, a)
	}
	n.drop(a)
	n.drop(a)
	if len(n.numbers) != 1 {
		t.Errorf("%d sets are known, want 1", len(n.numbers))
	}
	if reused := n.take([]int64{7}); reused != a || !slices.Equal(n.get(reused), []int64{7}) {
		t.Errorf("the vacant number %d was not used: %d %v", a, reused, n.get(reused))
	}
}
