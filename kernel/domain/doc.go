// Package domain says what a user, an inbound, an admin, a token and a setting are, and holds the rules that follow
// from their facts alone: status, names, credentials, addresses. It is pure: no I/O, no clock reads, no randomness of
// its own. Types carry bun tags because a tag is not an import; JSON shapes belong to the dialects in httpapi.
//
// Units, everywhere unless said: times are milliseconds since the Unix epoch in UTC, amounts are bytes, and a nil
// pointer means "none" (no quota, no expiry), never zero.
package domain
