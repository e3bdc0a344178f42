package username

import (
	"strings"
	"testing"

	"github.com/sluicehq/sluice/kernel/domain"
)

func number(n int64) *int64 { return &n }

func TestRequest(t *testing.T) {
	s, h := open(t, example)
	for name, c := range map[string]struct {
		r    Request
		want string // "" = it is in order
	}{
		"random":            {Request{Strategy: "random", Count: 1}, ""},
		"most":              {Request{Strategy: "random", Count: 500}, ""},
		"empty parameters":  {Request{Strategy: "random", Params: "{}", Count: 1}, ""},
		"sequence":          {Request{Strategy: "sequence", Base: "user", Count: 1}, ""},
		"from zero":         {Request{Strategy: "append", Base: "user", Start: number(0), Count: 1}, ""},
		"far":               {Request{Strategy: "append", Base: "user", Start: number(1e15), Count: 1}, ""},
		"affixes are later": {Request{Strategy: "random", Prefix: "a  b", Suffix: strings.Repeat("x", 1000), Count: 1}, ""},

		"no strategy":         {Request{Count: 1}, "strategy must be one of append, pronounceable, random, sequence"},
		"unknown strategy":    {Request{Strategy: "Random", Count: 1}, "strategy must be one of append, pronounceable, random, sequence"},
		"of another kind":     {Request{Strategy: "links", Count: 1}, "strategy must be one of append, pronounceable, random, sequence"},
		"unknown parameter":   {Request{Strategy: "random", Params: `{"length":9}`, Count: 1}, "params.length is not a known parameter"},
		"broken parameters":   {Request{Strategy: "random", Params: `[`, Count: 1}, "params must be a JSON object"},
		"random with base":    {Request{Strategy: "random", Base: "user", Count: 1}, "base must be empty when strategy is 'random'"},
		"random with start":   {Request{Strategy: "random", Start: number(1), Count: 1}, "start must not be given when strategy is 'random'"},
		"sequence, no base":   {Request{Strategy: "sequence", Start: number(1), Count: 1}, "base is required when strategy is 'sequence'"},
		"append, no base":     {Request{Strategy: "append", Count: 1}, "base is required when strategy is 'append'"},
		"plugin with base":    {Request{Strategy: "pronounceable", Base: "user", Count: 1}, "base must be empty when strategy is 'pronounceable'"},
		"base of 129":         {Request{Strategy: "append", Base: strings.Repeat("ü", 129), Count: 1}, "base is longer than 128 characters"},
		"negative start":      {Request{Strategy: "append", Base: "user", Start: number(-1), Count: 1}, "start must be between 0 and 1000000000000000"},
		"start too far":       {Request{Strategy: "append", Base: "user", Start: number(1e15 + 1), Count: 1}, "start must be between 0 and 1000000000000000"},
		"none":                {Request{Strategy: "random"}, "count must be between 1 and 500"},
		"fewer than none":     {Request{Strategy: "random", Count: -1}, "count must be between 1 and 500"},
		"one more than most":  {Request{Strategy: "random", Count: 501}, "count must be between 1 and 500"},
		"strategy before all": {Request{Strategy: "x", Base: "user", Count: 501}, "strategy must be one of append, pronounceable, random, sequence"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := s.check(c.r)
			_, generated := s.Generate(t.Context(), c.r, having().taken)
			if c.want == "" {
				if err != nil || generated != nil {
					t.Errorf("got %v and %v", err, generated)
				}
				return
			}
			refused(t, err, domain.CodeInvalid, c.want)
			refused(t, generated, domain.CodeInvalid, c.want)
		})
	}
	if err := h.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	_, err := s.check(Request{Strategy: "random", Count: 1})
	refused(t, err, domain.CodeUnavailable, "the plugins are shut down")
}
