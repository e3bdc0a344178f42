package directory

import (
	"testing"

	"github.com/sluicehq/sluice/kernel/domain"
)

// Each state is of one status and of one bucket.
func TestStates(t *testing.T) {
	const now = 1_000
	hold := func(a *domain.Account) { a.User.Hold(500, 100, nil) }
	expiry := func(at int64) func(*domain.Account) {
		return func(a *domain.Account) { a.User.ExpireAt = &at }
	}
	left := func(bytes int64) func(*domain.Account) {
		return func(a *domain.Account) { a.User.Quota, a.Traffic.Up = ptr(int64(500)), 500-bytes }
	}
	disable := func(a *domain.Account) { a.User.Enabled = false }
	for _, c := range []struct {
		name   string
		facts  []func(*domain.Account)
		want   state
		bucket Bucket
		status domain.Status
	}{
		{"active", nil, running, Active, domain.StatusActive},
		{"with all that is enough", []func(*domain.Account){expiry(now + 30), left(200)}, running, Active, domain.StatusActive},
		{"soon expired", []func(*domain.Account){expiry(now + 29)}, ending, Expiring, domain.StatusActive},
		{"little left", []func(*domain.Account){left(199)}, ending, Expiring, domain.StatusActive},
		{"expired", []func(*domain.Account){expiry(now)}, expired, Depleted, domain.StatusExpired},
		{"limited", []func(*domain.Account){left(0)}, exhausted, Depleted, domain.StatusLimited},
		{"expired and limited", []func(*domain.Account){expiry(now - 1), left(-5)}, expired, Depleted, domain.StatusExpired},
		{"on hold", []func(*domain.Account){hold, left(200)}, held, Active, domain.StatusOnHold},
		{"on hold with little left", []func(*domain.Account){hold, left(199)}, scarce, Expiring, domain.StatusOnHold},
		{"on hold with nothing left", []func(*domain.Account){hold, left(-1)}, scarce, Expiring, domain.StatusOnHold},
		{"on hold, with an expiry that does not count", []func(*domain.Account){hold, expiry(now - 1)}, held, Active, domain.StatusOnHold},
		{"disabled, whatever else", []func(*domain.Account){hold, left(0), disable}, disabled, Disabled, domain.StatusDisabled},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := New()
			d.SetExpiring(30, 200)
			d.Put(with(1, 1, func(a *domain.Account) {
				for _, set := range c.facts {
					set(a)
				}
			}))
			if got := d.stateAt(d.ids.get(1), now); got != c.want {
				t.Errorf("state %b, want %b", got, c.want)
			}
			for b := Active; b < Online; b <<= 1 {
				if got, want := d.Page(now, Query{Buckets: b}).Filtered == 1, b == c.bucket; got != want {
					t.Errorf("in bucket %b: %v, want %v", b, got, want)
				}
			}
			for status := range statusStates {
				q := Query{Statuses: []domain.Status{status}}
				if got, want := d.Page(now, q).Filtered == 1, status == c.status; got != want {
					t.Errorf("is %s: %v, want %v", status, got, want)
				}
			}
		})
	}
}
