package storage

import (
	"context"
	"io/fs"

	"go.uber.org/zap"
)

// MigrationFiles are the real migrations, for tests that add others.
var MigrationFiles = migrationFiles

// Connect opens a database without a look at its schema. Its hot queries are not prepared.
func Connect(ctx context.Context, o Options) (*DB, error) { return connect(ctx, o) }

// MigrateWith migrates with other files than the embedded ones.
func (db *DB) MigrateWith(ctx context.Context, files fs.FS) error {
	return db.migrate(ctx, files, zap.NewNop())
}

// ExecOnWriter runs a statement on the writer connection, for what no caller may do.
func (db *DB) ExecOnWriter(ctx context.Context, query string) error {
	_, err := db.write.DB.ExecContext(ctx, query)
	return err
}

// Count returns what a query that counts answers.
func (db *DB) Count(ctx context.Context, query string) (n int64, err error) {
	err = db.raw.QueryRowContext(ctx, query).Scan(&n)
	return n, err
}

// HourlyQueries are the queries that look for one user in usage_hourly.
var HourlyQueries = map[string]string{"read": usageOfUser, "clear": clearUsage}

// SoughtQueries are queries that must not read a table from end to end, as SQLite gets them.
func SoughtQueries() map[string]string {
	queries := map[string]string{
		"users of inbound": usersOfInbound, "users by Telegram id": usersByTgID,
		"revise":          "WITH new (user_id, revision) AS (VALUES (1, 2), (2, 3)) " + reviseUsers,
		"groups":          groupsOfUser,
		"members":         membersOfGroup,
		"remove inbounds": inInbounds.remove([][]int64{{1, 2}, {3, 4}}),
		"remove groups":   inGroups.remove([][]int64{{1, 2, 0}, {3, 4, 1}}),
	}
	for _, u := range uniques {
		condition, _, _ := sqlite{}.oneOf(nil)
		queries[u.column] = takenKeys(u.key) + condition
	}
	return queries
}

// Plan returns the steps in which SQLite would run a query.
func (db *DB) Plan(ctx context.Context, query string, args ...any) ([]string, error) {
	var id, parent, unused int
	var step string
	steps := []string{}
	err := db.scan(ctx, []any{&id, &parent, &unused, &step}, func() { steps = append(steps, step) },
		"EXPLAIN QUERY PLAN "+query, args...)
	return steps, err
}
