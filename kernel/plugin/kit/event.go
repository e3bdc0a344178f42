package kit

import (
	"fmt"
	"slices"
	"strings"

	"github.com/sluicehq/sluice/kernel/domain"
	"github.com/sluicehq/sluice/sdk/wire"
)

// payload is an object with something of every payload.
const payload = `{"user":{"id":12,"username":"alice","status":"active","enabled":true,"quota":1073741824,"used":42,` +
	`"expire_at":null,"note":"","admin_id":1,"groups":[2,1]},"reset":{"reason":"period","up":1,"down":2},` +
	`"inbound":{"id":1,"tag":"in-443","remark":"","protocol":"vless","port":443,"enabled":true},` +
	`"template":{"id":1,"name":"Monthly"},"group":{"id":1,"name":"basic"},"admin":{"id":1,"username":"root"},` +
	`"plugin":{"name":"other","version":"1.0.0","reason":"it crashed"}}`

// checkEvent holds an event item against what the delivery does. Every key-value store is empty at first, every server
// answers 200 with an empty object.
func (s *session) checkEvent(item *wire.Item) {
	req := wire.EventRequest{
		ID: item.ID, Now: today.UnixMilli(), Entropy: entropy(1), EventID: 7, Time: today.UnixMilli() - 1000, Payload: payload,
	}
	wants := func(name string) bool {
		return slices.Contains(item.Events, name) || slices.Contains(item.Events, domain.AllEvents)
	}
	var failure error
	for _, t := range domain.EventTypes {
		if wants(t.Type) && failure == nil {
			if failure = s.tell(item, req, t.Type); failure != nil {
				failure = fmt.Errorf("%s: %w", t.Type, failure)
			}
			req.EventID++
		}
	}
	s.judge(what(item), "it handles what it wants", failure)
	for _, name := range item.Events {
		if name != domain.AllEvents && !slices.ContainsFunc(domain.EventTypes, func(t domain.EventType) bool { return t.Type == name }) {
			s.note(Warn, what(item), "the types that it wants exist", "this version has no event "+name)
		}
	}
	if wants("comet.seen") { // it wants all
		s.judge(what(item), "a type of a later version is no failure", s.tell(item, req, "comet.seen"))
	}
	req.Type = item.Events[0]
	if req.Type == domain.AllEvents {
		req.Type = domain.EventUserCreated
	}
	again := req
	again.Attempt = 1
	s.judge(what(item), "an event may come twice", s.tell(item, again, req.Type))
	var harm error
	for _, text := range []string{"", "{}", "[", `{"user":null}`, `{"user":"` + strings.Repeat("x", 1<<20) + `"}`} {
		odd := req
		odd.Payload = text
		if err := harmed(s.host.Event(s.ctx, &odd)); err != nil && harm == nil {
			harm = err
		}
	}
	s.strain(what(item), "a payload that is empty, broken or of 1 MiB does no harm", harm)
	s.checkMemory(item, &req)
}

// tell hands an event over through the host.
func (s *session) tell(item *wire.Item, req wire.EventRequest, name string) error {
	req.Type = name
	return s.timed(wire.OpEvent, item, func() error { return s.host.Event(s.ctx, &req) })
}
