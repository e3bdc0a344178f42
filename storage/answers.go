package storage

import (
	"cmp"
	"context"

	"github.com/sluicehq/sluice/kernel/domain"
)

// answerAge is how long an answer is remembered. Source: decisions.md §2, Idempotency-Key.
const answerAge = day

// Answer is what a request with an Idempotency-Key was answered: the same request again gets it again.
type Answer struct {
	Caller    int64 // id of a token, or below 0 that of an admin without one
	Route     string
	Key       string // the client's; Route and Key have at most 2,000 bytes together
	BodyHash  string // of the request, to tell another one with the same key
	Result    string
	CreatedAt int64 // ms UTC
}

var noAnswer = domain.NotFound("answer not found")

// Answer returns the answer to a request; none, or one that is older than 24 hours, is not_found.
func (r *Reader) Answer(ctx context.Context, caller int64, route, key string) (Answer, error) {
	a := Answer{Caller: caller, Route: route, Key: key}
	oldest := r.clock.Now().Add(-answerAge).UnixMilli()
	found := false
	err := r.scan(ctx, []any{&a.BodyHash, &a.Result, &a.CreatedAt}, func() { found = true },
		"SELECT body_hash, result, created_at FROM answers "+
			"WHERE caller = $1 AND route = $2 AND key = $3 AND created_at >= $4", caller, route, key, oldest)
	if err == nil && !found {
		err = noAnswer
	}
	return a, fail(ctx, r.engine, "read answer", err)
}

// SaveAnswer stores an answer in place of an older one to the same key. It fills no field but stores the present where
// CreatedAt is 0. It is no change.
func (tx *Tx) SaveAnswer(ctx context.Context, a Answer) error {
	_, err := tx.raw.exec(ctx,
		"INSERT INTO answers (caller, route, key, body_hash, result, created_at) VALUES ($1, $2, $3, $4, $5, $6) "+
			"ON CONFLICT (caller, route, key) DO UPDATE SET "+
			"body_hash = EXCLUDED.body_hash, result = EXCLUDED.result, created_at = EXCLUDED.created_at",
		a.Caller, a.Route, a.Key, a.BodyHash, a.Result, cmp.Or(a.CreatedAt, tx.now))
	return tx.fail(ctx, "save answer", err)
}
