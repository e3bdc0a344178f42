package storage

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/gofrs/flock"
	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/sqlitedialect"
	_ "modernc.org/sqlite" // registers the driver "sqlite"

	"github.com/sluicehq/sluice/kernel/domain"
)

// sqlite is the embedded database, one file.
type sqlite struct{ path string }

var _ engine = sqlite{}

// What each connection is told first. busy_timeout comes before everything that could meet a lock of another process.
var (
	writerPragmas = []string{
		"busy_timeout(5000)", "journal_mode(WAL)", "foreign_keys(1)", "cache_size(-65536)", "temp_store(2)",
		"synchronous(FULL)",            // what was acknowledged survives a power loss, for 0.3 ms per commit
		"wal_autocheckpoint(4000)",     // pages: halves the time of bulk writes against 1000, for stalls of 0.1 s
		"journal_size_limit(67108864)", // bytes that the log shrinks back to
	}
	readerPragmas = []string{
		"busy_timeout(5000)", "query_only(1)", "temp_store(2)",
		"cache_size(-4096)", // KiB per reader: the upper pages of a million users; the system caches the rest
	}
)

// open makes a pool of one writer, so that writes of this process queue in Go, where a context can end the wait, and a
// pool of readers, which WAL lets go on meanwhile.
func (e sqlite) open() (write, read *bun.DB, err error) {
	if err := e.create(); err != nil {
		return nil, nil, err
	}
	if write, err = e.pool(1, writerPragmas, "&_txlock=immediate"); err != nil {
		return nil, nil, err
	}
	read, err = e.pool(max(2, runtime.GOMAXPROCS(0)), readerPragmas, "")
	return write, read, err
}

