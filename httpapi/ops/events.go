package ops

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/sluicehq/sluice/kernel/domain"
)

const eventTag = "events"

// Outbox are the events on their way to plugins.
type Outbox interface {
	Deliveries(ctx context.Context, q domain.DeliveryQuery) ([]domain.Delivery, error)
	RetryDeliveries(ctx context.Context, ids []int64) (found int, err error)
	DropDeliveries(ctx context.Context, ids []int64) (found int, err error)
	// Undelivered hands the ids of all that wait for a handler, or were given up, to do.
	Undelivered(ctx context.Context, handler string, do func(context.Context, []int64) (int, error)) (sum int, err error)
}

func (o Options) events(api huma.API) {
	huma.Register(api, operation(api, http.MethodGet, "/events", "Events on their way to plugins, and dead letters", eventTag), o.listEvents)
	huma.Register(api, operation(api, http.MethodPost, "/events/retry", "Deliver events again now, dead letters too", eventTag), o.retryEvents)
	huma.Register(api, operation(api, http.MethodPost, "/events/drop", "Do not deliver events any more", eventTag), o.dropEvents)
}

type eventQuery struct {
	State   string `query:"state" enum:"waiting,dead,delivered" default:"waiting"`
	Handler string `query:"handler" doc:"plugin and item, such as webhook/post; empty = all"`
	After   int64  `query:"after" minimum:"0" doc:"only events with a higher id: the last one of the page before"`
	Limit   int    `query:"limit" minimum:"1" maximum:"1000" default:"100"`
}

type eventBody struct {
	ID          int64           `json:"id" doc:"what the handler knows it by"`
	Handler     string          `json:"handler" doc:"plugin and item"`
	Type        string          `json:"type"`
	Subject     string          `json:"subject" doc:"what it is about: events of one subject are delivered in order"`
	Payload     json.RawMessage `json:"payload"`
	CreatedAt   string          `json:"created_at" format:"date-time"`
	Attempts    int64           `json:"attempts" doc:"that failed"`
	NextAt      *string         `json:"next_at" format:"date-time" doc:"of the next attempt, null = there is none"`
	DeliveredAt *string         `json:"delivered_at" format:"date-time"`
	DeadAt      *string         `json:"dead_at" format:"date-time" doc:"when it was given up"`
	LastError   string          `json:"last_error"`
}

type eventsReply struct {
	Body struct {
		Events []eventBody `json:"events" doc:"oldest first"`
	}
}

func (o Options) listEvents(ctx context.Context, in *eventQuery) (*eventsReply, error) {
	list, err := o.Outbox.Deliveries(ctx, domain.DeliveryQuery{
		State: domain.DeliveryState(in.State), Handler: in.Handler, AfterID: in.After, Limit: in.Limit,
	})
	if err != nil {
		return nil, o.fail(ctx, err)
	}
	reply := &eventsReply{}
	reply.Body.Events = []eventBody{}
	for _, d := range list {
		b := eventBody{
			ID: d.ID, Handler: d.Handler, Type: d.Type, Subject: d.Subject, Payload: json.RawMessage(d.Payload), CreatedAt: utc(d.CreatedAt),
			Attempts: d.Attempts, DeliveredAt: utcOrNull(d.DeliveredAt), DeadAt: utcOrNull(d.DeadAt), LastError: d.LastError,
		}
		if d.DeliveredAt == nil && d.DeadAt == nil {
			b.NextAt = utcOrNull(&d.NextAt)
		}
		reply.Body.Events = append(reply.Body.Events, b)
	}
	return reply, nil
}

type eventIDs struct {
	Body struct {
		IDs     []int64 `json:"ids,omitempty" maxItems:"5000" doc:"which ones"`
		Handler string  `json:"handler,omitempty" doc:"instead of ids: all that wait for this handler, or were given up"`
	}
}

// Resolve wants one of the two.
func (in *eventIDs) Resolve(huma.Context) []error {
	if (len(in.Body.IDs) > 0) == (in.Body.Handler != "") {
		return []error{&huma.ErrorDetail{Location: "ids", Message: "either ids or a handler must be given"}}
	}
	return nil
}

type eventCount struct {
	Body struct {
		Count int `json:"count" doc:"for how many something was done"`
	}
}

func (o Options) retryEvents(ctx context.Context, in *eventIDs) (*eventCount, error) {
	return o.counted(ctx, in, o.Outbox.RetryDeliveries)
}

func (o Options) dropEvents(ctx context.Context, in *eventIDs) (*eventCount, error) {
	return o.counted(ctx, in, o.Outbox.DropDeliveries)
}

func (o Options) counted(ctx context.Context, in *eventIDs, do func(context.Context, []int64) (int, error)) (*eventCount, error) {
	var n int
	var err error
	if in.Body.Handler != "" {
		n, err = o.Outbox.Undelivered(ctx, in.Body.Handler, do)
	} else {
		n, err = do(ctx, in.Body.IDs)
	}
	if err != nil {
		return nil, o.fail(ctx, err)
	}
	reply := &eventCount{}
	reply.Body.Count = n
	return reply, nil
}

// utc writes a time in ms UTC.
func utc(ms int64) string { return time.UnixMilli(ms).UTC().Format("2006-01-02T15:04:05.000Z07:00") }

// utcOrNull is utc for a time that there may not be.
func utcOrNull(ms *int64) *string {
	if ms == nil {
		return nil
	}
	text := utc(*ms)
	return &text
}
