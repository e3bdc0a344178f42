package storage

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"

	"github.com/uptrace/bun"
	"github.com/uptrace/bun/migrate"
	"go.uber.org/zap"

	"github.com/sluicehq/sluice/kernel/domain"
)

// migrationFiles are the steps from an empty database to the schema of this version. A step that was released is never
// edited, and knows nothing of the Go types of today.
//
//go:embed migrations/*.sql
var migrationFiles embed.FS

// migrate brings the schema up to date with the steps in files, each in its own transaction and marked as done only
// afterwards. If the process dies between the two, the step runs again, so every step can.
func (db *DB) migrate(ctx context.Context, files fs.FS, log *zap.Logger) (err error) {
	release, err := db.engine.lockSchema(ctx, db.read)
	if err != nil {
		return fmt.Errorf("lock schema: %w", err)
	}
	defer func() { err = errors.Join(err, release()) }()

	steps := migrate.NewMigrations()
	if err := steps.Discover(files); err != nil {
		return fmt.Errorf("read migrations: %w", err)
	}
	// A bun.DB of its own, because bun remembers the models that it has seen.
	m := migrate.NewMigrator(bun.NewDB(db.write.DB, db.write.Dialect()), steps,
		migrate.WithMarkAppliedOnSuccess(true), migrate.WithTemplateData(db.engine.schemaTypes()))
	if err := m.Init(ctx); err != nil {
		return fmt.Errorf("prepare migrations: %w", err)
	}
	unknown, err := m.MissingMigrations(ctx)
	if err != nil {
		return fmt.Errorf("read applied migrations: %w", err)
	}
	if len(unknown) > 0 {
		return domain.Invalid("database", "the database was changed by a newer version of Sluice; run that one").
			Because(fmt.Errorf("unknown migrations: %s", unknown))
	}
	done, err := m.Migrate(ctx)
	if err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	if !done.IsZero() {
		log.Info("database migrated", zap.Stringer("migrations", done.Migrations))
	}
	return nil
}
