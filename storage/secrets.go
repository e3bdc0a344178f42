package storage

import (
	"context"
	"database/sql"
	"errors"

	"github.com/sluicehq/sluice/kernel/domain"
)

var noSecret = domain.NotFound("secret not found")

// Secret returns a value that was made once and never leaves, such as a key that signs; none is not_found.
func (r *Reader) Secret(ctx context.Context, key string) (value string, err error) {
	err = r.raw.row(ctx, "SELECT value FROM secrets WHERE key = $1", key).Scan(&value)
	if errors.Is(err, sql.ErrNoRows) {
		err = noSecret.Because(err)
	}
	return value, fail(ctx, r.engine, "read secret", err)
}

// SetSecret stores a value under key if there is none, and returns the one that is stored then: of two who make one at
// the same time both get the first. It is no change.
func (tx *Tx) SetSecret(ctx context.Context, key, value string) (stored string, err error) {
	_, err = tx.raw.exec(ctx, "INSERT INTO secrets (key, value) VALUES ($1, $2) ON CONFLICT (key) DO NOTHING", key, value)
	if err != nil {
		return "", tx.fail(ctx, "store secret", err)
	}
	return tx.Secret(ctx, key)
}
