package install

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/aymanbagabas/go-udiff"

	"github.com/sluicehq/sluice/kernel/domain"
	"github.com/sluicehq/sluice/kernel/period"
	"github.com/sluicehq/sluice/kernel/plugin"
	"github.com/sluicehq/sluice/kernel/subscription"
	"github.com/sluicehq/sluice/kernel/username"
	"github.com/sluicehq/sluice/sdk/wire"
)

// PreviewUsers is how many users a preview shows at most, and previewNames how many names.
const (
	PreviewUsers = 20
	previewNames = 5
)

// Previews are what a preview is made of.
type Previews interface {
	// Sample returns the users of those names, or the first n when there are none.
	Sample(ctx context.Context, names []string, n int) ([]domain.User, error)
	// Render makes a subscription of each of the users as it is now and as r would make it.
	Render(ctx context.Context, r subscription.Renderer, format string, userIDs []int64) ([]subscription.Previewed, error)
	Settings(ctx context.Context) (domain.Settings, error)
}

// PreviewRequest says what to preview. The zero value is the plugin's file as it is, for the first three users.
type PreviewRequest struct {
	Wasm     []byte   // another version, nil = the file in the folder
	Settings *string  // other settings, nil = those that it has
	Users    []string // names, empty = the first Count
	Count    int      // 0 = 3, at most PreviewUsers
}

// Preview is what one item of a plugin would change.
type Preview struct {
	Kind, ID string
	Samples  []Sample // nil for events: they are not sent for a trial
}

// Sample is what one user, or one request, gets now and would get. An error stands in the place of what there is none of.
type Sample struct {
	User       string // "" = of nobody: names
	Now, Would string // as text; of base64 what is in it
	Diff       string // unified, "" = the same
	NowError   string // why there is nothing now: such as that no plugin provides it
	WouldError string
}

// Preview builds a plugin beside the running ones, publishes nothing, and says what it would change.
func (s *Service) Preview(ctx context.Context, name string, r PreviewRequest) ([]Preview, error) {
	info, err := s.Find(name)
	if err != nil && r.Wasm == nil {
		return nil, err
	}
	if info.Builtin {
		return nil, domain.Invalid("name", "is the built-in plugin, which serves already")
	}
	if r.Wasm == nil {
		if r.Wasm, err = readPlugin(filepath.Join(s.Dir, info.File)); err != nil {
			return nil, domain.Unavailable("the plugin's file can not be read").Because(err)
		}
	}
	policy := s.Policy(name)
	policy.Disabled = false
	if r.Settings != nil {
		policy.Settings = *r.Settings
	}
	trial, err := s.Host.Trial(ctx, name+suffix, r.Wasm, func(string) domain.PluginPolicy { return policy })
	if err != nil {
		return nil, err
	}
	previews, err := s.compare(ctx, trial, r)
	return previews, errors.Join(err, trial.Close(context.WithoutCancel(ctx)))
}

func (s *Service) compare(ctx context.Context, trial *plugin.Trial, r PreviewRequest) ([]Preview, error) {
	if r.Count == 0 {
		r.Count = 3
	}
	users, err := s.Previews.Sample(ctx, r.Users, r.Count)
	if err != nil {
		return nil, err
	}
	var previews []Preview
	for _, item := range trial.Info().Provides {
		p := Preview{Kind: item.Kind, ID: item.ID}
		switch item.Kind {
		case wire.KindFormat:
			p.Samples, err = s.compareFormat(ctx, trial, item.ID, users)
		case wire.KindPeriod:
			p.Samples, err = s.comparePeriod(ctx, trial, item.ID, users)
		case wire.KindUsername:
			p.Samples = s.compareNames(ctx, trial, &item)
		}
		if err != nil {
			return nil, err
		}
		previews = append(previews, p)
	}
	return previews, nil
}

func (s *Service) compareFormat(ctx context.Context, trial *plugin.Trial, id string, users []domain.User) ([]Sample, error) {
	ids := make([]int64, len(users))
	for i := range users {
		ids[i] = users[i].ID
	}
	rendered, err := s.Previews.Render(ctx, trial, id, ids)
	if err != nil {
		return nil, err
	}
	samples := make([]Sample, len(rendered))
	for i, r := range rendered {
		samples[i] = newSample(r.Username, readable(r.Now.Body), r.NowError, readable(r.Would.Body), r.WouldError)
	}
	return samples, nil
}

// comparePeriod asks for the next reset of each user, with its parameters if it has this policy.
func (s *Service) comparePeriod(ctx context.Context, trial *plugin.Trial, id string, users []domain.User) ([]Sample, error) {
	settings, err := s.Previews.Settings(ctx)
	if err != nil {
		return nil, err
	}
	live, next := period.New(s.Host), period.New(trial)
	samples := make([]Sample, len(users))
	for i, u := range users {
		q := period.Question{ID: id, Anchor: u.CreatedAt, Now: s.Clock.Now().UnixMilli(), TimeZone: settings.TimeZone}
		if u.ResetPolicy == id {
			q.Params = u.ResetParams
		}
		is, isError := boundary(live.Next(ctx, q))
		would, wouldError := boundary(next.Next(ctx, q))
		samples[i] = newSample(u.Username, is, isError, would, wouldError)
	}
	return samples, nil
}

func boundary(next int64, never bool, err error) (text, problem string) {
	switch {
	case err != nil:
		return "", err.Error()
	case never:
		return "never\n", ""
	}
	return time.UnixMilli(next).UTC().Format(time.RFC3339) + "\n", ""
}

// compareNames makes a few names with the same wish.
func (s *Service) compareNames(ctx context.Context, trial *plugin.Trial, item *wire.Item) []Sample {
	r := username.Request{Strategy: item.ID, Count: previewNames}
	if item.Base == wire.BaseRequired {
		r.Base = "user"
	}
	free := func(context.Context, []string) (map[string]bool, error) { return nil, nil }
	names := func(of username.Strategies) (text, problem string) {
		made, err := username.New(of).Generate(ctx, r, free)
		if err != nil {
			return "", err.Error()
		}
		return strings.Join(made.Names, "\n") + "\n", ""
	}
	is, isError := names(s.Host)
	would, wouldError := names(trial)
	return []Sample{newSample("", is, isError, would, wouldError)}
}

func newSample(user, now, nowError, would, wouldError string) Sample {
	return Sample{
		User: user, Now: now, Would: would, NowError: nowError, WouldError: wouldError, Diff: udiff.Unified("now", "would", now, would),
	}
}

// maxShown is how much of a body a preview shows, in bytes: more than a person reads, and what a hostile plugin makes of
// many users still fits into memory.
const maxShown = 256 << 10

// readable is a body as a person compares it: base64 is decoded, what is no text is not shown.
func readable(body []byte) string {
	if plain, err := base64.StdEncoding.DecodeString(string(bytes.TrimSpace(body))); err == nil && utf8.Valid(plain) {
		body = plain
	}
	if !utf8.Valid(body) {
		return "(not text)\n"
	}
	if more := len(body) - maxShown; more > 0 {
		return strings.ToValidUTF8(string(body[:maxShown]), "") + fmt.Sprintf("\n(%d bytes more)\n", more)
	}
	return string(body)
}
