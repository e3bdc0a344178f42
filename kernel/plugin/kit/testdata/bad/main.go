// Command bad breaks every rule that a kind has, each with an item of its own.
package main

import (
	"math/rand/v2"
	"strconv"

	"github.com/sluicehq/sluice/sdk"
	"github.com/sluicehq/sluice/sdk/wire"
)

const (
	day = 24 * 3600_000 // ms
	mib = 1 << 20
)

var (
	calls int
	kept  [][]byte
)

func init() {
	sdk.Register(sdk.Info{Name: "bad", Version: "1.0.0"})
	usernames()
	periods()
	formats()
	events()
}

func usernames() {
	for id, fn := range map[string]func(r *sdk.UsernameRequest, i int64) string{
		"spaced":   func(*sdk.UsernameRequest, int64) string { return "a name" },
		"stubborn": func(r *sdk.UsernameRequest, i int64) string { return r.Base + strconv.FormatInt(r.Start+i, 10) },
		"twice":    func(r *sdk.UsernameRequest, i int64) string { return r.Base + strconv.FormatInt(r.Start+i/2, 10) },
		"lucky":    func(r *sdk.UsernameRequest, i int64) string { return r.Base + strconv.FormatUint(rand.Uint64(), 36) },
		"counting": func(r *sdk.UsernameRequest, i int64) string { calls++; return r.Base + strconv.Itoa(calls) },
		"leaking": func(r *sdk.UsernameRequest, i int64) string {
			kept = append(kept, make([]byte, 1024))
			return r.Base + strconv.FormatInt(r.Start+i, 10)
		},
		"picky": func(r *sdk.UsernameRequest, i int64) string { return r.Base + strconv.FormatInt(r.Start+i, 10) },
		"frail": func(r *sdk.UsernameRequest, i int64) string {
			if len(r.Base) > 1000 {
				panic("too long")
			}
			return r.Base + strconv.FormatInt(r.Start+i, 10)
		},
	} {
		sdk.Username(id, sdk.UsernameOptions{Collision: wire.CollisionRetry}, func(r *sdk.UsernameRequest) (names []string, err error) {
			if id == "picky" && r.Base == "" {
				return nil, sdk.Invalid("a base is needed")
			}
			for i := range r.Count {
				names = append(names, fn(r, i))
			}
			return names, nil
		})
	}
}

func periods() {
	for id, fn := range map[string]func(r *sdk.PeriodRequest) int64{
		"sliding": func(r *sdk.PeriodRequest) int64 { return r.Now + 30*day },
		"late":    func(r *sdk.PeriodRequest) int64 { return r.Anchor + 30*day },
		"endless": func(r *sdk.PeriodRequest) int64 { return r.Anchor + ((r.Now-r.Anchor)/day+1)*day },
		"broken":  func(r *sdk.PeriodRequest) int64 { return r.Transitions[1].At },
	} {
		sdk.Period(id, sdk.PeriodOptions{}, func(r *sdk.PeriodRequest) (sdk.PeriodReply, error) {
			return sdk.PeriodReply{Next: fn(r)}, nil
		})
	}
}

func formats() {
	all := func(r *sdk.FormatRequest, reply *sdk.FormatReply, before, after string) {
		for i := range r.Accounts {
			reply.Body = append(reply.Body, before+r.Accounts[i].Remark+after...)
		}
	}
	for id, f := range map[string]struct {
		contentType string
		cache       string
		render      func(r *sdk.FormatRequest, reply *sdk.FormatReply)
	}{
		"json": {"application/json", "", func(r *sdk.FormatRequest, reply *sdk.FormatReply) {
			reply.Body = append(reply.Body, '[')
			all(r, reply, `"`, `",`)
			reply.Body = append(reply.Body, `""]`...)
		}},
		"yaml": {"text/yaml", "", func(r *sdk.FormatRequest, reply *sdk.FormatReply) { all(r, reply, "- ", "\n") }},
		"html": {"text/html; charset=utf-8", "", func(r *sdk.FormatRequest, reply *sdk.FormatReply) { all(r, reply, "<p>", "</p>") }},
		"cut": {"text/plain", "", func(r *sdk.FormatRequest, reply *sdk.FormatReply) {
			for i := range r.Accounts {
				reply.Body = append(reply.Body, r.Accounts[i].Remark[:min(2, len(r.Accounts[i].Remark))]...)
			}
		}},
		"dated": {"", wire.CacheRevision, func(r *sdk.FormatRequest, reply *sdk.FormatReply) {
			reply.Body = strconv.AppendInt(reply.Body, r.Now, 10)
		}},
		"metered": {"", wire.CacheRevision, func(r *sdk.FormatRequest, reply *sdk.FormatReply) {
			reply.Body = strconv.AppendInt(reply.Body, r.User.Down, 10)
		}},
		"shuffled": {"", wire.CacheRevision, func(r *sdk.FormatRequest, reply *sdk.FormatReply) {
			reply.Body = append(reply.Body, r.Entropy[0])
		}},
		"mute":   {"", "", func(*sdk.FormatRequest, *sdk.FormatReply) {}},
		"header": {"text/plain\r\nx", "", func(*sdk.FormatRequest, *sdk.FormatReply) {}},
		"empty":  {"", "", func(r *sdk.FormatRequest, _ *sdk.FormatReply) { _ = r.Endpoints[0] }},
	} {
		declared := f.contentType
		if id == "header" {
			declared = ""
		}
		sdk.Format(id, sdk.FormatOptions{ContentType: declared, Cache: f.cache}, func(r *sdk.FormatRequest, reply *sdk.FormatReply) error {
			if id == "header" {
				reply.ContentType = f.contentType
			}
			f.render(r, reply)
			return nil
		})
	}
	sdk.Format("prepared", sdk.FormatOptions{Prepare: func(*sdk.PrepareRequest) (sdk.RenderFunc, error) {
		return func(_ *sdk.FormatRequest, reply *sdk.FormatReply) error {
			reply.Body = append(reply.Body, "prepared"...)
			return nil
		}, nil
	}}, func(_ *sdk.FormatRequest, reply *sdk.FormatReply) error {
		reply.Body = append(reply.Body, "not prepared"...)
		return nil
	})
}

func events() {
	for id, fn := range map[string]func(r *sdk.EventRequest) error{
		"strict": func(r *sdk.EventRequest) error {
			if r.Type == "comet.seen" {
				return sdk.Invalid("never heard of it")
			}
			return nil
		},
		"once": func(r *sdk.EventRequest) error {
			if r.Attempt > 0 {
				return sdk.Invalid("it was handled before")
			}
			return nil
		},
		"naive": func(r *sdk.EventRequest) error { _ = r.Payload[0]; return nil },
		"slow": func(r *sdk.EventRequest) error {
			kept = append(kept, make([]byte, len(r.Payload)/mib))
			for {
			}
		},
	} {
		sdk.Event(id, sdk.EventOptions{Events: []string{"*"}}, fn)
	}
	sdk.Event("typo", sdk.EventOptions{Events: []string{"user.craeted"}}, func(*sdk.EventRequest) error { return nil })
}

func main() {}
