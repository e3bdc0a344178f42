package xui

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"

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
		r.once.Caller = who.Caller()
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
	Atomic flag `query:"atomic" doc:"1 = change nothing if anything would be skipped"`
	DryRun flag `query:"dryRun" doc:"1 = answer and change nothing"`
}

// Resolve reads the wishes from the URL itself: one without a value would be no wish to huma, and be carried out.
func (b *Bulk) Resolve(ctx huma.Context) []error {
	var faults []error
	url := ctx.URL()
	given := url.Query()
	for i, to := range []*flag{&b.Atomic, &b.DryRun} {
		values, there := given[forBulkOnly[i]]
		if !there {
			continue
		}
		on, known := flagWords[values[0]]
		if *to = flag(on); !known || len(values) > 1 {
			faults = append(faults, &huma.ErrorDetail{Location: "query." + forBulkOnly[i], Message: "must be 0 or 1, once"})
		}
	}
	return append(faults, b.Repeatable.Resolve(ctx)...)
}

func (b *Bulk) how() accounts.How {
	return accounts.How{Atomic: bool(b.Atomic), DryRun: bool(b.DryRun), Once: b.once}
}

// flag is a boolean that may also be 0 or 1, as 3x-ui has them.
type flag bool

// flagWords are what a flag of a URL can be; its name alone switches it on.
var flagWords = map[string]bool{"": true, "1": true, "true": true, "0": false, "false": false}

// Schema lets UnmarshalJSON decide.
func (flag) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Description: "true or false, also as 1 or 0"}
}

// UnmarshalJSON takes the numbers too; null is false.
func (f *flag) UnmarshalJSON(data []byte) error {
	on, known := flagWords[string(data)]
	if *f = flag(on); !known && string(data) != "null" {
		return errors.New("keepTraffic must be true or false, or 1 or 0")
	}
	return nil
}

// forBulkOnly are the wishes of a Bulk, in its order: other routes would not heed them.
var forBulkOnly = []string{"atomic", "dryRun"}

// unheeded refuses a request that wishes what its route does not do: whoever only tries must not change anything.
func unheeded(api huma.API) func(huma.Context, func(huma.Context)) {
	return func(ctx huma.Context, next func(huma.Context)) {
		url := ctx.URL()
		given := url.Query()
		for _, name := range forBulkOnly {
			if given.Has(name) {
				_ = huma.WriteErr(api, ctx, http.StatusOK, "", // the writer's error is the connection's
					&huma.ErrorDetail{Location: "query." + name, Message: "is for bulk routes only"})
				return
			}
		}
		next(ctx)
	}
}
