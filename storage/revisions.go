package storage

import "context"

// EachRevision calls fn with the id and the revision of every user, in id order: the cheapest way to see what differs
// from a copy (0.5 µs per user).
func (r *Reader) EachRevision(ctx context.Context, fn func(id, revision int64)) error {
	var id, revision int64
	err := r.scan(ctx, []any{&id, &revision}, func() { fn(id, revision) }, "SELECT id, revision FROM users ORDER BY id")
	return fail(ctx, r.engine, "read revisions", err)
}
