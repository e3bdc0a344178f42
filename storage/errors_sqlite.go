package storage

import (
	"errors"
	"io/fs"
	"strings"

	driver "modernc.org/sqlite"
	codes "modernc.org/sqlite/lib"
)

// classify reads SQLite's result code, the extended one where it says more.
func (sqlite) classify(err error) (class, string) {
	var e *driver.Error
	if !errors.As(err, &e) {
		if errors.As(err, new(*fs.PathError)) {
			return classUnreachable, ""
		}
		return classOther, ""
	}
	switch e.Code() {
	case codes.SQLITE_CONSTRAINT_UNIQUE, codes.SQLITE_CONSTRAINT_PRIMARYKEY:
		return classUnique, collided(e.Error())
	case codes.SQLITE_CONSTRAINT_FOREIGNKEY:
		return classReference, ""
	}
	switch e.Code() & 0xff {
	case codes.SQLITE_BUSY, codes.SQLITE_LOCKED:
		return classBusy, ""
	case codes.SQLITE_FULL:
		return classFull, ""
	case codes.SQLITE_READONLY, codes.SQLITE_PERM:
		return classReadOnly, ""
	case codes.SQLITE_CORRUPT, codes.SQLITE_NOTADB:
		return classDamaged, ""
	case codes.SQLITE_CANTOPEN, codes.SQLITE_IOERR:
		return classUnreachable, ""
	}
	return classOther, ""
}

// collided finds "table.column" in "constraint failed: UNIQUE constraint failed: table.column (2067)", the only place
// where SQLite says it. Of an index over an expression it says "index 'table_column_unique'" instead.
func collided(message string) string {
	_, column, _ := strings.Cut(message, "UNIQUE constraint failed: ")
	if index, ok := strings.CutPrefix(column, "index '"); ok {
		index, _, _ = strings.Cut(index, "_unique'")
		return strings.Replace(index, "_", ".", 1)
	}
	column, _, _ = strings.Cut(column, " ")
	return column
}
