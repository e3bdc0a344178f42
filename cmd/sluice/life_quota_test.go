package main

import (
	"context"
	"io"
	"net/http"

	"github.com/sluicehq/sluice/kernel/core/coretest"
)

// drink downloads until the client's quota stops it. It looks at the server: an xray client that is reading fast takes a
// reset of its connection for "nothing there yet" (ReadVReader) and lets its user wait for minutes.
func (l *life) drink(email string, through *http.Client) {
	l.t.Helper()
	ctx, cancel := context.WithCancel(l.t.Context())
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, l.origin.URL+"/bytes?n=100000000", nil)
	if err != nil {
		l.t.Fatal(err)
	}
	resp, err := through.Do(req)
	if err != nil {
		l.t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() {
		_, err := io.Copy(io.Discard, resp.Body)
		_ = resp.Body.Close()
		ended <- err
	}()
	l.wantStatus(email, "limited")
	coretest.Eventually(l.t, "the connection is cut", func() bool { return !l.isOnline(email) })
	cancel()
	if err := <-ended; err == nil {
		l.t.Error("a download of 100 MB was complete")
	}
}

func (l *life) quota() {
	const email, quota = "quota", 2_000_000
	l.add(email, object{"totalGB": quota})
	through := l.through(email, l.inbound.Port)
	l.drink(email, through)
	l.wantAdmitted(through, false, "with the quota used up")
	l.wantStatus(email, "limited")

	shown := l.traffic(email)
	if used := shown.Up + shown.Down; used < quota || used > quota+1_000_000 {
		l.t.Errorf("%d bytes were used of a quota of %d", used, quota)
	}
	l.waitFlushed(l.t)
	if stored := l.traffic(email); stored.Up != shown.Up || stored.Down != shown.Down || l.get(email).UsedTraffic != shown.Up+shown.Down {
		l.t.Errorf("%+v is shown, %+v is stored", shown, stored)
	}

	l.resetTraffic(email)
	if reset := l.traffic(email); reset.Up != 0 || reset.Down != 0 || !reset.Enable {
		l.t.Errorf("%+v right after the reset", reset)
	}
	l.wantAdmitted(through, true, "after the reset")
	l.wantStatus(email, "active")

	l.drink(email, through)
	l.wantStatus(email, "limited")
	used := l.get(email).UsedTraffic
	l.update(email, object{"totalGB": 2 * used})
	l.wantStatus(email, "active")
	l.wantAdmitted(through, true, "with a larger quota")
	l.update(email, object{"totalGB": used / 2})
	l.wantStatus(email, "limited")
	l.wantAdmitted(through, false, "with a smaller quota")
	l.update(email, object{"totalGB": 0})
	l.wantAdmitted(through, true, "without a quota")
}

// disabledQuota resets the usage of a client that the operator disabled: it is back only when the operator says so.
func (l *life) disabledQuota() {
	const email, quota = "disabled-quota", 1 << 30
	l.add(email, object{"totalGB": quota})
	through := l.through(email, l.inbound.Port)
	l.setTraffic(email, object{"upload": 1, "download": quota})
	l.wantStatus(email, "limited")
	l.update(email, object{"enable": false}) // as it is shown: no change
	l.resetTraffic(email)
	l.wantStatus(email, "active")
	stream := l.open(through)
	l.update(email, object{"enable": false})
	stream.wantCut()
	l.setTraffic(email, object{"download": quota})
	l.wantStatus(email, "disabled")
	l.resetTraffic(email)
	l.wantStatus(email, "disabled")
	l.wantAdmitted(through, false, "disabled, after a reset")
	l.update(email, object{"enable": true})
	l.wantStatus(email, "active")
	l.wantAdmitted(through, true, "enabled")
}

func (l *life) usageIsSet() {
	const email = "usage"
	l.add(email, object{"totalGB": 1 << 40})
	through := l.through(email, l.inbound.Port)
	download(l.t, through, l.origin, 50_000) // not flushed yet: it must not come on top
	coretest.Eventually(l.t, "the connection is over", func() bool { return !l.isOnline(email) })
	for _, c := range []struct {
		set      object
		up, down int64
	}{
		{object{"upload": 5, "download": 7}, 5, 7},
		{object{"download": 9}, 5, 9},
		{object{"upload": 0, "download": nil}, 0, 9},
		{object{}, 0, 9},
	} {
		l.setTraffic(email, c.set)
		if got := l.traffic(email); got.Up != c.up || got.Down != c.down {
			l.t.Errorf("after %v the traffic is %+v, want %d and %d", c.set, got, c.up, c.down)
		}
	}
	l.waitFlushed(l.t)
	if got := l.traffic(email); got.Up != 0 || got.Down != 9 {
		l.t.Errorf("after a flush the traffic is %+v", got)
	}
	l.wantRefused("/clients/updateTraffic/"+email, `{"upload":-1}`, "upload must not be negative")
	l.wantRefused("/clients/updateTraffic/"+email, `{"download":-1,"upload":-1}`, "upload must not be negative")
	l.wantRefused("/clients/updateTraffic/"+email, `{"download":"9"}`, "download must be an integer")

	stream := l.open(through)
	l.setTraffic(email, object{"upload": 1 << 40})
	stream.wantCut()
	l.wantStatus(email, "limited")
	l.setTraffic(email, object{"upload": 0})
	l.wantAdmitted(through, true, "with its usage set back")
}
