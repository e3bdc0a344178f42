package storagetest

import (
	"context"
	"fmt"
	"testing"

	"github.com/sluicehq/sluice/storage"
	"github.com/sluicehq/sluice/storage/internal/backdoor"
)

// Full takes the disk away from an SQLite database, as SQLite itself sees it: the file can not grow, while every change
// and every flush needs it to, so they fail until makeRoom. Other writes, such as a noted fetch, still find room in the
// pages that are there.
func Full(t testing.TB, db *storage.DB) (makeRoom func()) {
	t.Helper()
	writer := backdoor.Writer(db)
	ctx := context.Background()
	pragma := func(name string) (n int64) {
		t.Helper()
		if err := writer.QueryRowContext(ctx, "PRAGMA "+name).Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	exec := func(query string) {
		t.Helper()
		if _, err := writer.ExecContext(ctx, query); err != nil {
			t.Fatal(err)
		}
	}
	// A small row may fit into a page that is there, so each brings a large one along.
	more := (pragma("freelist_count") + 1) * pragma("page_size")
	for _, table := range []string{"changes", "flushes"} {
		exec(fmt.Sprintf("CREATE TEMP TRIGGER more_%s AFTER INSERT ON main.%s BEGIN "+
			"INSERT INTO cores (id, config, revision) VALUES (-1, hex(zeroblob(%d)), 0); END", table, table, more))
	}
	exec(fmt.Sprintf("PRAGMA max_page_count = %d", pragma("page_count")))
	return func() {
		t.Helper()
		exec("PRAGMA max_page_count = 4294967294")
		exec("DROP TRIGGER temp.more_changes")
		exec("DROP TRIGGER temp.more_flushes")
	}
}
