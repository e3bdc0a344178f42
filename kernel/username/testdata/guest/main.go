// A plugin for the tests of package username: strategies that behave badly, each in its own way.
package main

import (
	"strconv"
	"strings"

	"github.com/sluicehq/sluice/sdk"
	"github.com/sluicehq/sluice/sdk/wire"
)

func init() {
	sdk.Register(sdk.Info{Name: "guest", Version: "1.0.0"})
	for id, f := range map[string]sdk.UsernameFunc{
		"none":    func(*sdk.UsernameRequest) ([]string, error) { return nil, nil },
		"few":     always("one", "two"),
		"same":    always("bob", "bob", "BOB", "Bob", "amy"),
		"invalid": always("a b", "ok", "dot..dot", "fine", "new\nline", "ünal", "\xff\xfe\xfd"),
		"long":    always(strings.Repeat("x", 1<<20), "fine", strings.Repeat("y", 128)),
		"surplus": func(req *sdk.UsernameRequest) ([]string, error) { return series("name", req.Count+100), nil },
		"most":    func(*sdk.UsernameRequest) ([]string, error) { return series("name", wire.MaxNames), nil },
		"million": func(*sdk.UsernameRequest) ([]string, error) { return make([]string, 1_000_000), nil },
		"huge":    always(strings.Repeat("x", 9<<20)),
		"refuse":  func(*sdk.UsernameRequest) ([]string, error) { return nil, sdk.Invalid("no more today") },
		"crash":   func(*sdk.UsernameRequest) ([]string, error) { panic("over and out") },
		"endless": func(*sdk.UsernameRequest) ([]string, error) {
			for spun := 0; ; spun++ {
			}
		},
	} {
		sdk.Username(id, sdk.UsernameOptions{}, f)
		sdk.Username("retry-"+id, sdk.UsernameOptions{Collision: wire.CollisionRetry}, f)
	}
	retry := sdk.UsernameOptions{Collision: wire.CollisionRetry}
	sdk.Username("one-each", retry, func(req *sdk.UsernameRequest) ([]string, error) {
		return []string{"name" + strconv.FormatInt(req.Attempt, 10)}, nil
	})
	sdk.Username("every-third", retry, func(req *sdk.UsernameRequest) ([]string, error) {
		return []string{"name" + strconv.FormatInt(req.Attempt/3, 10)}, nil
	})
	sdk.Username("crash-later", retry, func(req *sdk.UsernameRequest) ([]string, error) {
		if req.Attempt > 0 {
			panic("enough")
		}
		return []string{"name"}, nil
	})
	sdk.Username("tell", retry, tell)
	sdk.Username("seen", sdk.UsernameOptions{Description: "Shows its request.", Params: `{"type":"object"}`}, seen)
}

func always(names ...string) sdk.UsernameFunc {
	return func(*sdk.UsernameRequest) ([]string, error) { return names, nil }
}

func series(base string, n int64) []string {
	var names []string
	for i := range n {
		names = append(names, base+strconv.FormatInt(i, 10))
	}
	return names
}

// tell makes names of what was rejected, once it knows.
func tell(req *sdk.UsernameRequest) ([]string, error) {
	if req.Attempt == 0 {
		return []string{"amy", "bob", "x", "AMY", strings.Repeat("z", 129)}, nil
	}
	var names []string
	for _, r := range req.Rejected {
		names = append(names, r.Name+"-"+r.Reason+"-"+strconv.FormatInt(req.Attempt, 10)+"-"+strconv.FormatInt(req.Count, 10))
	}
	return names, nil
}

func seen(req *sdk.UsernameRequest) ([]string, error) {
	base := req.Base
	if base == "" {
		base = "nothing"
	}
	return []string{base + "-" + strconv.FormatInt(req.Start, 10) + "-" + strconv.FormatInt(req.Count, 10), req.Params}, nil
}

func main() {}
