package subscription

import (
	"fmt"
	"math/rand/v2"
)

// lot is what a user draws where a host leaves a choice. It depends on nothing but the two, so that a body is the same
// at every fetch, keeps its ETag and can be cached; users are spread evenly.
type lot struct{ address, sni, name, salt uint64 }

func drawLot(user, host int64) lot {
	var draws rand.PCG
	draws.Seed(uint64(user), uint64(host))
	return lot{draws.Uint64(), draws.Uint64(), draws.Uint64(), draws.Uint64()}
}

// letters stand in the place of a *.
func (l lot) letters() string { return fmt.Sprintf("%016x", l.salt) }

// choose takes one of the texts, "" when there is none.
func choose(texts []text, draw uint64, v *viewer) string {
	if len(texts) == 0 {
		return ""
	}
	return texts[draw%uint64(len(texts))].tell(v)
}

// settled says whether everybody is given the same of the texts.
func settled(texts []text) bool { return len(texts) == 0 || len(texts) == 1 && texts[0].fixed() }
