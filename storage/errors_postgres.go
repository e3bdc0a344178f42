package storage

import (
	"errors"
	"net"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
)

// classify reads PostgreSQL's SQLSTATE; the first two characters are its class.
func (postgres) classify(err error) (class, string) {
	var e *pgconn.PgError
	if !errors.As(err, &e) {
		if errors.As(err, new(*pgconn.ConnectError)) || errors.As(err, new(net.Error)) {
			return classUnreachable, ""
		}
		return classOther, ""
	}
	switch e.Code {
	case "23505": // unique_violation
		return classUnique, columnOf(e)
	case "23503": // foreign_key_violation
		return classReference, ""
	case "22021", "22P05": // character_not_in_repertoire, untranslatable_character
		return classText, ""
	case "40001", "40P01", "55P03": // serialization_failure, deadlock_detected, lock_not_available
		return classBusy, ""
	case "53100": // disk_full
		return classFull, ""
	case "25006": // read_only_sql_transaction
		return classReadOnly, ""
	}
	switch e.Code[:min(2, len(e.Code))] {
	case "08", "53", "57", "58": // connection, resources, operator intervention, system
		return classUnreachable, ""
	case "XX": // internal_error, data_corrupted
		return classDamaged, ""
	}
	return classOther, ""
}

// columnOf finds "table.column" in the name of the index, which the migrations call table_column_unique.
func columnOf(e *pgconn.PgError) string {
	column := strings.TrimPrefix(e.ConstraintName, e.TableName+"_")
	return e.TableName + "." + strings.TrimSuffix(column, "_unique")
}
