package main

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
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
	Grouped                     bool   `json:"-"` // it was made from the template, and has the inbounds of its group
}

// learned is the client with what the server made up for it, if that was not known: its id, and secrets that nobody gave.
func (u crashUser) learned(found crashUser) crashUser {
	if u.ID == 0 {
		u.ID = found.ID
	}
	if u.SubID == "" {
		u.SubID, u.UUID = found.SubID, found.UUID
	}
	return u
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
	method string // of the PasarGuard dialect, "" = a POST about clients in the 3x-ui one
	path   string
	body   any // nil = none
	after  crashUsers
	made   []string   // emails of new clients, in the order of their ids
	key    string     // under which it may be sent again, "" = it may not
	moves  string     // whose usage it sets although it moves bytes, "" = nobody's
	usage  bytesMoved // what it sets that to
}

// route is where the request goes.
func (op *crashOp) route() (method, path string) {
	if op.method == "" {
		return http.MethodPost, "/panel/api/clients/" + op.path
	}
	return op.method, "/api/" + op.path
}

const (
	crashNames  = 20       // clients that there may be at a time
	crashPlan   = 5000     // bytes that the template gives
	crashMember = "member" // is in the group from the beginning to the end
)

// workload makes up requests. The same random numbers make the same ones.
type workload struct {
	*rand.Rand
	inbounds [2]int64
	tags     [2]string // of the inbounds
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
		if w.IntN(2) == 0 {
			return w.fromTemplate(users, email)
		}
		return w.add(users, email)
	}
	switch w.IntN(15) {
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
	case 10:
		return w.changeGroup(users)
	case 11:
		return w.manyFromTemplate(users)
	case 12:
		if u.Grouped {
			return w.applyTemplate(users, u)
		}
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

// planned is a client as the template makes it, whose secrets the server makes up.
func (w *workload) planned(users crashUsers, email, note string) crashUser {
	return crashUser{
		Email: email, Comment: note, TotalGB: crashPlan, Enabled: true, Inbounds: users[crashMember].Inbounds, Grouped: true,
	}
}

func (w *workload) fromTemplate(users crashUsers, email string) crashOp {
	u := w.planned(users, email, w.word())
	return crashOp{
		method: http.MethodPost, path: "user/from_template", after: users.with(u), made: []string{email},
		body: object{"user_template_id": 1, "username": email, "note": u.Comment},
	}
}

// manyFromTemplate makes the clients among some names in a row that are not there.
func (w *workload) manyFromTemplate(users crashUsers) crashOp {
	const count = 5
	first, note := w.IntN(crashNames-count+1), w.word()
	op := crashOp{method: http.MethodPost, path: "users/bulk/from_template", after: maps.Clone(users), body: object{
		"user_template_id": 1, "strategy": "sequence", "username": "user-", "start_number": first, "count": count, "note": note,
	}}
	for n := first; n < first+count; n++ {
		email := fmt.Sprintf("user-%d", n)
		if _, known := users[email]; !known {
			op.after[email], op.made = w.planned(users, email, note), append(op.made, email)
		}
	}
	return op
}

// applyTemplate brings a client back to what the template gives.
func (w *workload) applyTemplate(users crashUsers, u crashUser) crashOp {
	u.Comment, u.TotalGB, u.Enabled, u.Up, u.Down = w.word(), crashPlan, true, 0, 0
	return crashOp{
		method: http.MethodPut, path: "user/" + u.Email + "/from_template", after: users.with(u),
		body: object{"user_template_id": 1, "note": u.Comment},
	}
}

// changeGroup lets the members of the group into one inbound, into both, or nowhere.
func (w *workload) changeGroup(users crashUsers) crashOp {
	n := w.IntN(3)
	op := crashOp{method: http.MethodPut, path: "group/1", after: maps.Clone(users), body: object{
		"inbound_tags": w.tags[:max(1, n)], "is_disabled": n == 0,
	}}
	for email, u := range users {
		if u.Grouped {
			u.Inbounds = fmt.Sprint(w.inbounds[:n])
			op.after[email] = u
		}
	}
	return op
}

// connect attaches a client to the second inbound, or detaches it. Those of a group have what the group has.
func (w *workload) connect(users crashUsers, u crashUser) crashOp {
	if u.Grouped {
		return w.update(users, u)
	}
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
