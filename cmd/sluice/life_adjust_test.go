package main

import (
	"fmt"
	"io"
	"net/http"
	"reflect"
	"strings"
	"time"

	"github.com/sluicehq/sluice/kernel/core/coretest"
)

// adjustment is what bulkAdjust answers.
type adjustment struct {
	Adjusted int
	Skipped  []struct{ Email, Reason string }
}

func (l *life) bulkAdjust() {
	now := time.Now().UnixMilli()
	vision := l.addInbound(object{"settings": object{"decryption": "mlkem768x25519plus.native.600s." + realityKey(l)}, "streamSettings": object{"network": "xhttp"}})
	l.add("adj-timed", object{"expiryTime": now + dayMS, "totalGB": 1000})
	l.add("adj-free", nil)
	l.add("adj-held", object{"expiryTime": -dayMS})
	l.add("adj-limited", object{"totalGB": 10})
	l.setTraffic("adj-limited", object{"upload": 10})
	l.add("adj-vision", nil)
	l.panel(http.MethodPost, "/clients/adj-vision/attach", text(l.t, object{"inboundIds": []int64{vision.ID}}), nil)

	for _, c := range []struct {
		name, request string
		adjusted      int
		skipped       []string // email: reason
		shown         map[string]string
	}{
		{
			"every reason, in the order of the request",
			`{"emails":["adj-free"," adj-timed ","nobody","adj-held","ADJ-FREE","adj-timed"],"addDays":-2,"addBytes":-1000,"flow":"xtls-rprx-vision"}`, 1,
			[]string{
				"adj-free: unlimited expiry", "adj-free: unlimited traffic", "adj-free: flow not supported on inbound",
				"adj-timed: reduction exceeds remaining quota", "adj-timed: flow not supported on inbound",
				"nobody: client not found",
				"adj-held: reduction exceeds delay window", "adj-held: unlimited traffic", "adj-held: flow not supported on inbound",
			},
			map[string]string{"adj-timed": fmt.Sprint("expired ", now-dayMS, " 1000 "), "adj-held": fmt.Sprint("on_hold ", -dayMS, " 0 ")},
		},
		{
			"more than all time since 1970", `{"emails":["adj-timed"],"addDays":-36500}`, 0,
			[]string{"adj-timed: reduction exceeds remaining time"},
			map[string]string{"adj-timed": fmt.Sprint("expired ", now-dayMS, " 1000 ")},
		},
		{
			"back to life", `{"emails":["adj-timed","adj-held","adj-limited"],"addDays":3,"addBytes":5}`, 3,
			[]string{"adj-held: unlimited traffic", "adj-limited: unlimited expiry"},
			map[string]string{
				"adj-timed": fmt.Sprint("active ", now+2*dayMS, " 1005 "), "adj-held": fmt.Sprint("on_hold ", -4*dayMS, " 0 "),
				"adj-limited": "active 0 15 ",
			},
		},
		{"flow", `{"emails":["adj-vision"],"flow":"xtls-rprx-vision"}`, 1, nil, map[string]string{"adj-vision": "active 0 0 xtls-rprx-vision"}},
		{"no flow", `{"emails":["adj-vision"],"flow":"none"}`, 1, nil, map[string]string{"adj-vision": "active 0 0 "}},
		{"nobody", `{"emails":[],"addDays":1}`, 0, nil, nil},
		{"nobody and nothing", `{"emails":[]}`, 0, nil, nil},
	} {
		var got adjustment
		l.panel(http.MethodPost, "/clients/bulkAdjust", c.request, &got)
		skipped := []string{}
		for _, s := range got.Skipped {
			skipped = append(skipped, s.Email+": "+s.Reason)
		}
		if got.Adjusted != c.adjusted || got.Skipped == nil || !reflect.DeepEqual(skipped, append([]string{}, c.skipped...)) {
			l.t.Errorf("%s: adjusted %d, skipped %q, want %d, %q", c.name, got.Adjusted, skipped, c.adjusted, c.skipped)
		}
		for email, want := range c.shown {
			var shown struct {
				Client struct {
					Status, Flow        string
					ExpiryTime, TotalGB int64
				}
			}
			l.panel(http.MethodGet, "/clients/get/"+email, "", &shown)
			if got := fmt.Sprintf("%s %d %d %s", shown.Client.Status, shown.Client.ExpiryTime, shown.Client.TotalGB, shown.Client.Flow); got != want {
				l.t.Errorf("%s: %s is %q, want %q", c.name, email, got, want)
			}
		}
	}
}

func realityKey(l *life) string {
	private, _ := coretest.RealityKeys(l.t)
	return private
}

func (l *life) badBulkAdjust() {
	for _, c := range []struct{ request, msg string }{
		{`{"emails":["x"]}`, "no adjustment specified"},
		{`{"emails":["x"],"addDays":0,"addBytes":0,"flow":""}`, "no adjustment specified"},
		{`{"emails":["x"],"flow":"x"}`, `flow must be "", "none" or "xtls-rprx-vision"`},
		{`{"emails":["x"],"addDays":36501}`, "addDays must be between -36500 and 36500"},
		{`{"emails":["x"],"addDays":1.5}`, "addDays must be an integer"},
		{`{"emails":"x"}`, "emails must be an array"},
		{`{"emails":["x"` + strings.Repeat(`,"x"`, 5000) + `],"addDays":1}`, "emails has 5001 items, at most 5000 are allowed"},
	} {
		l.wantRefused("/clients/bulkAdjust", c.request, c.msg)
	}
}

// inboundEnds gives one inbound a quota and another one a time, and finds both closed for everybody.
func (l *life) inboundEnds() {
	const email, quota = "two-inbounds", 1_000_000
	ends := time.Now().Add(2 * time.Second).UnixMilli()
	small, short := l.addInbound(object{"total": quota}), l.addInbound(object{"expiryTime": ends})
	l.add(email, nil)
	l.panel(http.MethodPost, "/clients/"+email+"/attach", text(l.t, object{"inboundIds": []int64{small.ID, short.ID}}), nil)
	stays, streams := l.open(l.through(email, l.inbound.Port)), []*stream{}
	for _, in := range []shownInbound{small, short} {
		streams = append(streams, l.open(l.through(email, in.Port)))
	}
	resp, err := l.through(email, small.Port).Get(fmt.Sprintf("%s/bytes?n=%d", l.origin.URL, quota))
	if err != nil {
		l.t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, resp.Body) // may be cut at any byte
	_ = resp.Body.Close()
	streams[0].wantCut()
	if cut := streams[1].wantCut().UnixMilli(); cut < ends {
		l.t.Errorf("the inbound closed %d ms before its time", ends-cut)
	}
	var list []shownInbound
	coretest.Eventually(l.t, "the inbounds are closed", func() bool {
		l.panel(http.MethodGet, "/inbounds/list", "", &list)
		return !coretest.Reachable(fmt.Sprintf("127.0.0.1:%d", small.Port)) && !coretest.Reachable(fmt.Sprintf("127.0.0.1:%d", short.Port))
	})
	for _, in := range list {
		problems := map[int64]string{small.ID: "its quota is used up", short.ID: "it has expired"}
		if in.Problem != problems[in.ID] {
			l.t.Errorf("inbound %d has the problem %q", in.ID, in.Problem)
		}
		if in.ID == small.ID && in.Up+in.Down < quota {
			l.t.Errorf("%d bytes closed an inbound with a quota of %d", in.Up+in.Down, quota)
		}
	}
	stays.wantAlive()
}
