// A plugin for the tests of the use cases: its periods are a day long, and misbehave for the day before the moment that
// their parameter until names, in ms UTC.
package main

import (
	"errors"
	"strconv"
	"strings"

	"github.com/sluicehq/sluice/sdk"
)

const day = 24 * 60 * 60 * 1000

func init() {
	sdk.Register(sdk.Info{Name: "moody", Version: "1.0.0"})
	for id, misbehave := range map[string]func(now int64) (sdk.PeriodReply, error){
		"loop": func(int64) (sdk.PeriodReply, error) {
			for spun := 0; ; spun++ {
			}
		},
		"trap":   func(int64) (sdk.PeriodReply, error) { panic("over and out") },
		"past":   func(now int64) (sdk.PeriodReply, error) { return sdk.PeriodReply{Next: now}, nil },
		"far":    func(int64) (sdk.PeriodReply, error) { return sdk.PeriodReply{Next: 1 << 62}, nil },
		"refuse": func(int64) (sdk.PeriodReply, error) { return sdk.PeriodReply{}, errors.New("not today") },
		"never":  func(int64) (sdk.PeriodReply, error) { return sdk.PeriodReply{Never: true}, nil },
	} {
		options := sdk.PeriodOptions{Params: `{"type":"object","properties":{"until":{"type":"integer"}}}`}
		sdk.Period(id, options, func(req *sdk.PeriodRequest) (sdk.PeriodReply, error) {
			if until := until(req.Params); req.Now >= until-day && req.Now < until {
				return misbehave(req.Now)
			}
			return sdk.PeriodReply{Next: req.Now + day}, nil
		})
	}
}

// until reads the parameter, 0 = there is none.
func until(params string) int64 {
	ms, err := strconv.ParseInt(strings.Trim(params, `{"until:} `), 10, 64)
	if err != nil {
		return 0
	}
	return ms
}

func main() {}
