// A plugin for the tests of its host: it behaves as it is asked to.
package main

import (
	"os"
	"strconv"
	"time"

	"github.com/sluicehq/sluice/sdk"
	"github.com/sluicehq/sluice/sdk/wire"
)

var (
	settings = "none"
	kept     [][]byte
	prepared int
)

func init() {
	sdk.Register(sdk.Info{Name: "go-guest", Version: "1.0.0"})
	sdk.Configure(`{"type":"object"}`, func(s string) error {
		if s == `{"bad":true}` {
			return sdk.Invalid("bad can not be true")
		}
		settings = string([]byte(s))
		return nil
	})
	for id, f := range map[string]func(){
		"panic":    func() { panic("over and out") },
		"deadlock": func() { select {} },
		"spin": func() {
			for spun := 0; ; spun++ {
			}
		},
		"sleep": func() { time.Sleep(time.Hour) }, // what a plugin must not do: the host's deadline ends it
		"flood": func() {
			for {
				_, _ = os.Stderr.WriteString("the same line again\n")
			}
		},
		"hoard": func() {
			for {
				kept = append(kept, make([]byte, 1<<20))
			}
		},
		"grow": func() { kept = append(kept, make([]byte, 20<<20)) },
	} {
		sdk.Username(id, sdk.UsernameOptions{}, func(*sdk.UsernameRequest) ([]string, error) { f(); return nil, nil })
	}
	sdk.Username("refuse", sdk.UsernameOptions{}, func(*sdk.UsernameRequest) ([]string, error) {
		return nil, sdk.Invalid("not\ntoday")
	})
	sdk.Username("settings", sdk.UsernameOptions{}, func(*sdk.UsernameRequest) ([]string, error) {
		return []string{settings, strconv.Itoa(prepared)}, nil
	})
	sdk.Username("echo", sdk.UsernameOptions{}, func(r *sdk.UsernameRequest) ([]string, error) {
		var names []string
		for i := int64(1); i <= r.Count; i++ {
			names = append(names, r.Base+strconv.FormatInt(i, 10))
		}
		return names, nil
	})
	sdk.Username("seen", sdk.UsernameOptions{}, func(r *sdk.UsernameRequest) ([]string, error) {
		return []string{strconv.FormatInt(r.Now, 10), strconv.Itoa(len(r.Entropy)), string(r.Entropy)}, nil
	})
	sdk.Event("listener", sdk.EventOptions{Events: []string{"*"}}, func(r *sdk.EventRequest) error {
		if r.Type == "user.unlucky" {
			return sdk.Retry("come back later")
		}
		sdk.Log(wire.LogWarn, "seen "+r.Type+" "+r.Payload)
		return nil
	})
	render := func(r *sdk.FormatRequest, reply *sdk.FormatReply) error {
		for i := range r.Endpoints {
			reply.Body = append(reply.Body, r.Endpoints[i].Address+"\n"...)
		}
		return nil
	}
	sdk.Format("list", sdk.FormatOptions{Prepare: func(r *sdk.PrepareRequest) (sdk.RenderFunc, error) {
		prepared++
		body := ""
		for i := range r.Endpoints {
			body += r.Endpoints[i].Address + "\n"
		}
		return func(q *sdk.FormatRequest, reply *sdk.FormatReply) error {
			reply.Body = append(reply.Body, body+q.User.Username...)
			return nil
		}, nil
	}}, render)
	sdk.Format("plain", sdk.FormatOptions{ContentType: "text/csv"}, render)
}

func main() {}
