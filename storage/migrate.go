package storage

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"strconv"

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

// migrate brings the schema up to date with the steps in files. Each step and the mark that it is done are one
// transaction, so a step runs once, wherever the process dies.
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
		migrate.WithTemplateData(db.templateData()), migrate.AfterMigration(mark),
		// bun marks too, after the transaction: that has to find our mark and leave it.
		migrate.WithMarkAppliedOnSuccess(true), migrate.WithUpsert(true))
	if err := m.Init(ctx); err != nil {
		return fmt.Errorf("prepare migrations: %w", err)
	}
	unknown, err := m.MissingMigrations(ctx)
	if err != nil {
		return fmt.Errorf("read applied migrations: %w", err)
	}
	if len(unknown) > 0 {
		return domain.Invalid("database", "was changed by a newer version of Sluice; run that one").
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

// mark notes in a step's own transaction that the step is done.
func mark(ctx context.Context, tx bun.IConn, step *migrate.Migration) error {
	_, err := tx.ExecContext(ctx, "INSERT INTO bun_migrations (name, group_id) VALUES (?, ?)", step.Name, step.GroupID)
	return err
}

// templateData fills the templates: the types of the database, and the moment of the migration in ms UTC.
func (db *DB) templateData() map[string]string {
	data := db.engine.schemaTypes()
	data["Now"] = strconv.FormatInt(db.now(), 10)
	return data
}
