package main

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"

	"github.com/google/uuid"
)

// crashUser is a client as the API must show it.
type crashUser struct {
	ID                          int64
	Email, SubID, UUID, Comment string
	TotalGB                     int64
	LimitIP                     int
	Enabled                     bool // the operator's word
	Up, Down                    int64
	Inbounds                    string // as fmt prints them: it makes users comparable
}

// shown is enable as it is shown.
func (u crashUser) shown() bool {
	return u.Enabled && (u.TotalGB == 0 || u.Up+u.Down < u.TotalGB)
}

// crashUsers are all clients by email. They are never changed in place.
type crashUsers map[string]crashUser

// with is a copy in which a client is another.
func (m crashUsers) with(u crashUser) crashUsers {
	next := maps.Clone(m)
	next[u.Email] = u
	return next
}

// crashOp is a request with what it makes of the clients.
type crashOp struct {
	path  string
	body  any // nil = none
	after crashUsers
	made  []string   // emails of new clients, in the order of their ids
	key   string     // under which it may be sent again, "" = it may not
	moves string     // whose usage it sets although it moves bytes, "" = nobody's
	usage bytesMoved // what it sets that to
}

// crashNames is how many clients there may be at a time.
const crashNames = 20

// workload makes up requests. The same random numbers make the same ones.
type workload struct {
	*rand.Rand
	inbounds [2]int64
	movers   []string
	bulks    int // which bulk request comes next
}

// next is a request that must succeed.
func (w *workload) next(users crashUsers) crashOp {
	if w.IntN(10) == 0 {
		return w.onMover(users)
	}
	email := fmt.Sprintf("user-%d", w.IntN(crashNames))
	u, known := users[email]
	if !known {
		return w.add(users, email)
	}
	switch w.IntN(12) {
	case 0:
		after := maps.Clone(users)
		delete(after, email)
		return crashOp{path: "del/" + email, after: after}
	case 1, 2:
		u.Up, u.Down = 0, 0
		return crashOp{path: "resetTraffic/" + email, after: users.with(u)}
	case 3, 4:
		return w.setTraffic(users, u)
	case 5, 6:
		return w.connect(users, u)
	case 7:
		return w.adjust(users)
	case 8:
		return w.bulk(users)
	case 9:
		return w.bulkCreate(users)
	}
	return w.update(users, u)
}

// some are different emails, of clients or not.
func (w *workload) some() []string {
	emails := []string{}
	for _, n := range w.Perm(crashNames)[:5] {
		emails = append(emails, fmt.Sprintf("user-%d", n))
	}
	return emails
}

// bulk does one thing to some clients in one transaction.
func (w *workload) bulk(users crashUsers) crashOp {
	op := crashOp{after: maps.Clone(users), key: w.word()}
	emails := w.some()
	op.body = object{"emails": emails}
	for _, email := range emails {
		u, known := users[email]
		if !known {
			continue
		}
		switch w.bulks {
		case 0:
			op.path, u.Enabled = "bulkEnable", true
		case 1:
			op.path, u.Enabled = "bulkDisable", false
		case 2:
			op.path, u.Up, u.Down = "bulkResetTraffic", 0, 0
		case 3:
			op.path = "bulkDel"
		}
		if op.after[email] = u; op.path == "bulkDel" {
			delete(op.after, email)
		}
	}
	w.bulks = (w.bulks + 1) % 4
	if op.path == "" { // nobody is there
		return w.adjust(users)
	}
	return op
}

// bulkCreate makes the clients among some names that are not there.
func (w *workload) bulkCreate(users crashUsers) crashOp {
	op, list := crashOp{path: "bulkCreate", after: maps.Clone(users), key: w.word()}, []object{}
	for _, email := range w.some() {
		u := crashUser{Email: email, SubID: w.word(), UUID: w.uuid(), Enabled: true, Inbounds: fmt.Sprint(w.inbounds)}
		list = append(list, object{"inboundIds": w.inbounds, "client": object{"email": email, "subId": u.SubID, "uuid": u.UUID}})
		if _, known := users[email]; !known {
			op.after[email], op.made = u, append(op.made, email)
		}
	}
	op.body = list
	return op
}

