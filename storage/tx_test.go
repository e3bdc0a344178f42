package storage_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/sluicehq/sluice/kernel/domain"
	"github.com/sluicehq/sluice/storage"
	"github.com/sluicehq/sluice/storage/storagetest"
)

func TestWriteSeesItselfAndOthersSeeTheCommit(t *testing.T) {
	each(t, func(t *testing.T, db *storage.DB) {
		ctx := context.Background()
		var in domain.Inbound
		write(t, db, func(tx *storage.Tx) error {
			in = domain.Inbound{Tag: "a"}
			if err := tx.InsertInbound(ctx, &in); err != nil {
				return err
			}
			equal(t, "inside", must(tx.Inbound(ctx, in.ID))(t), in)
			equal(t, "outside", must(db.Inbounds(ctx))(t), []domain.Inbound{})
			return nil
		})
		equal(t, "after", must(db.Inbounds(ctx))(t), []domain.Inbound{in})
	})
}

func TestWriteRollsBack(t *testing.T) {
	own := errors.New("own")
	insert := func(tx *storage.Tx, tag string) error {
		return tx.InsertInbound(context.Background(), &domain.Inbound{Tag: tag})
	}
	for name, test := range map[string]struct {
		fn   func(tx *storage.Tx, cancel func()) error
		want func(t *testing.T, err error)
	}{
		"on an error, returned as it is": {
			func(tx *storage.Tx, _ func()) error { return errors.Join(insert(tx, "new"), own) },
			func(t *testing.T, err error) { equal(t, "is own", errors.Is(err, own), true) },
		},
		"on a failed write whose error was dropped": {
			func(tx *storage.Tx, _ func()) error {
				_ = insert(tx, "taken")
				_ = insert(tx, "new")
				return nil
			},
			func(t *testing.T, err error) {
				fails(t, err, domain.Conflict("tag", "is already in use"))
			},
		},
		"on a missing row whose error was dropped": {
			func(tx *storage.Tx, _ func()) error {
				_ = tx.DeleteUser(context.Background(), 99)
				return insert(tx, "new")
			},
			func(t *testing.T, err error) { fails(t, err, domain.NotFound("client not found")) },
		},
		"when its context ends": {
			func(tx *storage.Tx, cancel func()) error {
				err := insert(tx, "new")
				cancel()
				return err
			},
			func(t *testing.T, err error) { equal(t, "is cancelled", errors.Is(err, context.Canceled), true) },
		},
	} {
		t.Run(name, func(t *testing.T) {
			each(t, func(t *testing.T, db *storage.DB) {
				taken := addInbound(t, db, "taken")
				ctx, cancel := context.WithCancel(context.Background())
				defer cancel()
				test.want(t, db.Write(ctx, func(tx *storage.Tx) error { return test.fn(tx, cancel) }))
				equal(t, "inbounds", must(db.Inbounds(context.Background()))(t), []domain.Inbound{taken})
				equal(t, "last change", must(db.LastChange(context.Background()))(t), taken.Revision)
				addInbound(t, db, "next") // the writer is free
			})
		})
	}
}

func TestWriteRollsBackOnPanic(t *testing.T) {
	each(t, func(t *testing.T, db *storage.DB) {
		func() {
			defer func() { equal(t, "panic", recover(), "boom") }()
			_ = db.Write(context.Background(), func(tx *storage.Tx) error {
				if err := tx.InsertInbound(context.Background(), &domain.Inbound{Tag: "a"}); err != nil {
					t.Error(err)
				}
				panic("boom")
			})
		}()
		equal(t, "inbounds", must(db.Inbounds(context.Background()))(t), []domain.Inbound{})
		addInbound(t, db, "a")
	})
}

// A read that finds nothing is an answer, not a failure.
func TestWriteGoesOnAfterNotFound(t *testing.T) {
	each(t, func(t *testing.T, db *storage.DB) {
		ctx := context.Background()
		in := domain.Inbound{Tag: "a"}
		write(t, db, func(tx *storage.Tx) error {
			_, err := tx.UserByName(ctx, "nobody")
			fails(t, err, domain.NotFound("client not found"))
			return tx.InsertInbound(ctx, &in)
		})
		equal(t, "inbounds", must(db.Inbounds(ctx))(t), []domain.Inbound{in})
	})
}

// Two processes add to one number by reading and writing it: no addition may be lost.
func TestReadThenWriteLosesNothing(t *testing.T) {
	const rounds = 20
	storagetest.Each(t, func(t *testing.T, dsn string) {
		ctx := context.Background()
		dbs := processes(t, dsn, 2)
		in := addInbound(t, dbs[0], "a")
		var wg sync.WaitGroup
		for _, db := range dbs {
			wg.Go(func() {
				for range rounds {
					err := db.Write(ctx, func(tx *storage.Tx) error {
						now, err := tx.Inbound(ctx, in.ID)
						if err != nil {
							return err
						}
						now.Port++
						return tx.UpdateInbound(ctx, &now)
					})
					if err != nil {
						t.Error(err)
					}
				}
			})
		}
		wg.Wait()
		equal(t, "port", must(dbs[0].Inbound(ctx, in.ID))(t).Port, in.Port+2*rounds)
	})
}

// While one goroutine writes, others read without an error and see whole transactions only.
func TestReadsBesideWrites(t *testing.T) {
	const rounds, readers = 100, 3
	each(t, func(t *testing.T, db *storage.DB) {
		ctx := context.Background()
		u := addUser(t, db, addAdmin(t, db, "root").ID, "u")
		done := make(chan struct{})
		var wg sync.WaitGroup
		for range readers {
			wg.Go(func() {
				for running := true; running; {
					select {
					case <-done:
						running = false
					default:
					}
					now, err := db.UserBySubID(ctx, u.SubID)
					if err != nil {
						t.Error(err)
					}
					if now.Note != "" && now.Note != fmt.Sprint("at ", now.LimitIP) {
						t.Errorf("half a write: %q with limit %d", now.Note, now.LimitIP)
					}
				}
			})
		}
		for i := range rounds {
			u.LimitIP, u.Note = i, fmt.Sprint("at ", i)
			write(t, db, func(tx *storage.Tx) error { return tx.UpdateUser(ctx, &u) })
		}
		close(done)
		wg.Wait()
	})
}
