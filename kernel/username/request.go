package username

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/sluicehq/sluice/kernel/domain"
	"github.com/sluicehq/sluice/kernel/plugin"
	"github.com/sluicehq/sluice/sdk/wire"
)

// Bounds of a Request.
const (
	MaxCount = 500 // names of one request; source: PasarGuard's user templates, "Limits"

	// MaxStart keeps a whole series exact in JSON, and additions of plugins far from an overflow.
	MaxStart = 1_000_000_000_000_000
)

// Request asks for names.
type Request struct {
	Strategy string // id of a loaded strategy
	Params   string // its parameters, a JSON object, "" = none
	Base     string // what the names are made from, "" = none
	Start    *int64 // the first number of a series, 0 to MaxStart; nil = 1
	Count    int    // how many names, 1 to MaxCount
	Prefix   string // in front of every name, "" = none
	Suffix   string // behind every name, "" = none
}

// check returns the strategy of r, or says why the loaded ones can not answer it: an Invalid of the field strategy, params
// (with the path of what is at fault in them), base, start or count. Affixes are not looked at: Check sees them in the names.
func (s *Service) check(r Request) (Strategy, error) {
	err := s.strategies.CheckParams(wire.KindUsername, r.Strategy, r.Params)
	if errors.Is(err, plugin.ErrNoItem) {
		return Strategy{}, domain.Invalid("strategy", "must be one of "+s.known()).Because(err)
	}
	if err != nil {
		return Strategy{}, ofParams(err)
	}
	strategy := s.find(r.Strategy)
	given := func(field, format string) (Strategy, error) {
		return Strategy{}, domain.Invalid(field, fmt.Sprintf(format, r.Strategy))
	}
	switch {
	case strategy.Base == wire.BaseNone && r.Base != "":
		return given("base", "must be empty when strategy is '%s'")
	case strategy.Base == wire.BaseNone && r.Start != nil:
		return given("start", "must not be given when strategy is '%s'")
	case strategy.Base == wire.BaseRequired && r.Base == "":
		return given("base", "is required when strategy is '%s'")
	case utf8.RuneCountInString(r.Base) > MaxLength:
		return Strategy{}, domain.Invalid("base", "is longer than 128 characters")
	case r.Start != nil && (*r.Start < 0 || *r.Start > MaxStart):
		return Strategy{}, domain.Invalid("start", fmt.Sprintf("must be between 0 and %d", MaxStart))
	case r.Count < 1 || r.Count > MaxCount:
		return Strategy{}, domain.Invalid("count", fmt.Sprintf("must be between 1 and %d", MaxCount))
	}
	return strategy, nil
}

// ofParams puts the name of the field that holds parameters before the path of what is at fault in them.
func ofParams(err error) error {
	var invalid *domain.Error
	if !errors.As(err, &invalid) || invalid.Code != domain.CodeInvalid {
		return fmt.Errorf("check the parameters of a username strategy: %w", err)
	}
	e := *invalid
	e.Field = strings.TrimSuffix("params."+e.Field, ".")
	return &e
}
