package kit

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"

	"github.com/sluicehq/sluice/kernel/plugin"
	"github.com/sluicehq/sluice/sdk/wire"
)

// checkFormat holds a format item against what subscriptions ask of it.
func (s *session) checkFormat(item *wire.Item, settings string) {
	for _, c := range []struct {
		rule      string
		endpoints []endpoint
	}{
		{"it renders one endpoint", one()},
		{"it renders all protocols and transports", many()},
		{"hostile remarks stay what they are", hostile()},
	} {
		out, err := s.render(item, request(item, settings, c.endpoints))
		if err == nil {
			err = sound(out)
		}
		s.judge(what(item), c.rule, err)
		if err == nil && len(out.Body) == 0 {
			s.note(Warn, what(item), c.rule, "the body is empty")
		}
	}
	out, err := s.render(item, request(item, settings, nil))
	if err == nil {
		err = sound(out)
	}
	if refused(err) {
		s.advise(what(item), "it renders a user without endpoints", err)
	} else {
		s.judge(what(item), "it renders a user without endpoints", err)
	}
	s.strain(what(item), "texts of 1 MiB do no harm", s.long(item, settings))
	if item.Prepare {
		s.judge(what(item), "prepared or not, the body is the same", s.prepared(item, settings))
	}
	if item.Cache == wire.CacheRevision {
		s.judge(what(item), "a body that may be kept shows neither time nor usage nor chance", s.cached(item, settings))
	}
	small, all := request(item, settings, one()), request(item, settings, many())
	s.checkReproducible(item, &small, &all)
	s.checkMemory(item, &small)
}

// request asks for the subscription of one user.
func request(item *wire.Item, settings string, list []endpoint) wire.FormatRequest {
	req := wire.FormatRequest{
		ID: item.ID, Now: today.UnixMilli(), Entropy: entropy(1), Settings: settings,
		User: wire.User{
			ID: 12, Username: "alice", SubID: "kit-sub-id", Status: "active", Up: 1 << 20, Down: 5 << 30, HasQuota: true,
			Quota: 50 << 30, ExpireAt: today.AddDate(0, 1, 0).UnixMilli(), CreatedAt: today.AddDate(-1, 0, 0).UnixMilli(),
		},
		URL: "https://sub.example.com/sub/kit-sub-id", Title: "Kit & Co", SupportURL: "https://t.me/kit",
	}
	req.Endpoints, req.Accounts = split(list)
	return req
}

// render asks through the host.
func (s *session) render(item *wire.Item, req wire.FormatRequest) (out plugin.Rendered, err error) {
	err = s.timed(wire.OpFormat, item, func() error {
		out, err = s.host.Render(s.ctx, &req)
		return err
	})
	return out, err
}

// sound looks at a body as far as its content type tells what it has to be.
func sound(out plugin.Rendered) error {
	kind := out.ContentType
	textual := strings.HasPrefix(kind, "text/") || strings.Contains(kind, "json") || strings.Contains(kind, "yaml")
	switch {
	case textual && !utf8.Valid(out.Body):
		return fmt.Errorf("the body says %s, but is not UTF-8", kind)
	case strings.Contains(kind, "json") && len(out.Body) > 0 && !json.Valid(out.Body):
		return fmt.Errorf("the body says %s, but is not JSON", kind)
	case strings.Contains(kind, "html") && bytes.Contains(out.Body, []byte(sting)):
		return errors.New("the page has a script that was in a remark")
	case strings.Contains(kind, "yaml"):
		var document any
		if err := yaml.Unmarshal(out.Body, &document); err != nil {
			return fmt.Errorf("the body says %s, but is not YAML: %s", kind, strings.ReplaceAll(err.Error(), "\n", " "))
		}
	}
	return nil
}

// long has texts of 1 MiB wherever an operator or a provider could put one.
func (s *session) long(item *wire.Item, settings string) error {
	text := strings.Repeat("x", 1<<20)
	for _, change := range []func(*wire.FormatRequest){
		func(r *wire.FormatRequest) { r.Accounts[0].Remark = text },
		func(r *wire.FormatRequest) { r.User.Note = text },
		func(r *wire.FormatRequest) { r.Endpoints[0].Transport.Path = text },
		func(r *wire.FormatRequest) { r.Endpoints[0] = wire.Endpoint{RawURI: text} },
	} {
		req := request(item, settings, one())
		change(&req)
		if _, err := s.host.Render(s.ctx, &req); harmed(err) != nil {
			return err
		}
	}
	return nil
}

// prepared compares a rendering by a set that was handed over before with one that brings its endpoints.
func (s *session) prepared(item *wire.Item, settings string) error {
	for n, list := range [][]endpoint{nil, one(), many(), hostile()} {
		req := request(item, settings, list)
		plain, plainErr := s.render(item, req)
		req.Prepared = uint64(n + 1)
		for range 2 { // the second time the set is there
			set, err := s.render(item, req)
			switch {
			case fmt.Sprint(plainErr) != fmt.Sprint(err):
				return fmt.Errorf("with %d endpoints: not prepared it answers %w, prepared %w", len(list), orNone(plainErr), orNone(err))
			case !bytes.Equal(plain.Body, set.Body):
				return fmt.Errorf("with %d endpoints the bodies differ %s", len(list), difference(plain.Body, set.Body))
			case plain.ContentType != set.ContentType || plain.Filename != set.Filename || !slices.Equal(plain.Headers, set.Headers):
				return fmt.Errorf("with %d endpoints what is around the body differs", len(list))
			}
		}
	}
	return nil
}

// orNone is an error to print.
func orNone(err error) error {
	if err == nil {
		return errors.New("without an error")
	}
	return err
}

// cached renders again after everything that moves has moved.
func (s *session) cached(item *wire.Item, settings string) error {
	before, err := s.render(item, request(item, settings, many()))
	if err != nil {
		return err
	}
	for _, c := range []struct {
		moved string
		move  func(*wire.FormatRequest)
	}{
		{"the time", func(r *wire.FormatRequest) { r.Now += 86_400_000 * 400 }},
		{"the entropy", func(r *wire.FormatRequest) { r.Entropy = entropy(2) }},
		{"the usage", func(r *wire.FormatRequest) { r.User.Up, r.User.Down = r.User.Up+1<<30, r.User.Down+1<<31 }},
		{"when the user was online", func(r *wire.FormatRequest) { r.User.OnlineAt = r.Now }},
	} {
		req := request(item, settings, many())
		c.move(&req)
		after, err := s.render(item, req)
		if err != nil {
			return err
		}
		if !bytes.Equal(before.Body, after.Body) {
			return fmt.Errorf("its manifest says \"cache\":\"revision\", but the body depends on %s: it differs %s",
				c.moved, difference(before.Body, after.Body))
		}
	}
	return nil
}

// difference says where two bodies part.
func difference(a, b []byte) string {
	at := 0
	for at < min(len(a), len(b)) && a[at] == b[at] {
		at++
	}
	from := max(0, at-10)
	return fmt.Sprintf("at byte %d: %.40q and %.40q", at, a[from:], b[from:])
}
