package storage_test

import (
	"context"
	"testing"
	"time"

	"github.com/sluicehq/sluice/kernel/domain"
	"github.com/sluicehq/sluice/storage"
	"github.com/sluicehq/sluice/storage/storagetest"
)

func TestAnswers(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, dsn string) {
		ctx := context.Background()
		clock := clockAt(noon)
		db := open(t, dsn, clock)
		none := domain.NotFound("answer not found")
		token := domain.Token{Name: "t", Hash: "h", AdminID: addAdmin(t, db, "root").ID}
		write(t, db, func(tx *storage.Tx) error { return tx.InsertToken(ctx, &token) })
		last := must(db.LastChange(ctx))(t)
		a := storage.Answer{Caller: token.ID, Route: "/add", Key: "it's ?", BodyHash: "b", Result: `{"a":"'"}`}
		save := func(a storage.Answer) {
			t.Helper()
			write(t, db, func(tx *storage.Tx) error { return tx.SaveAnswer(ctx, a) })
		}
		save(a)
		a.CreatedAt = noon
		equal(t, "saved", must(db.Answer(ctx, token.ID, "/add", "it's ?"))(t), a)
		for _, other := range []storage.Answer{
			{Caller: token.ID + 1, Route: a.Route, Key: a.Key},
			{Caller: token.ID, Route: "/ADD", Key: a.Key},
			{Caller: token.ID, Route: a.Route, Key: "it's"},
		} {
			_, err := db.Answer(ctx, other.Caller, other.Route, other.Key)
			fails(t, err, none)
		}

		clock.Advance(24 * time.Hour)
		equal(t, "after a day", must(db.Answer(ctx, token.ID, a.Route, a.Key))(t), a)
		clock.Advance(time.Millisecond)
		write(t, db, func(tx *storage.Tx) error { // not found harms nothing
			_, err := tx.Answer(ctx, token.ID, a.Route, a.Key)
			fails(t, err, none)
			return tx.SaveAnswer(ctx, storage.Answer{Caller: token.ID, Route: a.Route, Key: a.Key, Result: "new"})
		})
		equal(t, "another", must(db.Answer(ctx, token.ID, a.Route, a.Key))(t), storage.Answer{
			Caller: token.ID, Route: a.Route, Key: a.Key, Result: "new", CreatedAt: noon + day + 1,
		})
		equal(t, "last change", must(db.LastChange(ctx))(t), last)

		a.Caller, a.CreatedAt = -1, 0 // a session of the admin 1
		write(t, db, func(tx *storage.Tx) error { return tx.SaveAnswer(ctx, a) })
		equal(t, "of a session", must(db.Answer(ctx, -1, a.Route, a.Key))(t).Result, a.Result)
	})
}
