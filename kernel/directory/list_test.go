package directory

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"testing"
)

// A list finds what a plain sorted slice has at the place, while slots come, go and change their buckets.
func TestList(t *testing.T) {
	for _, c := range []struct {
		name string
		next func(rnd *rand.Rand, n int) int64 // the key of the n-th slot
	}{
		{"in order", func(_ *rand.Rand, n int) int64 { return int64(n) }},
		{"backwards", func(_ *rand.Rand, n int) int64 { return int64(-n) }},
		{"at random", func(rnd *rand.Rand, _ int) int64 { return rnd.Int64N(1_000) }},
		{"one key", func(*rand.Rand, int) int64 { return 5 }},
	} {
		t.Run(c.name, func(t *testing.T) {
			rnd := rand.New(rand.NewPCG(1, 1))
			var keys []int64
			var buckets []Bucket
			l := list{
				key:    func(slot uint32) int64 { return keys[slot] },
				tie:    func(a, b uint32) int { return cmp.Compare(a, b) },
				bucket: func(slot uint32) Bucket { return buckets[slot] },
			}
			var plain []uint32
			for n := range 5_000 {
				keys = append(keys, c.next(rnd, n))
				buckets = append(buckets, 1<<rnd.IntN(4))
				l.add(uint32(n))
				plain = append(plain, uint32(n))
			}
			full := len(l.chunks)
			slices.SortFunc(plain, func(a, b uint32) int { return l.compare(keys[a], a, keys[b], b) })
			check := func() {
				t.Helper()
				for range 50 {
					in, back, skip := Bucket(rnd.IntN(16)), rnd.IntN(2) == 0, rnd.IntN(len(plain)+1)
					want := slices.DeleteFunc(slices.Clone(plain), func(slot uint32) bool { return buckets[slot]&in == 0 })
					if back {
						slices.Reverse(want)
					}
					want = want[min(skip, len(want)):]
					if got := slices.Collect(l.walk(in, skip, back)); !slices.Equal(got, want) {
						t.Fatalf("%d from %d on, want %d", len(got), skip, len(want))
					}
				}
			}
			check()
			for slot := range buckets {
				to := Bucket(1 << rnd.IntN(4))
				l.moved(uint32(slot), buckets[slot], to)
				buckets[slot] = to
			}
			check()
			rnd.Shuffle(len(plain), func(i, j int) { plain[i], plain[j] = plain[j], plain[i] })
			for _, slot := range plain[100:] {
				l.remove(slot)
			}
			plain = plain[:100]
			slices.SortFunc(plain, func(a, b uint32) int { return l.compare(keys[a], a, keys[b], b) })
			check()
			if len(l.chunks) > 3 {
				t.Errorf("100 slots are in %d chunks", len(l.chunks))
			}
			if want := (5_000 + chunkSlots - 1) / chunkSlots; c.name == "in order" && full != want {
				t.Errorf("slots that came in order filled %d chunks, want %d", full, want)
			}
		})
	}
}

func TestListOfKeys(t *testing.T) {
	keys := make([]int64, 1_000)
	l := list{
		key: func(slot uint32) int64 { return keys[slot] }, tie: func(a, b uint32) int { return cmp.Compare(a, b) },
		bucket: func(uint32) Bucket { return Active },
	}
	if _, _, before, after := l.around(5); before || after {
		t.Error("an empty list has neighbours")
	}
	for slot := range keys {
		keys[slot] = int64(slot / 2 * 10)
		l.add(uint32(slot))
	}
	last := keys[len(keys)-1]
	for _, c := range []struct {
		key, before, after int64
		hasBefore          bool
		hasAfter           bool
	}{
		{-5, 0, 0, false, true},
		{0, 0, 0, false, true},
		{1, 0, 10, true, true},
		{keys[chunkSlots], keys[chunkSlots] - 10, keys[chunkSlots], true, true}, // where a chunk ends
		{last, last - 10, last, true, true},
		{last + 1, last, 0, true, false},
	} {
		before, after, hasBefore, hasAfter := l.around(c.key)
		if before != c.before || after != c.after || hasBefore != c.hasBefore || hasAfter != c.hasAfter {
			t.Errorf("around %d: %d %v, %d %v", c.key, before, hasBefore, after, hasAfter)
		}
	}
	for _, c := range []struct {
		low, high int64
		want      int
	}{{-9, -1, 0}, {0, 0, 2}, {5, 25, 4}, {-9, last + 9, 1_000}, {last, last, 2}, {last + 1, last + 9, 0}, {9, 5, 0}} {
		if got := len(slices.Collect(l.between(c.low, c.high))); got != c.want {
			t.Errorf("between %d and %d: %d, want %d", c.low, c.high, got, c.want)
		}
	}
}
