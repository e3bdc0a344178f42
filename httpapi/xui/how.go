package xui

import (
	"crypto/sha256"
	"encoding/hex"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humafiber"

	"github.com/sluicehq/sluice/httpapi/auth"
	"github.com/sluicehq/sluice/kernel/accounts"
)

// Repeatable is a request that may be sent again after its answer was lost.
type Repeatable struct {
	Key  string `header:"Idempotency-Key" maxLength:"255" doc:"sent again with the same key within 24 hours, the request gets the same answer and changes nothing"`
	once *accounts.Once
}

// Resolve names the request: its token, its route and its key, with a digest of all that was sent.
func (r *Repeatable) Resolve(ctx huma.Context) []error {
	if r.Key == "" {
		return nil
	}
	c := humafiber.Unwrap(ctx)
	r.once = &accounts.Once{
		Route: ctx.Operation().Path, Key: digest([]byte(r.Key)), // a header may hold bytes that a database does not take
		BodyHash: digest([]byte(c.OriginalURL()), []byte{0}, c.Body()),
	}
	if who, ok := auth.From(ctx.Context()); ok {
		r.once.TokenID = who.Token.ID
	}
	return nil
}

func digest(parts ...[]byte) string {
	hash := sha256.New()
	for _, part := range parts {
		_, _ = hash.Write(part) // never fails
	}
	return hex.EncodeToString(hash.Sum(nil))
}

// Bulk is a request about many clients.
type Bulk struct {
	Repeatable
	Atomic bool `query:"atomic" doc:"1 = change nothing if anything would be skipped"`
	DryRun bool `query:"dryRun" doc:"1 = answer and change nothing"`
}

func (b *Bulk) how() accounts.How {
	return accounts.How{Atomic: b.Atomic, DryRun: b.DryRun, Once: b.once}
}
