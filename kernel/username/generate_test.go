package username

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/sluicehq/sluice/kernel/domain"
)

// TestGenerate shows what the built-in strategies make. Source of the first cases: the examples of PasarGuard's user
// templates.
func TestGenerate(t *testing.T) {
	s, _ := open(t, guest)
	for name, c := range map[string]struct {
		r     Request
		users *users
		want  []string
		why   string
	}{
		"user":     {Request{Strategy: "sequence", Base: "user", Start: number(1), Count: 3}, having(), []string{"user1", "user2", "user3"}, ""},
		"user10":   {Request{Strategy: "sequence", Base: "user10", Start: number(1), Count: 3}, having(), []string{"user11", "user12", "user13"}, ""},
		"test 100": {Request{Strategy: "sequence", Base: "test", Start: number(100), Count: 3}, having(), []string{"test100", "test101", "test102"}, ""},
		"affixes": {
			Request{Strategy: "sequence", Base: "user", Count: 3, Prefix: "premium_", Suffix: "_vip"},
			having(),
			[]string{"premium_user1_vip", "premium_user2_vip", "premium_user3_vip"},
			"",
		},
		"the number is the base's, not the prefix's": {
			Request{Strategy: "sequence", Base: "a", Count: 2, Prefix: "x9", Suffix: "9"}, having(), []string{"x9a19", "x9a29"}, "",
		},
		"append": {Request{Strategy: "append", Base: "user10", Count: 3}, having(), []string{"user101", "user102", "user103"}, ""},
		"some are taken, in another case": {
			Request{Strategy: "sequence", Base: "User", Count: 5},
			having("USER2", "user4", "user9"),
			[]string{"User1", "User3", "User5"},
			"2 of 5 names could not be made by the strategy sequence: 2 taken",
		},
		"all are taken": {
			Request{Strategy: "append", Base: "user", Count: 2},
			having("user1", "user2", "user3"), nil,
			"2 of 2 names could not be made by the strategy append: 2 taken",
		},
		"short at first": {
			Request{Strategy: "sequence", Base: "u", Start: number(8), Count: 4},
			having(),
			[]string{"u10", "u11"},
			"2 of 4 names could not be made by the strategy sequence: 2 invalid (Username only can be 3 to 128 characters.)",
		},
		"an affix makes them impossible": {
			Request{Strategy: "sequence", Base: "_a", Count: 2, Prefix: "a_"},
			having(), nil,
			"2 of 2 names could not be made by the strategy sequence: 2 invalid (Username cannot have consecutive special characters)",
		},
		"an affix makes them possible": {Request{Strategy: "sequence", Base: "u", Count: 1, Suffix: "x"}, having(), []string{"u1x"}, ""},
		"the base is impossible": {
			Request{Strategy: "append", Base: "a b", Count: 2},
			having(), nil,
			"2 of 2 names could not be made by the strategy append: 2 invalid (Username can only contain alphanumeric characters, -, _, @, and .)",
		},
		"start is 1 unless given": {Request{Strategy: "seen", Count: 1}, having(), []string{"nothing-1-1"}, ""},
		"all reaches the plugin": {
			Request{Strategy: "seen", Params: "{}", Base: "base", Start: number(0), Count: 2},
			having(),
			[]string{"base-0-2"},
			"1 of 2 names could not be made by the strategy seen: 1 invalid (Username only can be 3 to 128 characters.)",
		},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := s.Generate(t.Context(), c.r, c.users.taken)
			want := Result{Names: c.want, Missing: c.r.Count - len(c.want), Why: c.why}
			if err != nil || !reflect.DeepEqual(got, want) {
				t.Errorf("got  %+v, %v\nwant %+v", got, err, want)
			}
			if c.users.calls > 1 {
				t.Errorf("users were looked for %d times in one attempt", c.users.calls)
			}
		})
	}
}

