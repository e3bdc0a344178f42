// Package kit holds a plugin file against what ABI 1 and its kind promise, by asking it through the real host.
//
// Every check asks what an installation will ask some day: golden requests, requests at the edges, bytes that are no
// request, the same request again. It fails for what would fail a user, and warns of what an operator would not like.
package kit

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"github.com/jonboulle/clockwork"

	"github.com/sluicehq/sluice/kernel/domain"
	"github.com/sluicehq/sluice/kernel/plugin"
	"github.com/sluicehq/sluice/sdk/wire"
)

// Options change how a file is checked. The zero value is a good one.
type Options struct {
	Settings string        // JSON object for configure, "" = none
	Params   string        // JSON object for the items that take parameters, "" = none
	CacheDir string        // of compiled code, "" = nowhere
	Limits   plugin.Limits // zero fields take ABI 1's numbers

	Deny  bool            // no permission is granted: a plugin that asks for one can not be loaded
	HTTP  plugin.Doer     // who answers its HTTP calls; nil = every call is answered 200, and nothing leaves the machine
	Clock clockwork.Clock // nil = one that makes a check find the same every day
}

// today is the moment that requests are made at: what a plugin answers must not depend on when it is checked.
var today = time.Date(2026, 2, 28, 23, 30, 0, 0, time.UTC)

// restless is a clock on which an hour passes between any two looks: the host never sees failures that come so close
// together that it would switch the plugin off, and every call is made. Requests carry their own time.
type restless struct{ *clockwork.FakeClock }

// Now returns the next moment.
func (c restless) Now() time.Time {
	c.Advance(time.Hour)
	return c.FakeClock.Now()
}

// session is one file under test, loaded into a host of its own.
type session struct {
	ctx     context.Context
	host    *plugin.Host
	file    string
	info    plugin.Info
	options Options
	report  Report

	slowest slowest
}

// Check loads a file and holds it against the rules; file is its name without a folder. What it finds, also that the
// file can not be loaded at all, is in the report: an error means that there was no way to look.
func Check(ctx context.Context, file string, wasm []byte, o Options) (Report, error) {
	s, err := open(ctx, file, wasm, o)
	if err != nil {
		return Report{}, err
	}
	defer s.close()
	if err := s.load(wasm); err != nil {
		return s.report, nil
	}
	s.checkABI()
	if missing := s.unset(); missing != "" {
		s.note(Warn, "", "settings to check it with", "its items need settings, give them with --settings: "+missing+" is required")
	} else {
		for i := range s.info.Provides {
			s.checkItem(&s.info.Provides[i])
		}
	}
	s.checkHeadroom()
	s.report.OK = s.report.Count(Fail) == 0
	return s.report, ctx.Err()
}

// open starts a host that gives the file whatever it asks for.
func open(ctx context.Context, file string, wasm []byte, o Options) (*session, error) {
	sum := sha256.Sum256(wasm)
	s := &session{ctx: ctx, file: file, options: o}
	s.report = Report{File: file, SHA256: hex.EncodeToString(sum[:]), Size: len(wasm), Findings: []Finding{}}
	if o.HTTP == nil {
		o.HTTP = quietServer{}
	}
	if o.Clock == nil {
		o.Clock = restless{clockwork.NewFakeClockAt(today)}
	}
	kept := store{}
	var err error
	s.host, err = plugin.Open(ctx, plugin.Options{
		Clock: o.Clock, CacheDir: o.CacheDir, Concurrency: 1, Limits: o.Limits, Policy: s.policy,
		KV: func(string) plugin.KV { return kept }, HTTP: o.HTTP,
	})
	return s, err
}

// policy grants what the file asks for, as soon as that is known.
func (s *session) policy(name string) domain.PluginPolicy {
	p := domain.PluginPolicy{Name: name, Settings: s.options.Settings, Replaces: true}
	if s.info.Name == name && !s.options.Deny {
		p.Trust, p.Trusted, p.Grants = domain.TrustHash, s.info.SHA256, grants(s.info.Permissions, s.options.Settings)
	}
	return p
}

// ErrNotReady is wrapped by what Load returns for a plugin that waits for permissions which it was denied.
var ErrNotReady = errors.New("the plugin is not ready")

// Loaded is a plugin in a host of its own, for a command that makes calls to it.
type Loaded struct {
	*plugin.Host
	Info  plugin.Info
	close func()
}

// Load loads a file; file is its name without a folder. That it can not be loaded is an error.
func Load(ctx context.Context, file string, wasm []byte, o Options) (*Loaded, error) {
	s, err := open(ctx, file, wasm, o)
	if err != nil {
		return nil, err
	}
	if err := s.load(wasm); err != nil {
		s.close()
		return nil, err
	}
	return &Loaded{s.host, s.info, s.close}, nil
}

