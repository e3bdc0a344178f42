package pasarguard

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/sluicehq/sluice/httpapi/detail"
)

// passwordRules are what this dialect wants of a new password beyond the kernel's bounds (contract: PasarGuard, admins).
// PasarGuard's upper bound of 72 bytes and its ban of quotation marks are those of its own hash and are not ours.
var passwordRules = []struct {
	least int
	of    string
	is    func(rune) bool
}{
	{2, "digits", unicode.IsDigit},
	{2, "uppercase letters", unicode.IsUpper},
	{2, "lowercase letters", unicode.IsLower},
	{1, "special character", func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.IsSpace(r) }},
}

const minPassword = 12 // characters

// checkPassword refuses a new password with all that is missing in it.
func checkPassword(password string) error {
	var missing []string
	if utf8.RuneCountInString(password) < minPassword {
		missing = append(missing, "must have at least 12 characters")
	}
	for _, rule := range passwordRules {
		n := 0
		for _, r := range password {
			if rule.is(r) {
				n++
			}
		}
		if n < rule.least {
			missing = append(missing, "must have at least "+[]string{"", "one ", "two "}[rule.least]+rule.of)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	return detail.Fields{"password": strings.Join(missing, "; ")}.Of()
}