func TestRandom(t *testing.T) {
	s, _ := open(t, example)
	for strategy, form := range map[string]string{"random": `^vip_[A-Z0-9]{5}$`, "pronounceable": `^vip_[a-z]{6}$`} {
		t.Run(strategy, func(t *testing.T) {
			have := having()
			for range 3 { // every call makes other names, and what is taken by then is replaced
				got, err := s.Generate(t.Context(), Request{Strategy: strategy, Count: MaxCount, Prefix: "vip_"}, have.taken)
				if err != nil || len(got.Names) != MaxCount || got.Missing != 0 || got.Why != "" {
					t.Fatalf("%d names, %d missing, %q, %v", len(got.Names), got.Missing, got.Why, err)
				}
				for _, name := range got.Names {
					key := domain.NameKey(name)
					if !regexp.MustCompile(form).MatchString(name) || have.keys[key] {
						t.Errorf("%q is not of the form %s, or came before", name, form)
					}
					have.keys[key] = true
				}
			}
		})
	}
}

// TestRandomIsRetried: when most names are taken the rest is still found, down to the last.
func TestRandomIsRetried(t *testing.T) {
	s, _ := open(t)
	attempts := 0
	taken := func(_ context.Context, names []string) (map[string]bool, error) {
		attempts++
		found := map[string]bool{}
		for _, name := range names { // 35 of 36 are taken
			found[domain.NameKey(name)] = name[0] != '7'
		}
		return found, nil
	}
	got, err := s.Generate(t.Context(), Request{Strategy: "random", Count: 50}, taken)
	if err != nil || len(got.Names) != 50 || got.Missing != 0 || got.Why != "" || attempts < 2 || attempts > maxAttempts {
		t.Errorf("%+v after %d attempts, %v", got, attempts, err)
	}
	for _, name := range got.Names {
		if name[0] != '7' {
			t.Errorf("%s is taken", name)
		}
	}
}

func TestNoNameIsLeft(t *testing.T) {
	s, _ := open(t)
	attempts := 0
	taken := func(_ context.Context, names []string) (map[string]bool, error) {
		attempts++
		found := map[string]bool{}
		for _, name := range names {
			found[domain.NameKey(name)] = true
		}
		return found, nil
	}
	got, err := s.Generate(t.Context(), Request{Strategy: "random", Count: 7}, taken)
	want := Result{Missing: 7, Why: "7 of 7 names could not be made by the strategy random in 3 attempts; of the last: 500 taken"}
	if err != nil || !reflect.DeepEqual(got, want) || attempts != maxFruitless {
		t.Errorf("got  %+v, %v after %d attempts\nwant %+v", got, err, attempts, want)
	}
}

// TestBadStrategies: what a strategy does badly ends in fewer names and a sentence.
func TestBadStrategies(t *testing.T) {
	s, _ := open(t, guest)
	series := func(n int) (names []string) {
		for i := range n {
			names = append(names, fmt.Sprintf("name%d", i))
		}
		return names
	}
	const characters = "Username can only contain alphanumeric characters, -, _, @, and ."
	for name, c := range map[string]struct {
		count int
		users *users
		want  []string
		why   string // after "by the strategy "
		calls int    // of taken
	}{
		"none":        {3, having(), nil, "none: 3 not offered", 0},
		"retry-none":  {3, having(), nil, "retry-none in 3 attempts; of the last: 3 not offered", 0},
		"few":         {5, having("ONE"), []string{"two"}, "few: 1 taken, 3 not offered", 1},
		"retry-few":   {5, having("ONE"), []string{"two"}, "retry-few in 4 attempts; of the last: 2 offered twice, 2 not offered", 1},
		"same":        {5, having(), []string{"bob", "amy"}, "same: 3 offered twice", 1},
		"retry-same":  {5, having(), []string{"bob", "amy"}, "retry-same in 4 attempts; of the last: 5 offered twice", 1},
		"invalid":     {7, having("fine"), nil, "invalid: 1 taken, 6 invalid (" + characters + ")", 1},
		"long":        {3, having(), []string{"fine", strings.Repeat("y", 128)}, "long: 1 invalid (Username only can be 3 to 128 characters.)", 1},
		"retry-long":  {3, having(), []string{"fine", strings.Repeat("y", 128)}, "retry-long in 4 attempts; of the last: 2 offered twice, 1 invalid (Username only can be 3 to 128 characters.)", 1},
		"surplus":     {500, having(), series(500), "", 1},
		"most":        {2, having("name1", "name2"), []string{"name0"}, "most: 1 taken", 1},
		"retry-most":  {2, having("name1", "name2"), []string{"name0", "name3"}, "", 2},
		"one-each":    {30, having(), series(20), "one-each in 20 attempts; of the last: 10 not offered", 20},
		"every-third": {5, having(), series(5), "", 5},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := s.Generate(t.Context(), Request{Strategy: name, Count: c.count}, c.users.taken)
			want := Result{Names: c.want, Missing: c.count - len(c.want)}
			if c.why != "" {
				want.Why = fmt.Sprintf("%d of %d names could not be made by the strategy %s", want.Missing, c.count, c.why)
			}
			if err != nil || !reflect.DeepEqual(got, want) || c.users.calls != c.calls {
				t.Errorf("got  %+v, %v with %d calls of taken\nwant %+v", got, err, c.users.calls, want)
			}
		})
	}
}

