package username

import (
	"errors"
	"strings"
	"unicode/utf8"

	"github.com/sluicehq/sluice/kernel/domain"
)

// Lengths of a name that Check accepts, and of an affix that CheckAffix accepts, in characters.
const (
	MinLength = 3
	MaxLength = domain.MaxNameLength
	MaxAffix  = 20
)

// What Check refuses. They have no Field: the texts are whole sentences and are shown as they are, under the key of
// whatever was checked. Source: PasarGuard's user templates, "Username validation".
var (
	ErrLength      = domain.Invalid("", "Username only can be 3 to 128 characters.")
	ErrCharacters  = domain.Invalid("", "Username can only contain alphanumeric characters, -, _, @, and .")
	ErrConsecutive = domain.Invalid("", "Username cannot have consecutive special characters")
)

// Why CheckAffix refuses, for errors.Is.
var (
	ErrAffixLength     = errors.New("too long")
	ErrAffixCharacters = errors.New("invalid characters")
)

// Check holds a whole name against the rule for names that the PasarGuard dialect and the templates create; names made
// elsewhere need only domain.CheckName. The error is ErrLength, ErrCharacters or ErrConsecutive, the first that applies
// in this order.
func Check(name string) error {
	if n := utf8.RuneCountInString(name); n < MinLength || n > MaxLength {
		return ErrLength
	}
	return spelling(name)
}

// CheckAffix says why text can not stand before or behind the names of a template: an Invalid of field, caused by
// ErrAffixLength or ErrAffixCharacters. "" is fine. That affix and name fit together is seen only by Check.
func CheckAffix(field, text string) error {
	if utf8.RuneCountInString(text) > MaxAffix {
		return domain.Invalid(field, "is longer than 20 characters").Because(ErrAffixLength)
	}
	if spelling(text) != nil {
		return domain.Invalid(field, "has invalid characters").Because(ErrAffixCharacters)
	}
	return nil
}

// specials may stand in a name, but not beside each other.
const specials = "-_@."

func spelling(name string) error {
	if strings.ContainsFunc(name, notAllowed) {
		return ErrCharacters
	}
	for i := 1; i < len(name); i++ {
		if strings.IndexByte(specials, name[i-1]) >= 0 && strings.IndexByte(specials, name[i]) >= 0 {
			return ErrConsecutive
		}
	}
	return nil
}

func notAllowed(r rune) bool {
	alphanumeric := 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9'
	return !alphanumeric && !strings.ContainsRune(specials, r)
}
