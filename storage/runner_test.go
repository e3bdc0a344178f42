package storage_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/sluicehq/sluice/kernel/domain"
	"github.com/sluicehq/sluice/storage"
	"github.com/sluicehq/sluice/storage/storagetest"
)

// What is hot is prepared on SQLite, on the pools that run it, and nothing is where that does not pay.
func TestPrepared(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, dsn string) {
		db := open(t, dsn, nil)
		wantRead, wantWrite := storage.HotTexts()
		if strings.HasPrefix(dsn, "postgres://") {
			wantRead, wantWrite = nil, nil
		}
		read, write := db.Prepared()
		for _, texts := range [][]string{read, write, wantRead, wantWrite} {
			slices.Sort(texts)
		}
		equal(t, "on the readers", read, wantRead)
		equal(t, "on the writer", write, wantWrite)
	})
}

// A transaction takes each statement once, of those that the writer keeps.
func TestPreparedInTransaction(t *testing.T) {
	db := storagetest.SQLite(t)
	write(t, db, func(tx *storage.Tx) error {
		first, again := tx.Statement(storage.DeleteUsersText), tx.Statement(storage.DeleteUsersText)
		if first == nil || first != again {
			t.Errorf("got %p, then %p", first, again)
		}
		if other := tx.Statement("SELECT 1"); other != nil {
			t.Error("a text that is not hot is prepared")
		}
		return nil
	})
}

// A statement that failed, or that a rollback ended, works in the next transaction, with nothing left of its parameters.
func TestPreparedAfterFailure(t *testing.T) {
	each(t, func(t *testing.T, db *storage.DB) {
		ctx := context.Background()
		admin, in := addAdmin(t, db, "root").ID, addInbound(t, db, "a").ID
		first := addUser(t, db, admin, "first", in)
		taken, undone := newUser(admin, "other"), errors.New("undone")
		taken.Username = "First"
		for range 3 {
			err := db.Write(ctx, func(tx *storage.Tx) error { return tx.InsertUser(ctx, &taken, []int64{in}) })
			fails(t, err, domain.Conflict("username_key", "is already in use"))
			err = db.Write(ctx, func(tx *storage.Tx) error {
				u := newUser(admin, "second")
				if err := tx.InsertUser(ctx, &u, []int64{in}); err != nil {
					return err
				}
				return undone
			})
			equal(t, "error", err, undone)
		}
		second := addUser(t, db, admin, "second", in)
		equal(t, "accounts", must(db.Accounts(ctx, []int64{first.ID, second.ID}))(t), []domain.Account{
			{User: first, Traffic: domain.Traffic{UserID: first.ID}, Inbounds: []int64{in}, Direct: []int64{in}, Groups: []int64{}},
			{User: second, Traffic: domain.Traffic{UserID: second.ID}, Inbounds: []int64{in}, Direct: []int64{in}, Groups: []int64{}},
		})
	})
}

// A change of the schema while statements are kept is noticed by them.
func TestPreparedBeforeSchemaChange(t *testing.T) {
	ctx := context.Background()
	db := storagetest.SQLite(t)
	admin := addAdmin(t, db, "root").ID
	addUser(t, db, admin, "before")
	for _, query := range []string{
		"CREATE TABLE dropped (id INTEGER)",
		"CREATE TRIGGER noted AFTER INSERT ON users BEGIN INSERT INTO dropped (id) VALUES (new.id); END",
	} {
		if err := db.ExecOnWriter(ctx, query); err != nil {
			t.Fatal(err)
		}
	}
	after := addUser(t, db, admin, "after")
	equal(t, "noted", must(db.Count(ctx, "SELECT id FROM dropped"))(t), after.ID)
	equal(t, "read", must(db.UserByName(ctx, "after"))(t), after)
}

func TestCloseEndsStatements(t *testing.T) {
	db := storagetest.SQLite(t)
	statements := db.Statements()
	if len(statements) == 0 {
		t.Fatal("nothing is prepared")
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	for _, statement := range statements {
		if _, err := statement.Exec(); err == nil || err.Error() != "sql: statement is closed" {
			t.Errorf("got %v", err)
		}
	}
}
