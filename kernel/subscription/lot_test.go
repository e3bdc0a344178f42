package subscription

import (
	"math"
	"testing"
)

// Neighbouring users and hosts must not draw alike: each choice is taken by its share of users, and the choices of one
// host do not go with those of another.
func TestLotsAreEven(t *testing.T) {
	const users, choices = 6000, 3
	var address, sni, both [choices * choices]int
	for user := int64(1); user <= users; user++ {
		one, other := drawLot(user, 1), drawLot(user, 2)
		address[one.address%choices]++
		sni[one.sni%choices]++
		both[one.address%choices*choices+other.address%choices]++
	}
	even := func(what string, counts []int) {
		for i, n := range counts {
			if want := float64(users) / float64(len(counts)); math.Abs(float64(n)-want) > 5*math.Sqrt(want) {
				t.Errorf("%s %d is drawn by %d users, want about %.0f", what, i, n, want)
			}
		}
	}
	even("address", address[:choices])
	even("sni", sni[:choices])
	even("pair", both[:])
}

func TestLotStays(t *testing.T) {
	first := drawLot(7, 3)
	if again := drawLot(7, 3); again != first {
		t.Errorf("%+v, then %+v", first, again)
	}
	if got := (lot{salt: 0xabc}).letters(); got != "0000000000000abc" {
		t.Errorf("letters %q", got)
	}
}
