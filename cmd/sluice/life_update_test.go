package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
)

// echo sends back what get shows, from every state, and finds the client as it was.
func (l *life) echo() {
	now := time.Now().UnixMilli()
	for _, c := range []struct {
		name, status string
		fields       object
	}{
		{"active", "active", nil},
		{"full", "active", object{
			"totalGB": 5000, "expiryTime": now + dayMS, "limitIp": 3, "flow": "xtls-rprx-vision", "security": "auto", "tgId": 7,
			"comment": "a\nb", "reset": 3, "resetDay": 4, "resetMax": 5, "autoDeleteInDays": 6, "password": "p w", "auth": "x",
		}},
		{"limited", "limited", object{"totalGB": 7}},
		{"expired", "expired", object{"expiryTime": now - dayMS}},
		{"expired-limited", "expired", object{"expiryTime": now - dayMS, "totalGB": 7}},
		{"disabled", "disabled", object{"enable": false}},
		{"disabled-limited", "disabled", object{"enable": false, "totalGB": 7}},
		{"on-hold", "on_hold", object{"expiryTime": -dayMS}},
		{"on-hold-disabled", "disabled", object{"expiryTime": -dayMS, "enable": false}},
		{"daily", "active", object{"trafficReset": "daily"}},
		{"day", "active", object{"trafficReset": "day", "totalGB": 5000}},
		{"month", "active", object{"trafficReset": "month"}},
		{"monthly", "active", object{"trafficReset": "monthly", "trafficResetDay": 31}},
		{"every", "active", object{"trafficReset": "every", "trafficResetParams": object{"days": 2}}},
		{"calendar", "limited", object{
			"trafficReset": "calendar", "trafficResetParams": object{"day_of_week": 1, "hour": 5, "time_zone": "Europe/Berlin"}, "totalGB": 7,
		}},
	} {
		email := "echo-" + c.name
		l.add(email, c.fields)
		l.setTraffic(email, object{"upload": 3, "download": 4})
		l.wantStatus(email, c.status)
		before := l.raw(email)
		l.panel(http.MethodPost, "/clients/update/"+email, string(before.Client), nil)
		if after := l.raw(email); string(before.Client) != string(after.Client) || !slices.Equal(before.InboundIDs, after.InboundIDs) {
			l.t.Errorf("%s was\n%s %v\nand is after its echo\n%s %v", c.name, before.Client, before.InboundIDs, after.Client, after.InboundIDs)
		}
	}
}

// rawClient is what get answers, with the client as it was sent.
type rawClient struct {
	Client     json.RawMessage
	InboundIDs []int64
}

func (l *life) raw(email string) (c rawClient) {
	l.t.Helper()
	l.panel(http.MethodGet, "/clients/get/"+email, "", &c)
	return c
}

// changeOne is get, modify, update: what was modified changes, and nothing else.
func (l *life) changeOne() {
	for i, c := range []struct {
		fields       object
		change, also object
	}{
		{nil, object{"comment": "x"}, nil},
		{object{"totalGB": 7}, object{"totalGB": 8}, nil},
		{object{"expiryTime": -dayMS}, object{"expiryTime": -2 * dayMS}, nil},
		{object{"expiryTime": -dayMS}, object{"enable": false}, object{"status": "disabled"}},
		{object{"trafficReset": "monthly", "trafficResetDay": 5}, object{"trafficResetDay": 9}, object{"trafficResetParams": object{"day": 9}}},
		{
			object{"trafficReset": "monthly", "trafficResetDay": 5},
			object{"trafficReset": "weekly"},
			object{"trafficResetDay": 1, "trafficResetParams": object{}},
		},
		{
			object{"trafficReset": "every", "trafficResetParams": object{"days": 5}},
			object{"trafficReset": "never"},
			object{"trafficResetParams": object{}},
		},
		{
			object{"trafficReset": "every", "trafficResetParams": object{"days": 5}},
			object{"trafficResetParams": object{"days": 6}},
			nil,
		},
	} {
		email := fmt.Sprintf("change-%d", i)
		l.add(email, c.fields)
		want := object{}
		decode(l.t, string(l.raw(email).Client), &want)
		l.update(email, merged(want, c.change))
		got := object{}
		decode(l.t, string(l.raw(email).Client), &got)
		for _, own := range []string{"updatedAt", "reset_policy"} { // follow from the others
			delete(want, own)
			delete(got, own)
		}
		if want, got := text(l.t, merged(want, c.also)), text(l.t, got); got != want {
			l.t.Errorf("%v and then %v makes\n%s\nwant\n%s", c.fields, c.change, got, want)
		}
	}
}