// Close ends the host. No call is under way.
func (l *Loaded) Close() { l.close() }

// load brings the file to the point where it serves, with every permission that it asks for.
func (s *session) load(wasm []byte) error {
	err := s.host.Load(s.ctx, s.file, wasm)
	if all := s.host.Plugins(); len(all) > 0 {
		s.info = all[0]
	}
	s.report.Name, s.report.Version = s.info.Name, s.info.Version
	if err == nil && s.info.State == plugin.StateWaiting {
		if err = s.host.Apply(s.ctx, s.info.Name); err == nil {
			s.info = s.host.Plugins()[0]
		}
	}
	if err == nil && s.info.State != plugin.StateLoaded {
		err = fmt.Errorf("%w: %s", ErrNotReady, s.info.Reason)
	}
	s.judge("", "a host loads it", err)
	return err
}

func (s *session) close() { _ = s.host.Close(context.WithoutCancel(s.ctx)) } // waits for nothing: no call is under way

// checkItem holds one item against the rules of its kind, if there are parameters that it takes.
func (s *session) checkItem(item *wire.Item) {
	params := s.options.Params
	if len(item.Params) == 0 {
		params = ""
	}
	if err := s.host.CheckParams(item.Kind, item.ID, params); err != nil {
		s.note(Warn, what(item), "parameters to check it with", "it needs parameters, give them with --params: "+err.Error())
		return
	}
	switch item.Kind {
	case wire.KindUsername:
		s.checkUsername(item, params)
	case wire.KindPeriod:
		s.checkPeriod(item, params)
	case wire.KindFormat:
		s.checkFormat(item, params)
	case wire.KindEvent:
		s.checkEvent(item)
	}
}

// what names an item in a report.
func what(item *wire.Item) string { return item.Kind + " " + item.ID }

// note adds a finding to the report.
func (s *session) note(v Verdict, item, rule, reason string) {
	s.report.Findings = append(s.report.Findings, Finding{Item: item, Rule: rule, Verdict: v, Reason: reason})
}

// judge adds a finding that passes without an error.
func (s *session) judge(item, rule string, err error) {
	if err != nil {
		s.note(Fail, item, rule, err.Error())
		return
	}
	s.note(Pass, item, rule, "")
}

// advise is judge for a rule that is advice.
func (s *session) advise(item, rule string, err error) {
	if err != nil {
		s.note(Warn, item, rule, err.Error())
		return
	}
	s.note(Pass, item, rule, "")
}

// strain is judge for a request that is larger than any that is likely: what it must not do is crash. To miss the
// deadline costs nobody but the plugin.
func (s *session) strain(item, rule string, err error) {
	if err = harmed(err); errors.Is(err, plugin.ErrTimeout) {
		s.note(Warn, item, rule, err.Error())
		return
	}
	s.judge(item, rule, err)
}

// refused reports whether a plugin has answered with an error of its own: it works, whatever it says.
func refused(err error) bool {
	var word *plugin.PluginError
	return errors.As(err, &word)
}

// harmed returns err unless it is nil or the plugin's own word.
func harmed(err error) error {
	if refused(err) {
		return nil
	}
	return err
}

// slowest is the call that took the greatest part of its deadline.
type slowest struct {
	what           string
	took, deadline time.Duration
}

// timed makes one call and notes how much of its deadline it took. One that misses it is made once more: the machine may
// have had something else to do. Then it is seen among the slowest, but is no failure.
func (s *session) timed(op wire.Op, item *wire.Item, call func() error) error {
	start := time.Now()
	err := call()
	took, deadline := time.Since(start), s.deadline(op)
	if errors.Is(err, plugin.ErrTimeout) {
		err = call()
	}
	if s.slowest.deadline == 0 || float64(took)/float64(deadline) > float64(s.slowest.took)/float64(s.slowest.deadline) {
		s.slowest = slowest{what(item), took, deadline}
	}
	return err
}

func (s *session) deadline(op wire.Op) time.Duration {
	if d, ok := s.options.Limits.Call[op]; ok {
		return d
	}
	return time.Duration(wire.Deadline(op)) * time.Millisecond
}

// checkHeadroom says how near to its deadline the slowest of all calls came. The machine of an operator may be slower,
// and does other things.
func (s *session) checkHeadroom() {
	if s.slowest.deadline == 0 {
		return
	}
	percent := 100 * float64(s.slowest.took) / float64(s.slowest.deadline)
	verdict := Pass
	if percent > 50 {
		verdict = Warn
	}
	s.note(verdict, "", "calls are far from their deadlines", fmt.Sprintf("the slowest, of %s, took %.1f %% of %d ms",
		s.slowest.what, percent, s.slowest.deadline.Milliseconds()))
}
