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

	m, err := db.migrator(files)
	if err != nil {
		return err
	}
	if err := m.Init(ctx); err != nil {
		return fmt.Errorf("prepare migrations: %w", err)
	}
	if err := refuseNewer(ctx, m); err != nil {
		return err
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

// current returns nil if the schema is what the steps in files make, without a write.
func (db *DB) current(ctx context.Context, files fs.FS) error {
	m, err := db.migrator(files)
	if err != nil {
		return err
	}
	if err := refuseNewer(ctx, m); err != nil {
		return err
	}
	steps, err := m.MigrationsWithStatus(ctx)
	if err != nil {
		return fmt.Errorf("read applied migrations: %w", err)
	}
	if missing := steps.Unapplied(); len(missing) > 0 {
		return domain.Invalid("database", "is of an older version of Sluice; start this version on it first").
			Because(fmt.Errorf("missing migrations: %s", missing))
	}
	return nil
}

func (db *DB) migrator(files fs.FS) (*migrate.Migrator, error) {
	steps := migrate.NewMigrations()
	if err := steps.Discover(files); err != nil {
		return nil, fmt.Errorf("read migrations: %w", err)
	}
	// A bun.DB of its own, because bun remembers the models that it has seen.
	return migrate.NewMigrator(bun.NewDB(db.write.DB, db.write.Dialect()), steps,
		migrate.WithTemplateData(db.templateData()), migrate.AfterMigration(mark),
		// bun marks too, after the transaction: that has to find our mark and leave it.
		migrate.WithMarkAppliedOnSuccess(true), migrate.WithUpsert(true)), nil
}

// refuseNewer refuses a schema with steps that this version does not know.
func refuseNewer(ctx context.Context, m *migrate.Migrator) error {
	unknown, err := m.MissingMigrations(ctx)
	if err != nil {
		return fmt.Errorf("read applied migrations: %w", err)
	}
	if len(unknown) > 0 {
		return domain.Invalid("database", "was changed by a newer version of Sluice; run that one").
			Because(fmt.Errorf("unknown migrations: %s", unknown))
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