func (w *workload) add(users crashUsers, email string) crashOp {
	u := crashUser{
		Email: email, SubID: w.word(), UUID: w.uuid(), Comment: w.word(), TotalGB: w.quota(), Enabled: w.IntN(4) > 0,
		Inbounds: fmt.Sprint(w.inbounds[:1+w.IntN(2)]),
	}
	ids := w.inbounds[:]
	if u.Inbounds != fmt.Sprint(ids) {
		ids = ids[:1]
	}
	return crashOp{path: "add", after: users.with(u), made: []string{email}, body: object{"inboundIds": ids, "client": object{
		"email": email, "subId": u.SubID, "uuid": u.UUID, "comment": u.Comment, "totalGB": u.TotalGB, "enable": u.Enabled,
	}}}
}

// update changes several fields in one request.
func (w *workload) update(users crashUsers, u crashUser) crashOp {
	enable := w.IntN(3) > 0
	if enable != u.shown() { // what is shown already is no change
		u.Enabled = enable
	}
	u.UUID, u.Comment, u.TotalGB, u.LimitIP = w.uuid(), w.word(), w.quota(), w.IntN(3)
	return crashOp{path: "update/" + u.Email, after: users.with(u), body: object{
		"uuid": u.UUID, "comment": u.Comment, "totalGB": u.TotalGB, "limitIp": u.LimitIP, "enable": enable,
	}}
}

func (w *workload) setTraffic(users crashUsers, u crashUser) crashOp {
	body := object{"upload": w.IntN(1500)}
	u.Up = int64(body["upload"].(int))
	if w.IntN(2) == 0 {
		body["download"] = w.IntN(1500)
		u.Down = int64(body["download"].(int))
	}
	return crashOp{path: "updateTraffic/" + u.Email, body: body, after: users.with(u)}
}

// connect attaches a client to the second inbound, or detaches it.
func (w *workload) connect(users crashUsers, u crashUser) crashOp {
	path, both := "/attach", fmt.Sprint(w.inbounds)
	if u.Inbounds == both {
		path, u.Inbounds = "/detach", fmt.Sprint(w.inbounds[:1])
	} else {
		u.Inbounds = both
	}
	return crashOp{path: u.Email + path, body: object{"inboundIds": w.inbounds[1:]}, after: users.with(u)}
}

// adjust changes some clients in one transaction.
func (w *workload) adjust(users crashUsers) crashOp {
	after := maps.Clone(users)
	emails := []string{}
	for range 5 {
		email := fmt.Sprintf("user-%d", w.IntN(crashNames))
		emails = append(emails, email)
		if u, known := users[email]; known && u.TotalGB > 0 {
			u.TotalGB += 100
			after[email] = u
		}
	}
	return crashOp{path: "bulkAdjust", body: object{"emails": emails, "addBytes": 100}, after: after, key: w.word()}
}

// onMover changes a client that moves bytes meanwhile.
func (w *workload) onMover(users crashUsers) crashOp {
	u := users[w.movers[w.IntN(len(w.movers))]]
	switch w.IntN(4) {
	case 0:
		return crashOp{path: "resetTraffic/" + u.Email, after: users, moves: u.Email}
	case 1:
		set := bytesMoved{w.Int64N(1000), w.Int64N(1000)}
		return crashOp{
			path: "updateTraffic/" + u.Email, body: object{"upload": set.up, "download": set.down},
			after: users, moves: u.Email, usage: set,
		}
	case 2:
		return w.connect(users, u)
	}
	u.Comment = w.word()
	return crashOp{path: "update/" + u.Email, body: object{"comment": u.Comment}, after: users.with(u)}
}

func (w *workload) word() string { return fmt.Sprintf("w%016x", w.Uint64()) }

func (w *workload) uuid() string {
	var id uuid.UUID
	for i := range id {
		id[i] = byte(w.Uint32())
	}
	return id.String()
}

// quota is one that is used up now and then, 0 = none.
func (w *workload) quota() int64 { return []int64{0, 500, 1000, 5000}[w.IntN(4)] }

// emails are those of all clients, in order.
func (m crashUsers) emails() []string { return slices.Sorted(maps.Keys(m)) }
