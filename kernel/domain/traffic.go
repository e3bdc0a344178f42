package domain

// Traffic is what a user has moved. It changes only by deltas, resets and the operator's word.
type Traffic struct {
	UserID       int64 `bun:"user_id,pk"`
	Up           int64 `bun:"up"`   // bytes since the last reset
	Down         int64 `bun:"down"` // bytes since the last reset
	LifetimeUp   int64 `bun:"lifetime_up"`
	LifetimeDown int64 `bun:"lifetime_down"`
	OnlineAt     int64 `bun:"online_at"` // ms UTC of the last byte, 0 = never
}

// Used is what counts against the quota.
func (t Traffic) Used() int64 { return t.Up + t.Down }

// TrafficDelta is what one user moved since the last flush.
type TrafficDelta struct {
	UserID   int64
	Up, Down int64 // bytes
	OnlineAt int64 // ms UTC of the last byte
}

// InboundDelta is what passed one inbound since the last flush: what its users moved, and nobody in particular.
type InboundDelta struct {
	InboundID int64
	Up, Down  int64 // bytes
}

// Chunk is a part of a node's traffic that is stored whole, once: the database knows (Node, Seq) and adds none twice.
type Chunk struct {
	Node     string
	Seq      int64
	Users    []TrafficDelta
	Inbounds []InboundDelta
}

// Empty says whether the chunk holds nothing.
func (c *Chunk) Empty() bool { return len(c.Users) == 0 && len(c.Inbounds) == 0 }

// ResetReason says why usage was set to zero.
type ResetReason string

// The reasons of a reset.
const (
	ResetByPeriod   ResetReason = "period"  // a boundary of the user's reset policy
	ResetByRenewal  ResetReason = "renewal" // the subscription was renewed on expiry
	ResetByOperator ResetReason = "manual"
)

// UsageReset is one row of the log of resets: what was used until then.
type UsageReset struct {
	ID     int64       `bun:"id,pk,autoincrement"`
	UserID int64       `bun:"user_id"`
	At     int64       `bun:"at"`   // ms UTC
	Up     int64       `bun:"up"`   // bytes at the reset
	Down   int64       `bun:"down"` // bytes at the reset
	Reason ResetReason `bun:"reason"`
}

// HourUsage is what a user moved in one hour.
type HourUsage struct {
	Hour     int64 // ms UTC of its start
	Up, Down int64 // bytes
}

// Sighting says that a user had a connection from an address.
type Sighting struct {
	UserID int64  `bun:"user_id"`
	IP     string `bun:"ip"`      // in canonical form
	Node   string `bun:"node"`    // GUID of the node that saw it
	SeenAt int64  `bun:"seen_at"` // ms UTC of the last time
}
