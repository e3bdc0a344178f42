package username

import (
	"errors"
	"regexp"
	"strings"
	"testing"

	"github.com/sluicehq/sluice/kernel/domain"
)

func TestCheck(t *testing.T) {
	const (
		length      = "Username only can be 3 to 128 characters."
		characters  = "Username can only contain alphanumeric characters, -, _, @, and ."
		consecutive = "Username cannot have consecutive special characters"
	)
	for name, c := range map[string]struct{ in, want string }{
		"shortest":                {"abc", ""},
		"longest":                 {strings.Repeat("a", 128), ""},
		"all kinds":               {"AZaz09-a_b@c.d", ""},
		"specials at the ends":    {"-ab.", ""},
		"specials apart":          {"a-b_c@d.e", ""},
		"empty":                   {"", length},
		"two":                     {"ab", length},
		"129":                     {strings.Repeat("a", 129), length},
		"length is told first":    {" -", length},
		"two characters, 4 bytes": {"üü", length},
		"128 characters, not bytes, and then what they are": {strings.Repeat("ü", 128), characters},
		"space":                         {"a b", characters},
		"newline at the end":            {"abc\n", characters},
		"NUL":                           {"abc\x00", characters},
		"letters of others":             {"жук", characters},
		"fullwidth digits":              {"１２３", characters},
		"not UTF-8":                     {"abc\xff", characters},
		"slash":                         {"a/b", characters},
		"plus":                          {"a+b", characters},
		"characters before consecutive": {"a--b c", characters},
		"the same twice":                {"a__b", consecutive},
		"two different":                 {"a.@b", consecutive},
		"at the beginning":              {"_-ab", consecutive},
		"at the end":                    {"ab@.", consecutive},
		"only specials":                 {"...", consecutive},
	} {
		t.Run(name, func(t *testing.T) {
			err := Check(c.in)
			if c.want == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			refused(t, err, domain.CodeInvalid, c.want)
		})
	}
}

func TestCheckAffix(t *testing.T) {
	for name, c := range map[string]struct {
		in    string
		cause error
		want  string
	}{
		"empty":            {"", nil, ""},
		"one special":      {"_", nil, ""},
		"twenty":           {strings.Repeat("a", 20), nil, ""},
		"twenty-one":       {strings.Repeat("a", 21), ErrAffixLength, "prefix is longer than 20 characters"},
		"length first":     {strings.Repeat(" ", 21), ErrAffixLength, "prefix is longer than 20 characters"},
		"twenty, 40 bytes": {strings.Repeat("ü", 20), ErrAffixCharacters, "prefix has invalid characters"},
		"space":            {"vip ", ErrAffixCharacters, "prefix has invalid characters"},
		"newline":          {"vip\n", ErrAffixCharacters, "prefix has invalid characters"},
		"two specials":     {"vip_-", ErrAffixCharacters, "prefix has invalid characters"},
	} {
		t.Run(name, func(t *testing.T) {
			err := CheckAffix("prefix", c.in)
			if c.cause == nil {
				if err != nil {
					t.Error(err)
				}
				return
			}
			refused(t, err, domain.CodeInvalid, c.want)
			if !errors.Is(err, c.cause) {
				t.Errorf("%v is not caused by %v", err, c.cause)
			}
		})
	}
}

// FuzzCheck compares with the rule as it is written down: three expressions, in their order.
func FuzzCheck(f *testing.F) {
	characters := regexp.MustCompile(`^[a-zA-Z0-9\-_@.]+\z`)
	consecutive := regexp.MustCompile(`[-_@.]{2,}`)
	for _, s := range []string{"abc", "a b", "a--b", "ab", "abc\n", "ü@ü", strings.Repeat("é", 129)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, name string) {
		var want error
		switch n := len([]rune(name)); {
		case n < 3 || n > 128:
			want = ErrLength
		case !characters.MatchString(name):
			want = ErrCharacters
		case consecutive.MatchString(name):
			want = ErrConsecutive
		}
		got := Check(name)
		if got != want {
			t.Errorf("%q: got %v, want %v", name, got, want)
		}
		if got == nil && domain.CheckName(name) != nil {
			t.Errorf("%q passes here and not as a name of the domain", name)
		}
	})
}
