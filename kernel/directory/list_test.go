package directory

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// A list finds what a plain sorted slice has at the place, while slots come, go and change their states.
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
			var states []state
			l := list{
				ordering: ordering{func(slot uint32) int64 { return keys[slot] }, cmp.Compare[uint32]},
				state:    func(slot uint32) state { return states[slot] },
			}
			var plain []uint32
			for n := range 5_000 {
				keys = append(keys, c.next(rnd, n))
				states = append(states, 1<<rnd.IntN(7))
				l.add(uint32(n))
				plain = append(plain, uint32(n))
			}
			full := len(l.chunks)
			slices.SortFunc(plain, func(a, b uint32) int { return l.compare(keys[a], a, keys[b], b) })
			check := func() {
				t.Helper()
				for range 50 {
					in, back, skip := state(rnd.IntN(128)), rnd.IntN(2) == 0, rnd.IntN(len(plain)+1)
					want := slices.DeleteFunc(slices.Clone(plain), func(slot uint32) bool { return states[slot]&in == 0 })
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
			for slot := range states {
				to := state(1) << rnd.IntN(7)
				l.moved(uint32(slot), states[slot], to)
				states[slot] = to
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
		ordering: ordering{func(slot uint32) int64 { return keys[slot] }, cmp.Compare[uint32]},
		state:    func(slot uint32) state { return 1 << (slot % 7) },
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
	}{
		{-9, -1, 0},
		{0, 0, 2},
		{5, 25, 4},
		{-9, last + 9, 1_000},
		{last, last, 2},
		{last + 1, last + 9, 0},
		{9, 5, 0},
		{math.MinInt64, math.MaxInt64, 1_000},
		{keys[chunkSlots], math.MaxInt64, 1_000 - chunkSlots},
		{10, keys[chunkSlots] - 10, chunkSlots - 2},
		{10, keys[3*chunkSlots], 3 * chunkSlots},
	} {
		s := l.between(c.low, c.high)
		all := slices.Collect(s.walk(everybody, 0, false))
		if len(all) != c.want || s.count(everybody) != c.want {
			t.Errorf("between %d and %d: %d, counted %d, want %d", c.low, c.high, len(all), s.count(everybody), c.want)
		}
		const in = running | scarce | disabled
		some := slices.DeleteFunc(all, func(slot uint32) bool { return l.state(slot)&in == 0 })
		if got := s.count(in); got != len(some) {
			t.Errorf("between %d and %d: counted %d in some states, want %d", c.low, c.high, got, len(some))
		}
		slices.Reverse(some)
		skip := len(some) / 3
		if got := slices.Collect(s.walk(in, skip, true)); !slices.Equal(got, some[skip:]) {
			t.Errorf("between %d and %d: walked back over %d, want %d", c.low, c.high, len(got), len(some)-skip)
		}
	}
}
