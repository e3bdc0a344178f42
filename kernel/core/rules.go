package core

import (
	"encoding/binary"
	"math"
	"unique"

	"github.com/sluicehq/sluice/kernel/domain"
)

// never is the expiry of a user whose time does not end.
const never = math.MaxInt64

// rules are the part of an account that says who may come in, where and as what, in the space of six words: there is one
// for every user there is. The zero rules let nobody in anywhere.
type rules struct {
	revision int64
	expireAt int64 // ms UTC
	secrets  secrets
	inbounds inboundSet
	limitIP  int32
	enabled  bool
	onHold   bool
	quota    bool
}

// newRules takes out of an account what the gate needs.
func newRules(a *domain.Account) rules {
	u := &a.User
	r := rules{
		revision: u.Revision,
		expireAt: never,
		secrets:  pack(&u.Credentials),
		inbounds: newInboundSet(a.Inbounds),
		limitIP:  int32(min(u.LimitIP, math.MaxInt32)),
		enabled:  u.Enabled,
		onHold:   u.HoldSince != nil,
		quota:    u.Quota != nil,
	}
	if u.ExpireAt != nil {
		r.expireAt = *u.ExpireAt
	}
	return r
}

// admitted says whether the rules let the user connect at now (ms UTC). The quota is not part of it: the user's budget is
// exact to the byte, and facts are not.
func (r *rules) admitted(now int64) bool {
	return domain.Facts{Enabled: r.enabled, OnHold: r.onHold, ExpireAt: &r.expireAt}.StatusAt(now).Admitted()
}

// inboundSet is a set of inbounds. Most users have one of a few sets, so each is kept once: 8 bytes an id, ascending.
type inboundSet struct{ ids unique.Handle[string] }

// newInboundSet makes a set of ids that ascend.
func newInboundSet(ids []int64) inboundSet {
	if len(ids) == 0 {
		return inboundSet{}
	}
	b := make([]byte, 0, 8*len(ids))
	for _, id := range ids {
		b = binary.LittleEndian.AppendUint64(b, uint64(id))
	}
	return inboundSet{unique.Make(string(b))}
}

// has says whether the inbound is in the set. The sets are too short for a search to pay.
func (s inboundSet) has(id int64) bool {
	if s == (inboundSet{}) {
		return false
	}
	ids := s.ids.Value()
	for i := 0; i < len(ids); i += 8 {
		if binary.LittleEndian.Uint64([]byte(ids[i:i+8])) == uint64(id) {
			return true
		}
	}
	return false
}