// create makes the file if there is none. It holds secrets, and SQLite would let the whole machine read it. A file that
// is there is not touched: closing it would drop the locks that this process has on it, such are POSIX locks.
func (e sqlite) create() error {
	file, err := os.OpenFile(e.path, os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return file.Close()
}

func (e sqlite) pool(size int, pragmas []string, more string) (*bun.DB, error) {
	path, err := filepath.Abs(e.path)
	if err != nil {
		return nil, err
	}
	name := (&url.URL{Scheme: "file", Path: filepath.ToSlash(path)}).String()
	db, err := sql.Open("sqlite", name+"?_pragma="+strings.Join(pragmas, "&_pragma=")+more)
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(size)
	db.SetMaxIdleConns(size)
	return bun.NewDB(db, sqlitedialect.New()), nil
}

// lockSchema locks a file beside the database. The lock dies with the process; the empty file stays, because removing
// it would let two processes lock two files of one name.
func (e sqlite) lockSchema(ctx context.Context, _ *bun.DB) (release func() error, err error) {
	lock := flock.New(e.path + ".lock")
	if _, err := lock.TryLockContext(ctx, 10*time.Millisecond); err != nil {
		return nil, fmt.Errorf("lock %s: %w", lock.Path(), err)
	}
	return lock.Unlock, nil
}

// schemaTypes: STRICT refuses values of the wrong type, AUTOINCREMENT never gives an id twice.
func (sqlite) schemaTypes() map[string]string {
	return map[string]string{
		"ID": "INTEGER PRIMARY KEY AUTOINCREMENT", "Int": "INTEGER", "Bool": "INTEGER", "Bytes": "BLOB",
		"Table": " STRICT", "Pairs": " STRICT, WITHOUT ROWID", "Hot": " STRICT",
	}
}

// lockWrites has nothing to do: every transaction of the writer is immediate, so it holds the lock of the file.
func (sqlite) lockWrites(context.Context, runner, bool) error { return nil }

const (
	addToUser = `UPDATE user_traffic SET up = up + $1, down = down + $2,
		lifetime_up = lifetime_up + $1, lifetime_down = lifetime_down + $2, online_at = max(online_at, $3)
		WHERE user_id = $4`
	addToHour = `INSERT INTO usage_hourly (hour, user_id, up, down) VALUES ($1, $2, $3, $4)
		ON CONFLICT DO UPDATE SET up = up + EXCLUDED.up, down = down + EXCLUDED.down`
)

// addTraffic runs prepared statements per user: the fastest of eight ways that were measured.
func (sqlite) addTraffic(ctx context.Context, tx runner, ds []domain.TrafficDelta) error {
	for _, d := range ds {
		res, err := tx.exec(ctx, addToUser, d.Up, d.Down, d.OnlineAt, d.UserID)
		if err != nil {
			return fmt.Errorf("user %d: %w", d.UserID, err)
		}
		if n, err := res.RowsAffected(); err != nil {
			return err
		} else if n == 0 || d.Up == 0 && d.Down == 0 { // gone, or online without a byte
			continue
		}
		if _, err := tx.exec(ctx, addToHour, hourOf(d.OnlineAt), d.UserID, d.Up, d.Down); err != nil {
			return fmt.Errorf("hour of user %d: %w", d.UserID, err)
		}
	}
	return nil
}

const lastID = "SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = $1"

// newIDs reads where AUTOINCREMENT is; rows that come with their ids move it on.
func (sqlite) newIDs(ctx context.Context, tx runner, table string, n int) ([]int64, error) {
	var last int64
	err := tx.row(ctx, lastID, table).Scan(&last)
	ids := make([]int64, n)
	for i := range ids {
		ids[i] = last + int64(i) + 1
	}
	return ids, err
}

// unnamed returns a row of parameters without numbers: the driver looks up the names of others, for a tenth of the time.
func unnamed(columns string) string { return "(?" + strings.Repeat(", ?", count(columns)-1) + ")" }

var insertUser = "INSERT INTO users (" + userColumns + ") VALUES " + unnamed(userColumns)

// insertUsers runs a prepared statement per user.
func (sqlite) insertUsers(ctx context.Context, tx *Tx, users []*domain.User) error {
	for _, u := range users {
		if _, err := tx.raw.exec(ctx, insertUser, userFields(u)...); err != nil {
			return err
		}
	}
	return nil
}

// The writes of updateUsers. The second does nothing for most users: it keeps an update of what time and traffic change
// from writing nine indexes, which cost ten times the rest.
var (
	updateFacts = fmt.Sprintf("UPDATE users SET (%s) = %s WHERE id = ?", userFacts, unnamed(userFacts))
	updateKeys  = fmt.Sprintf("UPDATE users SET (%s) = %s WHERE id = ? AND (%[1]s) <> %[2]s", userKeys, unnamed(userKeys))
)

// updateUsers runs two prepared statements per user.
func (sqlite) updateUsers(ctx context.Context, tx *Tx, users []*domain.User) (written int, err error) {
	keyCount, factCount := count(userKeys), count(userFacts)
	for _, u := range users {
		fields := userFields(u)
		id, keys, facts := fields[0], fields[1:1+keyCount], fields[1+keyCount:1+keyCount+factCount]
		if _, err := tx.raw.exec(ctx, updateKeys, slices.Concat(keys, []any{id}, keys)...); err != nil {
			return 0, err
		}
		res, err := tx.raw.exec(ctx, updateFacts, append(facts, id)...)
		if err != nil {
			return 0, err
		}
		n, err := res.RowsAffected()
		if err != nil {
			return 0, err
		}
		written += int(n)
	}
	return written, nil
}

// text says what an array is here: one of JSON. A parameter for each value makes the parsing cost as much as the search.
func (sqlite) text(query string) string {
	query = strings.ReplaceAll(query, isListed, "IN (SELECT value FROM json_each($1))")
	return strings.ReplaceAll(query, fromListed, "FROM json_each($1)")
}

// jsonArray goes to the database as what it is called.
type jsonArray struct{ values any }

// Value implements driver.Valuer.
func (a jsonArray) Value() (driver.Value, error) {
	text, err := json.Marshal(a.values)
	return string(text), err
}

func (sqlite) list(values any) any { return jsonArray{values} }

// prepares: 15 µs per read instead of 40.
func (sqlite) prepares() (pays bool, own []string) {
	return true, []string{addToUser, addToHour, lastID, insertUser, updateKeys, updateFacts}
}

// snapshot: a read transaction of WAL sees one state as it is.
func (sqlite) snapshot() *sql.TxOptions { return nil }
