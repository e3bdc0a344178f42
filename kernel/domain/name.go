package domain

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// MaxNameLength is the longest username, in characters (decisions.md §1.2).
const MaxNameLength = 128

// NameKey is the form in which names are compared: lower case in NFC, which lower case can leave. It is computed here and not
// in SQL, so that SQLite (ASCII only) and PostgreSQL agree.
func NameKey(name string) string { return norm.NFC.String(strings.ToLower(norm.NFC.String(name))) }

// CheckName refuses a username that could not be a path segment of the APIs.
func CheckName(name string) error {
	const field = "username"
	switch {
	case name == "":
		return Invalid(field, "is required")
	case !utf8.ValidString(name):
		return Invalid(field, "is not valid UTF-8")
	case utf8.RuneCountInString(name) > MaxNameLength:
		return Invalid(field, "is longer than 128 characters")
	case strings.ContainsFunc(name, notInName):
		return Invalid(field, "must not contain spaces, control characters, / or \\")
	}
	return nil
}

// CheckSubID refuses a subscription id that could not stand in a link. "" is refused too.
func CheckSubID(id string) error {
	if id == "" || len(id) > MaxNameLength || !utf8.ValidString(id) || strings.ContainsFunc(id, notInSubID) {
		return Invalid("sub_id", "must be 1 to 128 characters without spaces, control characters, / \\ ? # % or &")
	}
	return nil
}

func notInName(r rune) bool {
	return r == '/' || r == '\\' || unicode.IsSpace(r) || unicode.IsControl(r)
}

func notInSubID(r rune) bool { return notInName(r) || strings.ContainsRune("?#%&", r) }
