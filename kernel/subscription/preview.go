package subscription

import (
	"context"
	"crypto/rand"
	"errors"

	"github.com/sluicehq/sluice/kernel/domain"
	"github.com/sluicehq/sluice/kernel/plugin"
	"github.com/sluicehq/sluice/sdk/wire"
)

// Previewed is a user's subscription as it is, and as another renderer would make it.
type Previewed struct {
	UserID               int64
	Username             string
	Now, Would           plugin.Rendered // empty where there is an error
	NowError, WouldError string          // one sentence, "" = none
}

// Preview renders the subscriptions of users, in their order, with what serves and with r. Both get exactly the same
// requests, so that what differs is the doing of r. Nothing is kept or noted. An unknown user is not_found.
func (s *Service) Preview(ctx context.Context, r Renderer, format string, userIDs []int64) ([]Previewed, error) {
	previews := make([]Previewed, len(userIDs))
	for i, id := range userIDs {
		user, err := s.DB.UserByID(ctx, id)
		if err != nil {
			return nil, err
		}
		p := Previewed{UserID: id, Username: user.Username}
		d, err := s.whole(ctx, &user)
		if err != nil {
			p.NowError, p.WouldError = sentence(err), sentence(err)
		} else {
			d.ID, d.Entropy = format, make([]byte, wire.EntropySize)
			_, _ = rand.Read(d.Entropy) // never fails
			p.Now, p.NowError = tried(s.Renderer.Render(ctx, &d.FormatRequest))
			p.Would, p.WouldError = tried(r.Render(ctx, &d.FormatRequest))
		}
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		previews[i] = p
	}
	return previews, nil
}

func tried(made plugin.Rendered, err error) (plugin.Rendered, string) {
	if err != nil {
		return plugin.Rendered{}, sentence(err)
	}
	return made, ""
}

// sentence is what may be shown of an error.
func sentence(err error) string {
	var known *domain.Error
	if errors.As(err, &known) {
		return known.Error()
	}
	return "something went wrong inside the server"
}
