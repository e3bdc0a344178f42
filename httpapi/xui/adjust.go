package xui

import (
	"context"
	"fmt"
	"strings"

	"github.com/sluicehq/sluice/kernel/accounts"
	"github.com/sluicehq/sluice/kernel/domain"
)

// maxBulk is how many items a bulk request may have.
const maxBulk = 5000

type bulkAdjustRequest struct {
	Body struct {
		Emails   []string `json:"emails"`
		AddDays  int64    `json:"addDays" doc:"to the expiry, or to what a client on hold will get; negative takes away"`
		AddBytes int64    `json:"addBytes" doc:"to the quota; negative takes away"`
		Flow     string   `json:"flow" doc:"empty = as it is, none = cleared, or xtls-rprx-vision"`
	}
}

type adjusted struct {
	Adjusted int       `json:"adjusted" doc:"clients of which something was changed"`
	Skipped  []skipped `json:"skipped" doc:"what was not done, with every reason"`
}

// skipped says why something of a bulk request was not done.
type skipped struct {
	Email  string `json:"email"`
	Reason string `json:"reason"`
}

func (r routes) bulkAdjust(ctx context.Context, in *bulkAdjustRequest) (adjusted, string, error) {
	emails, err := bulkEmails(in.Body.Emails)
	if err != nil || len(emails) == 0 {
		return adjusted{Skipped: []skipped{}}, "", err
	}
	adjustment := accounts.Adjustment{Days: in.Body.AddDays, Bytes: in.Body.AddBytes}
	switch flow := in.Body.Flow; flow {
	case "":
	case "none":
		adjustment.Flow = new(string)
	default:
		adjustment.Flow = &flow
	}
	n, skips, err := r.Accounts.BulkAdjust(ctx, emails, adjustment)
	if err != nil {
		return adjusted{}, "", err
	}
	out := adjusted{Adjusted: n, Skipped: []skipped{}}
	for _, s := range skips {
		out.Skipped = append(out.Skipped, skipped{s.Username, s.Reason})
	}
	return out, "", nil
}

// bulkEmails returns the names of a bulk request without spaces around them and each once, in the order of the request.
func bulkEmails(given []string) ([]string, error) {
	if len(given) > maxBulk {
		return nil, domain.Invalid("emails", fmt.Sprintf("has %d items, at most %d are allowed", len(given), maxBulk))
	}
	emails := make([]string, 0, len(given))
	seen := map[string]bool{}
	for _, email := range given {
		email = strings.TrimSpace(email)
		if key := domain.NameKey(email); !seen[key] {
			seen[key] = true
			emails = append(emails, email)
		}
	}
	return emails, nil
}
