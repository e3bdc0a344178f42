// Package backdoor lets storagetest do with an open database what no caller may: fill it by SQL, take its disk away, and
// count its commits.
package backdoor

import "github.com/uptrace/bun"

// Writer returns the writer of a *storage.DB, a pool of one connection. Package storage sets it.
var Writer func(db any) *bun.DB

// Commits returns how many write transactions of a *storage.DB were committed since it was opened. Package storage sets
// it.
var Commits func(db any) int64
