package storage

import (
	"context"
	"io/fs"

	"go.uber.org/zap"
)

// MigrationFiles are the real migrations, for tests that add others.
var MigrationFiles = migrationFiles

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
