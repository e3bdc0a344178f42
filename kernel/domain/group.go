package domain

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Group is a named set of users, who are let into its inbounds.
type Group struct {
	ID        int64  `bun:"id,pk,autoincrement"`
	Name      string `bun:"name"`       // unique, as given
	Disabled  bool   `bun:"disabled"`   // its inbounds do not count for its users now
	BaseUp    int64  `bun:"base_up"`    // bytes that its users had sent when the group's own count was reset
	BaseDown  int64  `bun:"base_down"`  // bytes that they had received then
	Revision  int64  `bun:"revision"`   // seq of the change that wrote the row last
	CreatedAt int64  `bun:"created_at"` // ms UTC
	UpdatedAt int64  `bun:"updated_at"` // ms UTC

	Inbounds []int64 `bun:"-"` // ids of its inbounds, ascending, never nil once it was read
}

// maxGroupName is the longest name of a group, in bytes: no dialect sets a limit, a database page does.
const maxGroupName = 1024

// CheckGroupName refuses what can not name a group.
func CheckGroupName(name string) error {
	switch {
	case strings.TrimSpace(name) == "":
		return Invalid("group", "name is required")
	case len(name) > maxGroupName:
		return Invalid("group", "name is longer than 1024 bytes")
	case strings.ContainsFunc(name, unicode.IsControl) || !utf8.ValidString(name):
		return Invalid("group", "name must be text without control characters")
	}
	return nil
}
