package domain

// Status is what a user is now. It is computed, never stored as the truth.
type Status string

// The statuses, by precedence (decisions.md §1.1).
const (
	StatusDisabled Status = "disabled" // the operator's word
	StatusOnHold   Status = "on_hold"  // waits for first use
	StatusExpired  Status = "expired"
	StatusLimited  Status = "limited" // quota used up
	StatusActive   Status = "active"
)

// Facts are everything that a status depends on.
type Facts struct {
	Enabled  bool
	OnHold   bool
	ExpireAt *int64 // ms UTC, nil = never
	Quota    *int64 // bytes, nil = none
	Used     int64  // bytes, up + down
}

// StatusAt is the status that follows from the facts at now (ms UTC). Source: decisions.md §1.1, precedence
// disabled > on_hold > expired > limited > active.
func (f Facts) StatusAt(now int64) Status {
	switch {
	case !f.Enabled:
		return StatusDisabled
	case f.OnHold:
		return StatusOnHold
	case f.ExpireAt != nil && *f.ExpireAt <= now:
		return StatusExpired
	case f.Quota != nil && f.Used >= *f.Quota:
		return StatusLimited
	}
	return StatusActive
}

// Admitted says whether the core lets a user of this status connect.
func (s Status) Admitted() bool { return s == StatusActive || s == StatusOnHold }
