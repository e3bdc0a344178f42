package domain

// Delivery is an event on its way to one handler. It is a row of the outbox.
type Delivery struct {
	ID          int64  // ascending, never reused: what the handler knows the event by
	Handler     string // plugin and item: webhook/post
	Type        string
	Subject     string
	Payload     string
	CreatedAt   int64  // ms UTC
	Attempts    int64  // that failed
	NextAt      int64  // ms UTC of the next attempt, 0 = it waits for an earlier one of its subject
	DeliveredAt *int64 // ms UTC, nil = not yet
	DeadAt      *int64 // ms UTC at which it was given up, nil = it was not
	LastError   string // of the last attempt that failed, "" = none did
}

// DeliveryState is what has become of a delivery.
type DeliveryState string

// The states.
const (
	DeliveryWaiting   DeliveryState = "waiting"   // it will be tried, for the first time or again
	DeliveryDelivered DeliveryState = "delivered" // kept for 7 days
	DeliveryDead      DeliveryState = "dead"      // given up, kept for 30 days
)

// State is what has become of the delivery.
func (d *Delivery) State() DeliveryState {
	switch {
	case d.DeliveredAt != nil:
		return DeliveryDelivered
	case d.DeadAt != nil:
		return DeliveryDead
	}
	return DeliveryWaiting
}

// DeliveryQuery selects deliveries.
type DeliveryQuery struct {
	State   DeliveryState // must be one of the states
	Handler string        // "" = of all
	AfterID int64         // only those with a greater id, 0 = from the first
	Limit   int           // at most so many
}

// Failure says what becomes of a delivery whose attempt failed.
type Failure struct {
	ID      int64
	NextAt  int64  // ms UTC of the next attempt; not looked at if Dead
	Dead    bool   // it is given up
	Unasked bool   // the handler has not seen it: that counts as no attempt
	Error   string // what went wrong
}

// DeliveryCounts say how the outbox is doing.
type DeliveryCounts struct {
	Waiting int64
	Dead    int64
	Oldest  int64 // ms UTC at which the oldest that waits was announced, 0 = none waits
}
