package names

import (
	"bytes"
	"math"
	"math/big"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/sluicehq/sluice/sdk"
	"github.com/sluicehq/sluice/sdk/wire"
)

// ask asks the strategy id as the host would, and fails the test on an error.
func ask(t testing.TB, id string, req sdk.UsernameRequest) []string {
	t.Helper()
	names, err := strategy(t, id)(&req)
	if err != nil {
		t.Fatal(err)
	}
	return names
}

func strategy(t testing.TB, id string) sdk.UsernameFunc {
	t.Helper()
	for _, s := range Strategies() {
		if s.ID == id {
			return s.Names
		}
	}
	t.Fatalf("there is no strategy %s", id)
	return nil
}

func TestSeries(t *testing.T) {
	nines := strings.Repeat("9", 30)
	for _, c := range []struct {
		name, id, base string
		start, count   int64
		want           []string
	}{
		{"the seed's first", "sequence", "user", 1, 3, []string{"user1", "user2", "user3"}},
		{"the seed's second", "sequence", "user10", 1, 3, []string{"user11", "user12", "user13"}},
		{"the seed's third", "sequence", "test", 100, 3, []string{"test100", "test101", "test102"}},
		{"both numbers", "sequence", "user10", 5, 2, []string{"user15", "user16"}},
		{"from zero", "sequence", "user", 0, 2, []string{"user0", "user1"}},
		{"from zero with a number", "sequence", "user10", 0, 2, []string{"user10", "user11"}},
		{"another digit", "sequence", "user98", 1, 3, []string{"user99", "user100", "user101"}},
		{"leading zeros go", "sequence", "user007", 1, 3, []string{"user8", "user9", "user10"}},
		{"zeros only", "sequence", "user000", 0, 2, []string{"user0", "user1"}},
		{"a carry through zeros", "sequence", "user0099", 1, 1, []string{"user100"}},
		{"only the last number", "sequence", "1a2b3", 1, 2, []string{"1a2b4", "1a2b5"}},
		{"a minus is no sign", "sequence", "user-10", 1, 1, []string{"user-11"}},
		{"digits of others are letters", "sequence", "user١", 1, 1, []string{"user١1"}},
		{"digits only", "sequence", "41", 1, 2, []string{"42", "43"}},
		{"no base", "sequence", "", 1, 2, []string{"1", "2"}},
		{"more digits than an integer has", "sequence", "u" + nines, 1, 2, []string{"u1" + strings.Repeat("0", 30), "u1" + strings.Repeat("0", 29) + "1"}},
		{"the last integer", "sequence", "u9223372036854775807", math.MaxInt64, 1, []string{"u18446744073709551614"}},
		{"none wanted", "sequence", "user", 1, 0, []string{}},
		{"less than none wanted", "sequence", "user", 1, -1, []string{}},

		{"base", "append", "user", 1, 3, []string{"user1", "user2", "user3"}},
		{"base with a number", "append", "user10", 1, 3, []string{"user101", "user102", "user103"}},
		{"append from zero", "append", "user", 0, 2, []string{"user0", "user1"}},
		{"append no base", "append", "", 7, 1, []string{"7"}},
		{"append the last integer", "append", "u", math.MaxInt64, 2, []string{"u9223372036854775807", "u9223372036854775808"}},
		{"append, less than none wanted", "append", "user", 1, -1, []string{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := ask(t, c.id, sdk.UsernameRequest{Base: c.base, Start: c.start, Count: c.count}); !slices.Equal(got, c.want) {
				t.Errorf("got  %q\nwant %q", got, c.want)
			}
		})
	}
}

func TestNegativeStart(t *testing.T) {
	for _, id := range []string{"sequence", "append"} {
		names, err := strategy(t, id)(&sdk.UsernameRequest{Base: "user", Start: -1, Count: 1})
		if names != nil || err == nil || err.Error() != "start must be 0 or greater" {
			t.Errorf("%s: got %q, %v", id, names, err)
		}
	}
}

// TestCountIsBounded: no request makes a reply that the host would refuse.
func TestCountIsBounded(t *testing.T) {
	for _, s := range Strategies() {
		if got := len(ask(t, s.ID, sdk.UsernameRequest{Base: "user", Count: math.MaxInt64})); got != wire.MaxNames {
			t.Errorf("%s makes %d names", s.ID, got)
		}
	}
}

