// Package core runs the embedded xray-core and decides, connection by connection, who may use it. DESIGN.md beside this
// file says how and why.
package core

import (
	"context"
	"net/netip"
	"time"

	"github.com/jonboulle/clockwork"
	"go.uber.org/zap"

	"github.com/sluicehq/sluice/kernel/domain"
)

// Snapshot is everything that the core serves when it starts.
type Snapshot struct {
	Config   string                                       // base configuration, JSON, "" = DefaultConfig
	Inbounds []domain.Inbound                             // disabled ones are known but not opened
	Accounts func(yield func(domain.Account) error) error // streams every user, nil = none
}

// Options are what an Engine needs of its surroundings. The zero value works.
type Options struct {
	Log     *zap.Logger        // nil = silent
	Clock   clockwork.Clock    // nil = the real one
	CertDir string             // inbounds and base configuration may name files below it only, "" = no files at all
	OnQuota func(userID int64) // called outside locks when a user's quota is used up, nil = nobody is told

	// OnFirstUse is called outside locks when a user on hold moves its first byte after it was put on hold; at is the time
	// in ms UTC. It is called again for the next byte after an ApplyUsers that finds the user still on hold, so that an
	// activation that failed is not lost. nil = nobody is told.
	OnFirstUse func(userID, at int64)
}

// Problem is an inbound that should run and does not.
type Problem struct {
	InboundID int64
	Tag       string
	Reason    string // one sentence that is safe to show
}

// Online is a user with open connections.
type Online struct {
	UserID      int64
	Connections int          // at least 1
	Addresses   []netip.Addr // distinct, ascending; empty when the transport hides them
	Inbounds    []int64      // distinct, ascending
}

// Backend is the core as the rest of Sluice sees it. No xray type crosses it, so that another process can stand behind it.
type Backend interface {
	// Start opens the inbounds and lets the users in. An inbound that can not be opened becomes a Problem and the others
	// run. An error means that nothing runs. A Backend is started once.
	Start(ctx context.Context, s Snapshot) error
	// Stop shuts the gate, closes the inbounds and cuts every connection. Traffic can still be read and flushed
	// afterwards. It waits for its goroutines until ctx ends.
	Stop(ctx context.Context) error

	// ApplyInbounds opens, changes and closes inbounds while everything else runs. What is older than what the core knows
	// is left out. An inbound that can not be opened is a Problem, and the ones beside it are not touched; if it was open
	// before a change, it goes on as it was. Audit tries again. The failures are returned, joined.
	ApplyInbounds(ctx context.Context, put []domain.Inbound, remove []int64) error
	// ApplyUsers admits, changes and removes users. When it returns, removals, blocks and detachments hold, connections
	// that may no longer be are cut, and additions are live; on shadowsocks 2022 inbounds they are within 250 ms. A record
	// with a smaller User.Revision than the known one is left out, and a removed id never comes back. Account.Traffic must
	// have been read while no flush is between its commit and its Flushed, else those bytes count twice.
	ApplyUsers(ctx context.Context, put []domain.Account, remove []int64) error
	// Recheck looks at users whose time may be over, or have come back: who is no longer admitted now is cut at once, and
	// the core's lists follow. It costs as much as there are users given.
	Recheck(userIDs []int64) error
	// Kick cuts the user's open connections and returns how many there were. The user may come back.
	Kick(userID int64) int

	// Moved returns what is not yet flushed of the users that moved bytes, and of the inbounds that did, both ascending by
	// id. It costs as much as there are such users. OnlineAt is the time of the first call after the last byte. What the
	// kernel moves by itself (spliced connections) is in it when such a connection ends.
	Moved() (users []domain.TrafficDelta, inbounds []domain.InboundDelta)
	// Flushed says that these deltas of Moved are stored.
	Flushed(users []domain.TrafficDelta, inbounds []domain.InboundDelta)
	// Unflushed returns the bytes of one user that are not yet stored.
	Unflushed(userID int64) (up, down int64)
	// UnflushedInbound returns the bytes of one inbound that are not yet stored. Those of a removed one are forgotten.
	UnflushedInbound(inboundID int64) (up, down int64)

	// Online returns the users with open connections, ascending by id. It costs as much as there are such users, and such
	// that were since the last Sightings.
	Online() []Online
	// ActiveInbounds returns the inbounds with open connections, also of nobody in particular, ascending. Its cost is that
	// of Online.
	ActiveInbounds() []int64
	// Sightings returns, and forgets, the addresses that users had connections from since the last call, and those that
	// they have now, ascending by user, without Node. Of one user they are at most the 32 newest.
	Sightings() []domain.Sighting
	// SightingsOf is Sightings for one user.
	SightingsOf(userID int64) []domain.Sighting
	// ForgetAddresses drops what is known of a user's addresses without an open connection: they no longer count against
	// its limit, and Sightings does not return them.
	ForgetAddresses(userID int64)
	// SetAddressGrace sets how long an address counts against the IP limit after its last connection closed (30 s until it
	// is called). It takes effect at once.
	SetAddressGrace(d time.Duration)
	// Refused returns how many connections of the user the IP limit has refused since the start.
	Refused(userID int64) int64
	// Refusals returns how many connections were refused since the start, by reason: ip_limit, not_admitted, not_attached,
	// no_user, inbound_closed and shut, each always present.
	Refusals() map[string]int64

	// Problems returns the inbounds that should run and do not, ascending by id.
	Problems() []Problem
	// SetConfig restarts the core with another base configuration, which cuts every connection. If it does not start, the
	// old one runs again and the error says why. "" = DefaultConfig.
	SetConfig(ctx context.Context, json string) error
	// Audit compares the running user lists with what they should be, mends them, opens inbounds that failed before and
	// cuts users whose time is over. repaired counts what was wrong in the lists.
	Audit(ctx context.Context) (repaired int, err error)
	// Health returns nil while the core runs.
	Health() error
}

var _ Backend = (*Engine)(nil)
