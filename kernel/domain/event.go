package domain

// Event is something that has happened, as event plugins are told of it.
type Event struct {
	Type    string // such as user.created: see EventTypes
	Subject string // what it is about, such as user/12: events of one subject are delivered in their order
	Payload string // JSON object
}

// Delivery is an event on its way to one handler. It is a row of the outbox.
type Delivery struct {
	ID          int64  // ascending, never reused: what the handler knows the event by
	Handler     string // plugin and item: webhook/post
	Type        string
	Subject     string
	Payload     string
	CreatedAt   int64  // ms UTC
	Attempts    int64  // that failed
	NextAt      int64  // ms UTC of the next attempt
	DeliveredAt *int64 // ms UTC, nil = not yet
	DeadAt      *int64 // ms UTC at which it was given up, nil = it was not
	LastError   string // of the last attempt, "" = none failed
}

// EventHandler is an event item of a loaded plugin.
type EventHandler struct {
	Handler string   // plugin and item: webhook/post
	Events  []string // types that it wants, * = all
}
