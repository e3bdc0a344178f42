package storage

import (
	"context"
	"database/sql"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/uptrace/bun"

	"github.com/sluicehq/sluice/kernel/domain"
)

// engine is everything in which the two databases differ.
type engine interface {
	// open makes both pools without using them yet.
	open() (write, read *bun.DB, err error)
	// lockSchema keeps every other Open of the same database waiting until release; a process that dies releases too.
	lockSchema(ctx context.Context, read *bun.DB) (release func() error, err error)
	// schemaTypes fills the templates in migrations.
	schemaTypes() map[string]string
	// text says a query of ours in this database's words: see runner.
	text(query string) string
	// list makes values, []int64 or []string, an argument for a query that asks for a list.
	list(values any) any
	// prepares says whether a prepared statement is cheaper than its text, and then which texts of its own are hot.
	prepares() (pays bool, own []string)
	// lockWrites makes tx the only writer among all processes, or, shared, one of many that only add traffic.
	lockWrites(ctx context.Context, tx runner, shared bool) error
	// addTraffic adds deltas, in id order with one delta per user, to the users' counters and to usage_hourly.
	addTraffic(ctx context.Context, tx runner, ds []domain.TrafficDelta) error
	// newIDs draws n ids for new rows of a table, ascending. No other row ever gets them.
	newIDs(ctx context.Context, tx runner, table string, n int) ([]int64, error)
	// insertUsers writes whole rows of users, which have their ids.
	insertUsers(ctx context.Context, tx *Tx, users []*domain.User) error
	// updateUsers writes userKeys and userFacts of users and returns how many of them were there.
	updateUsers(ctx context.Context, tx *Tx, users []*domain.User) (int, error)
	// snapshot are the options of a read transaction in which all statements see one state.
	snapshot() *sql.TxOptions
	// classify says what kind of failure a driver's error is, and for classUnique on which "table.column".
	classify(err error) (class, string)
}

// engineFor says which database a DSN names.
func engineFor(dsn string) (engine, error) {
	scheme, _, isURL := strings.Cut(dsn, "://")
	switch {
	case dsn == "":
		return nil, domain.Invalid("database", "the database is empty: give a file path or postgres://...")
	case !isURL:
		return sqlite{path: dsn}, nil
	case scheme == "postgres", scheme == "postgresql":
		config, err := pgx.ParseConfig(dsn)
		if err != nil {
			return nil, domain.Invalid("database", "the database URL can not be read").Because(err)
		}
		// bun writes values into the text, so no text comes twice: caching statements by text, the default, costs 2x.
		config.DefaultQueryExecMode = pgx.QueryExecModeExec
		return postgres{config: config}, nil
	}
	return nil, domain.Invalid("database", "the database must be a file path or postgres://...")
}
