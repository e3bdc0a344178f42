//go:build integration

package main

import (
	"testing"

	"github.com/sluicehq/sluice/storage/storagetest"
)

// TestFirstFiveMinutesOnPostgres is the same story with the data in PostgreSQL.
func TestFirstFiveMinutesOnPostgres(t *testing.T) {
	firstFiveMinutes(t, "--database", storagetest.Postgres(t))
}

// TestLifeOfAUserOnPostgres are the same stories with the data in PostgreSQL.
func TestLifeOfAUserOnPostgres(t *testing.T) {
	lifeOfAUser(t, "--database", storagetest.Postgres(t))
}
