// Package backdoor lets storagetest do to an open database what no caller may: fill it by SQL, and take its disk away.
package backdoor

import "github.com/uptrace/bun"

// Writer returns the writer of a *storage.DB, a pool of one connection. Package storage sets it.
var Writer func(db any) *bun.DB
