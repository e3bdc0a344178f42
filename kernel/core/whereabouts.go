package core

import (
	"cmp"
	"maps"
	"slices"

	"github.com/sluicehq/sluice/kernel/domain"
)

// online returns the users with open connections, ascending by id.
func (g *gate) online() []Online {
	var list []Online
	g.users.present(func(u *user) {
		if o := u.online(); o.Connections > 0 {
			list = append(list, o)
		}
	})
	slices.SortFunc(list, func(a, b Online) int { return cmp.Compare(a.UserID, b.UserID) })
	return list
}

// activeInbounds returns the inbounds with open connections, ascending.
func (g *gate) activeInbounds() []int64 {
	active := map[int64]bool{}
	g.everybody(g.visit(func(_ *user, here *presence) {
		for _, c := range here.conns {
			active[c.inbound] = true
		}
	}))
	return slices.Sorted(maps.Keys(active))
}

// sightings returns, and forgets, the addresses that are worth storing, ascending by user. Who left long ago fades.
func (g *gate) sightings() []domain.Sighting {
	var list []domain.Sighting
	now, grace := g.now(), g.grace.Load()
	g.users.present(g.visit(func(u *user, here *presence) {
		list = append(list, here.sightings(u.id, now)...)
		here.expire(now, grace)
	}))
	slices.SortStableFunc(list, func(a, b domain.Sighting) int { return cmp.Compare(a.UserID, b.UserID) })
	return list
}

// sightingsOf returns, and forgets, the addresses of one user that are worth storing.
func (g *gate) sightingsOf(id int64) (list []domain.Sighting) {
	if u := g.users.get(id); u != nil {
		g.visit(func(_ *user, here *presence) { list = here.sightings(id, g.now()) })(u)
	}
	return list
}

// forgetAddresses drops what is known of a user's addresses without an open connection.
func (g *gate) forgetAddresses(id int64) {
	if u := g.users.get(id); u != nil {
		g.visit(func(_ *user, here *presence) { here.forget() })(u)
	}
}

// visit makes f, which is called for users with a presence and under their lock, a function of any user.
func (g *gate) visit(f func(*user, *presence)) func(*user) {
	return func(u *user) {
		u.mu.Lock()
		defer u.mu.Unlock()
		if u.here != nil {
			f(u, u.here)
			g.fade(u)
		}
	}
}

// refused returns how many connections of a user the address limit has refused.
func (g *gate) refused(id int64) int64 {
	u := g.users.get(id)
	if u == nil {
		return 0
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.refused
}
