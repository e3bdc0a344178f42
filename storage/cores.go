package storage

import (
	"context"
	"database/sql"
	"errors"

	"github.com/sluicehq/sluice/kernel/domain"
)

// CoreConfig returns the base configuration of the core and the revision that saved it: "" and 0 if none ever was.
func (r *Reader) CoreConfig(ctx context.Context) (json string, revision int64, err error) {
	err = r.raw.row(ctx, "SELECT config, revision FROM cores WHERE id = 1").Scan(&json, &revision)
	if errors.Is(err, sql.ErrNoRows) {
		return "", 0, nil
	}
	return json, revision, fail(ctx, r.engine, "read core configuration", err)
}

// SaveCoreConfig replaces the base configuration of the core and returns its revision. It does not look into it.
func (tx *Tx) SaveCoreConfig(ctx context.Context, json string) (revision int64, err error) {
	if revision, err = tx.record(ctx, domain.KindCore, 0); err != nil {
		return 0, err
	}
	_, err = tx.raw.exec(ctx, "INSERT INTO cores (id, config, revision) VALUES (1, $1, $2) "+
		"ON CONFLICT (id) DO UPDATE SET config = EXCLUDED.config, revision = EXCLUDED.revision", json, revision)
	return revision, tx.fail(ctx, "save core configuration", err)
}
