// Package period asks period plugins when the next boundary is. DESIGN.md says what they are told of time zones.
package period

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/sluicehq/sluice/kernel/domain"
	"github.com/sluicehq/sluice/kernel/plugin"
	"github.com/sluicehq/sluice/sdk/wire"
)

// Host runs period plugins; *plugin.Host is one.
type Host interface {
	Period(ctx context.Context, req *wire.PeriodRequest) (wire.PeriodReply, error)
	CheckParams(kind, id, params string) error
	Items(kind string) []plugin.Item
}

var _ Host = (*plugin.Host)(nil)

// Question is what decides the next boundary.
type Question struct {
	ID       string // of a period, "" = never
	Params   string // its parameters, a JSON object, "" = none; their time_zone, if any, goes before TimeZone
	Anchor   int64  // ms UTC from which boundaries are counted
	Last     int64  // ms UTC of the last boundary, 0 = none yet
	Now      int64  // ms UTC
	TimeZone string // IANA name, "" = UTC: the operator's setting
}

// Service answers questions. Its methods may be called from any goroutine.
type Service struct {
	host  Host
	zones zones
}

// New returns a service that asks the plugins of h.
func New(h Host) *Service { return &Service{host: h} }

// Check says why a user can not have the period id with these parameters; "" is none, which fits all. The error is an
// Invalid of the field reset_policy, or of reset_params with the path of what is at fault in them.
func (s *Service) Check(id, params string) error {
	if id == "" {
		return nil
	}
	err := s.host.CheckParams(wire.KindPeriod, id, params)
	if domain.CodeOf(err) == domain.CodeInvalid && errors.Is(err, plugin.ErrNoItem) {
		known := strings.Join(s.IDs(), ", ")
		return domain.Invalid("reset_policy", fmt.Sprintf("must be one of %s: %q is not loaded", known, id)).Because(err)
	}
	var zone string
	if err == nil {
		zone, err = zoneParam(params)
	}
	if err == nil {
		err = s.zones.check(zone)
	}
	if err != nil {
		return ofParams(err)
	}
	return nil
}

// Next returns the boundary after q.Now, in ms UTC and always later, or never = true. Its errors are domain errors: an
// Invalid of the field time_zone for an unknown zone, else what became of the plugin.
func (s *Service) Next(ctx context.Context, q Question) (next int64, never bool, err error) {
	if q.ID == "" {
		return 0, true, nil
	}
	zone, err := zoneParam(q.Params)
	if err != nil {
		return 0, false, ofParams(err)
	}
	if zone == "" {
		zone = q.TimeZone
	}
	transitions, err := s.zones.transitions(zone, min(q.Anchor, q.Now), q.Now+horizon)
	if err != nil {
		return 0, false, err
	}
	reply, err := s.host.Period(ctx, &wire.PeriodRequest{
		ID: q.ID, Now: q.Now, Params: q.Params, Anchor: q.Anchor, Last: q.Last, TimeZone: zone, Transitions: transitions,
	})
	if err != nil {
		return 0, false, fmt.Errorf("ask for the next boundary: %w", err)
	}
	if reply.Never {
		return 0, true, nil
	}
	return reply.Next, false, nil
}

// QuotaOnly says whether the period resets only users that have a quota; false for one that is not loaded.
func (s *Service) QuotaOnly(id string) bool {
	return slices.ContainsFunc(s.host.Items(wire.KindPeriod), func(i plugin.Item) bool { return i.ID == id && i.QuotaOnly })
}

// IDs returns the ids of the loaded periods, sorted.
func (s *Service) IDs() []string {
	var ids []string
	for _, item := range s.host.Items(wire.KindPeriod) {
		ids = append(ids, item.ID)
	}
	return ids
}

// ofParams puts the name of the field that holds parameters before the path of what is at fault in them.
func ofParams(err error) error {
	var invalid *domain.Error
	if !errors.As(err, &invalid) || invalid.Code != domain.CodeInvalid {
		return fmt.Errorf("check the parameters of a period: %w", err)
	}
	e := *invalid
	e.Field = strings.TrimSuffix("reset_params."+e.Field, ".")
	return &e
}

// timeZone is the parameter that the kernel reads itself, because plugins have no zone database.
const timeZone = "time_zone"

// zoneParam is the zone that parameters name, "" if they name none.
func zoneParam(params string) (string, error) {
	if !strings.Contains(params, "{") {
		return "", nil // the usual case: no parameters
	}
	var object map[string]json.RawMessage
	if err := json.Unmarshal([]byte(params), &object); err != nil {
		return "", domain.Invalid("", "must be a JSON object").Because(err)
	}
	var name string
	if raw, ok := object[timeZone]; ok {
		if err := json.Unmarshal(raw, &name); err != nil {
			return "", domain.Invalid(timeZone, "must be a string").Because(err)
		}
	}
	return name, nil
}