// TestRejectedNamesAreTold: the strategy hears of each bare name why it was of no use, unless it is longer than any name.
func TestRejectedNamesAreTold(t *testing.T) {
	s, _ := open(t, guest)
	got, err := s.Generate(t.Context(), Request{Strategy: "tell", Count: 5, Suffix: "_"}, having("bob_").taken)
	want := Result{
		Names:   []string{"amy_", "x-invalid-1-500_", "AMY-taken-1-500_", "bob-taken-1-500_"},
		Missing: 1,
		Why:     "1 of 5 names could not be made by the strategy tell in 5 attempts; of the last: 1 not offered",
	}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v, %v\nwant %+v", got, err, want)
	}
}

func TestFailures(t *testing.T) {
	for name, c := range map[string]struct {
		code domain.Code
		want string
	}{
		"endless":     {domain.CodeUnavailable, "plugin guest: username endless took longer than 100 ms"},
		"crash":       {domain.CodeUnavailable, "plugin guest: username crash crashed: panic: over and out"},
		"crash-later": {domain.CodeUnavailable, "plugin guest: username crash-later crashed: panic: enough"},
		"million":     {domain.CodeUnavailable, "plugin guest: username million gave an unreadable reply"},
		"huge":        {domain.CodeUnavailable, "plugin guest: username huge replied 9437189 bytes, the limit is 8388608"},
		"refuse":      {domain.CodeInvalid, "plugin guest: username refuse: no more today"},
	} {
		t.Run(name, func(t *testing.T) {
			deadline := time.Minute
			if name == "endless" {
				deadline = 100 * time.Millisecond
			}
			s, _ := openWithin(t, deadline, guest)
			got, err := s.Generate(t.Context(), Request{Strategy: name, Count: 5}, having().taken)
			refused(t, err, c.code, c.want)
			if !reflect.DeepEqual(got, Result{}) {
				t.Errorf("with the error came %+v", got)
			}
		})
	}
}

func TestTakenFails(t *testing.T) {
	s, _ := open(t)
	broken := errors.New("the disk is gone")
	_, err := s.Generate(t.Context(), Request{Strategy: "random", Count: 1},
		func(context.Context, []string) (map[string]bool, error) { return nil, broken })
	if !errors.Is(err, broken) || err.Error() != "look for users of generated names: the disk is gone" {
		t.Errorf("got %v", err)
	}
}

func TestCallerGivesUp(t *testing.T) {
	s, _ := open(t)
	ctx, cancel := context.WithCancel(t.Context())
	attempts := 0
	_, err := s.Generate(ctx, Request{Strategy: "random", Count: 1}, func(ctx context.Context, _ []string) (map[string]bool, error) {
		attempts++
		cancel()
		return nil, ctx.Err()
	})
	if !errors.Is(err, context.Canceled) || attempts != 1 {
		t.Errorf("got %v after %d attempts", err, attempts)
	}
}
