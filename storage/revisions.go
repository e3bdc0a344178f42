package storage

import (
	"context"
	"slices"

	"github.com/sluicehq/sluice/kernel/domain"
)

// EachRevision calls fn with the id and the revision of every user, in id order: the cheapest way to see what differs
// from a copy (0.5 µs per user).
func (r *Reader) EachRevision(ctx context.Context, fn func(id, revision int64)) error {
	var id, revision int64
	err := r.scan(ctx, []any{&id, &revision}, func() { fn(id, revision) }, "SELECT id, revision FROM users ORDER BY id")
	return fail(ctx, r.engine, "read revisions", err)
}

const reviseUsers = "UPDATE users SET revision = new.revision FROM new WHERE id = new.user_id"

// revise records changes of users and gives the users their revisions, but for those that had one in this transaction:
// it is in their rows. An unknown user is not_found.
func (tx *Tx) revise(ctx context.Context, users []int64) error {
	users = slices.DeleteFunc(slices.Clone(users), func(id int64) bool {
		_, written := tx.logged[row{domain.KindUser, id}]
		return written
	})
	if len(users) == 0 {
		return nil
	}
	if err := tx.recordAll(ctx, domain.KindUser, users); err != nil {
		return err
	}
	revisions := make([][]int64, len(users))
	for i, id := range users {
		revisions[i] = []int64{id, tx.logged[row{domain.KindUser, id}]}
	}
	res, err := tx.raw.exec(ctx,
		"WITH new (user_id, revision) AS (VALUES "+tuples(revisions)+") "+reviseUsers)
	return tx.wroteAll(ctx, domain.KindUser, len(users), res, err)
}

// setOf writes columns of the users that where selects, which are exactly users, and gives them revisions as revise
// does, at once whatever their number: from the log, to which nobody else adds meanwhile. The args are $2 and so on.
func (tx *Tx) setOf(ctx context.Context, users []int64, set, where string, args ...any) error {
	if len(users) == 0 {
		return nil
	}
	if err := tx.recordAll(ctx, domain.KindUser, users); err != nil {
		return err
	}
	first := tx.logged[row{domain.KindUser, users[0]}]
	for _, id := range users {
		first = min(first, tx.logged[row{domain.KindUser, id}])
	}
	res, err := tx.raw.exec(ctx, setOfUsers(set, where), append([]any{first}, args...)...)
	return tx.wroteAll(ctx, domain.KindUser, len(users), res, err)
}

func setOfUsers(set, where string) string {
	return "UPDATE users SET revision = c.seq, " + set + " FROM changes AS c " +
		"WHERE c.seq >= $1 AND c.kind = 'user' AND users.id = c.id AND users." + where
}