func (l *life) partialUpdate() {
	const email, renamed = "partial", "Renamed@Example.com"
	ends := time.Now().UnixMilli() + dayMS
	added := l.add(email, object{"comment": "old", "totalGB": 1000, "expiryTime": ends, "limitIp": 2, "autoDeleteInDays": 3})
	l.update(email, object{"comment": "new"})
	got := l.get(email).Client
	if got.Comment != "new" || got.TotalGB != 1000 || got.ExpiryTime != ends || got.LimitIP != 2 || got.UUID != added.Client.UUID || !got.Enable {
		l.t.Errorf("after a change of the comment: %+v", got)
	}
	l.update(email, object{"comment": nil, "totalGB": nil, "expiryTime": nil, "limitIp": nil, "autoDeleteInDays": nil, "email": nil, "enable": nil})
	got = l.get(email).Client
	if got.Comment != "" || got.TotalGB != 0 || got.ExpiryTime != 0 || got.LimitIP != 0 || got.Email != email || !got.Enable {
		l.t.Errorf("after null: %+v", got)
	}
	l.update(email, object{"email": renamed})
	if got := l.get(strings.ToLower(renamed)).Client; got.ID != added.Client.ID || got.Email != renamed || got.SubID != added.Client.SubID {
		l.t.Errorf("after a new name: %+v", got)
	}
	l.wantRefused("/clients/update/"+email, `{"comment":"x"}`, "client not found")
	l.add(email, nil)
	l.wantRefused("/clients/update/"+email, text(l.t, object{"email": renamed}), "email already in use: "+renamed)
	l.wantRefused("/clients/update/"+email, text(l.t, object{"uuid": added.Client.UUID}), "uuid is already in use")
	l.wantRefused("/clients/update/"+email, `{"totalGB":-1}`, "totalGB must not be negative")
	l.wantRefused("/clients/update/"+email, `{"uuid":"x"}`, "uuid is not a valid UUID")
	l.wantRefused("/clients/update/"+email, `{"totalGB":"1"}`, "totalGB must be an integer")
}

func (l *life) otherUUID() {
	const email = "rekeyed"
	l.add(email, nil)
	before := l.through(email, l.inbound.Port)
	stream, kept := l.open(before), uuid.NewString()
	l.update(email, object{"id": kept})
	stream.wantCut()
	l.wantAdmitted(before, false, "with the old uuid")
	if got := l.get(email).Client.UUID; got != kept {
		l.t.Errorf("the uuid is %s, want %s", got, kept)
	}
	after := l.open(l.through(email, l.inbound.Port))
	l.update(email, object{"comment": "x"})
	after.wantAlive()
	l.panel(http.MethodPost, "/clients/del/"+email, "", nil)
	after.wantCut()
}

func (l *life) attachAndDetach() {
	const email = "attached"
	other := l.addInbound(nil)
	l.add(email, nil)
	to := func(ids ...int64) string { return text(l.t, object{"inboundIds": ids}) }
	l.panel(http.MethodPost, "/clients/"+email+"/attach", to(other.ID, l.inbound.ID), nil)
	if got := l.get(email).InboundIDs; !slices.Equal(got, []int64{l.inbound.ID, other.ID}) {
		l.t.Errorf("attached to %v", got)
	}
	here, there := l.through(email, l.inbound.Port), l.through(email, other.Port)
	kept, taken := l.open(here), l.open(there)
	l.wantRefused("/clients/"+email+"/attach", to(999), "inbound 999: not found")
	l.panel(http.MethodPost, "/clients/"+email+"/detach", to(other.ID, 999), nil)
	taken.wantCut()
	l.wantAdmitted(there, false, "detached")
	if got := l.get(email).InboundIDs; !slices.Equal(got, []int64{l.inbound.ID}) {
		l.t.Errorf("attached to %v", got)
	}
	kept.wantAlive()
	l.panel(http.MethodPost, "/clients/"+email+"/attach", to(other.ID), nil)
	l.wantAdmitted(there, true, "attached again")
	kept.wantAlive()
}

func (l *life) unknownClient() {
	for _, path := range []string{
		"update/nobody", "del/nobody", "nobody/attach", "nobody/detach", "updateTraffic/nobody", "resetTraffic/nobody",
		"ips/nobody", "clearIps/nobody",
	} {
		body := "{}"
		if strings.HasPrefix(path, "nobody/") {
			body = `{"inboundIds":[1]}`
		}
		l.wantRefused("/clients/"+path, body, "client not found")
	}
	for _, path := range []string{"get", "traffic", "links"} {
		if status, body := l.do(http.MethodGet, "/panel/api/clients/"+path+"/nobody", ""); status != http.StatusOK || !sameJSON(l.t, body, notFound) {
			l.t.Errorf("%s answers %d %s", path, status, body)
		}
	}
}
