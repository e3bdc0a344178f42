package accounts

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/sluicehq/sluice/kernel/domain"
	"github.com/sluicehq/sluice/storage"
)

// How says how far a bulk request goes. The zero value changes what can be changed and reports the rest.
type How struct {
	Atomic bool  // nothing is changed if anything is skipped
	DryRun bool  // nothing is changed at all: the answer is what it would be
	There  bool  // of users named by ids, those who are there: one who was selected may be gone by then
	Once   *Once // nil = a request that is sent twice is two requests
}

// Once names a request, so that it happens once however often it is sent within 24 hours (decisions.md §2,
// Idempotency-Key).
type Once struct {
	Caller   int64  // of Principal.Caller: keys of different callers have nothing to do with each other
	Route    string // nor have those of different routes
	Key      string // as the caller chose it
	BodyHash string // of everything that was sent with it
}

// once runs do and stores result with what do writes. If that has been done already, result is what it was then, and do
// is not run.
func once[T any](ctx context.Context, tx *storage.Tx, o *Once, result *T, do func() error) error {
	if o == nil {
		return do()
	}
	answer, err := tx.Answer(ctx, o.Caller, o.Route, o.Key)
	switch {
	case domain.CodeOf(err) == domain.CodeNotFound:
	case err != nil:
		return err
	case answer.BodyHash != o.BodyHash:
		return domain.Conflict("idempotency_key", "was used for another request already")
	default:
		return json.Unmarshal([]byte(answer.Result), result)
	}
	if err := do(); err != nil {
		return err
	}
	text, err := json.Marshal(result)
	if err != nil {
		return err
	}
	return tx.SaveAnswer(ctx, storage.Answer{
		Caller: o.Caller, Route: o.Route, Key: o.Key, BodyHash: o.BodyHash, Result: string(text),
	})
}

// errTried ends the transaction of a dry run.
var errTried = errors.New("only tried")