func TestRandom(t *testing.T) {
	entropy := func(b byte) []byte { return bytes.Repeat([]byte{b}, wire.EntropySize) }
	first := ask(t, "random", sdk.UsernameRequest{Entropy: entropy(1), Count: 500})
	if len(first) != 500 {
		t.Fatalf("%d names", len(first))
	}
	form := regexp.MustCompile(`^[A-Z0-9]{5}$`)
	seen := map[string]bool{}
	for _, name := range first {
		if !form.MatchString(name) || seen[name] {
			t.Errorf("%q", name)
		}
		seen[name] = true
	}
	for name, c := range map[string]struct {
		req  sdk.UsernameRequest
		same bool
	}{
		"same request":    {sdk.UsernameRequest{Entropy: entropy(1), Count: 500}, true},
		"fewer names":     {sdk.UsernameRequest{Entropy: entropy(1), Count: 10}, true},
		"other entropy":   {sdk.UsernameRequest{Entropy: entropy(2), Count: 500}, false},
		"last byte":       {sdk.UsernameRequest{Entropy: append(entropy(1)[:31], 2), Count: 500}, false},
		"another attempt": {sdk.UsernameRequest{Entropy: entropy(1), Count: 500, Attempt: 1}, false},
		"little entropy":  {sdk.UsernameRequest{Entropy: []byte{1}, Count: 500}, false},
		"too much":        {sdk.UsernameRequest{Entropy: append(entropy(1), 7), Count: 500}, true},
		"no entropy":      {sdk.UsernameRequest{Count: 500}, false},
	} {
		t.Run(name, func(t *testing.T) {
			got := ask(t, "random", c.req)
			if int64(len(got)) != c.req.Count || slices.Equal(got, first[:len(got)]) != c.same {
				t.Errorf("got %d names that begin with %q", len(got), got[:3])
			}
		})
	}
}

// TestRandomIsEven holds how often each character comes at each place against chance, by chi squared with 35 degrees of
// freedom: above 90 in one of a million tests. A bias of a byte taken modulo 36 would give more than 300.
func TestRandomIsEven(t *testing.T) {
	const rounds = 20
	var counts [length]map[byte]int
	for i := range counts {
		counts[i] = map[byte]int{}
	}
	for round := range int64(rounds) {
		for _, name := range ask(t, "random", sdk.UsernameRequest{Attempt: round, Count: wire.MaxNames}) {
			for i := range name {
				counts[i][name[i]]++
			}
		}
	}
	const expected = float64(rounds*wire.MaxNames) / float64(len(alphabet))
	for place, count := range counts {
		chi := 0.0
		for i := range alphabet {
			d := float64(count[alphabet[i]]) - expected
			chi += d * d / expected
		}
		if chi > 90 {
			t.Errorf("place %d: chi squared %.0f", place, chi)
		}
	}
}

// FuzzSequence compares with arithmetic of any size.
func FuzzSequence(f *testing.F) {
	f.Add("user10", int64(1), int64(3))
	f.Add("user", int64(100), int64(3))
	f.Add("007", int64(0), int64(2))
	f.Add("a"+strings.Repeat("9", 40), int64(math.MaxInt64), int64(2))
	f.Fuzz(func(t *testing.T, base string, start, count int64) {
		start, count = max(start, 0), min(count, 100)
		stem, number := base, new(big.Int)
		if at := regexp.MustCompile(`[0-9]+$`).FindStringIndex(base); at != nil {
			stem = base[:at[0]]
			number.SetString(base[at[0]:], 10)
		}
		number.Add(number, big.NewInt(start))
		got := ask(t, "sequence", sdk.UsernameRequest{Base: base, Start: start, Count: count})
		if int64(len(got)) != max(count, 0) {
			t.Fatalf("%d names, %d wanted", len(got), count)
		}
		for i, name := range got {
			if want := stem + number.String(); name != want {
				t.Fatalf("name %s: got %q, want %q", strconv.Itoa(i), name, want)
			}
			number.Add(number, big.NewInt(1))
		}
	})
}
