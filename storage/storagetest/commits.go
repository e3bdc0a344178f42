package storagetest

import (
	"github.com/sluicehq/sluice/storage"
	"github.com/sluicehq/sluice/storage/internal/backdoor"
)

// Commits returns how many write transactions db has committed since it was opened. A test that expects a refused
// request to write nothing compares the number before and after.
func Commits(db *storage.DB) int64 { return backdoor.Commits(db) }
