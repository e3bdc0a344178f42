package xui

import (
	"slices"
	"strings"

	"github.com/sluicehq/sluice/kernel/accounts"
	"github.com/sluicehq/sluice/kernel/domain"
)

// Extras are what a user can have and a client of 3x-ui can not: the other dialect sets it. An export has of it what its
// other fields do not say already, so that most clients look as they do in 3x-ui, and what makes clients takes it. It is
// exported because the API's document passes over embedded types that are not.
type Extras struct {
	VMessID             string          `json:"vmessId,omitempty" doc:"uuid for vmess, if it is not id"`
	ShadowsocksPassword string          `json:"shadowsocksPassword,omitempty" doc:"if it is not password"`
	Method              string          `json:"method,omitempty" doc:"cipher for shadowsocks before 2022, if it is not the inbound's"`
	Groups              []string        `json:"groups,omitempty" doc:"names of all its groups, group first; made if there are none of these names"`
	HoldTimeout         int64           `json:"holdTimeout,omitempty" doc:"ms since the epoch at which a hold ends by itself, 0 = never; not heeded of others"`
	NextPlan            *clientNextPlan `json:"nextPlan,omitempty" doc:"what follows when time or quota are used up"`
}

// clientNextPlan is what a client gets when its time or its quota is used up.
type clientNextPlan struct {
	UserTemplateID      *int64 `json:"userTemplateId" doc:"the template that is applied, null = what follows is"`
	DataLimit           int64  `json:"dataLimit" doc:"quota in bytes, 0 = none"`
	Expire              int64  `json:"expire" doc:"ms that the client gets, 0 = no expiry"`
	AddRemainingTraffic bool   `json:"addRemainingTraffic" doc:"what is left of the old quota is added to the new one"`
}

func newExtras(l *accounts.Listed) Extras {
	u, e := &l.User, Extras{HoldTimeout: orZero(l.User.HoldTimeout)}
	if u.VMessID != u.VLESSID {
		e.VMessID = u.VMessID
	}
	if u.ShadowsocksPassword != u.TrojanPassword {
		e.ShadowsocksPassword = u.ShadowsocksPassword
	}
	if u.Method != nil {
		e.Method = *u.Method
	}
	if !slices.Equal(l.GroupNames, []string{strings.TrimSpace(l.Group)}) { // which is all that group can say
		e.Groups = l.GroupNames
	}
	if u.HasNextPlan {
		e.NextPlan = &clientNextPlan{u.NextTemplate, orZero(u.NextQuota), u.NextDuration, u.NextCarriesOver}
	}
	return e
}

// addTo gives them to a client that is made.
func (e *Extras) addTo(n *accounts.NewUser) error {
	n.VMessID, n.ShadowsocksPassword, n.HoldTimeout = e.VMessID, e.ShadowsocksPassword, noneIfZero(e.HoldTimeout)
	if e.Method != "" {
		n.Method = &e.Method
	}
	if p := e.NextPlan; p != nil {
		n.NextPlan = domain.NextPlan{
			HasNextPlan: true, NextTemplate: p.UserTemplateID, NextQuota: noneIfZero(p.DataLimit),
			NextDuration: p.Expire, NextCarriesOver: p.AddRemainingTraffic,
		}
	}
	if len(e.Groups) == 0 {
		return nil
	}
	if len(n.GroupNames) > 0 && n.GroupNames[0] != strings.TrimSpace(e.Groups[0]) {
		return domain.Invalid("groups", "must begin with the group of the field group")
	}
	n.GroupNames = e.Groups
	return nil
}
