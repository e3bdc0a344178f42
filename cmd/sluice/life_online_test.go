package main

import (
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/sluicehq/sluice/kernel/core/coretest"
)

func (l *life) isOnline(email string) bool {
	l.t.Helper()
	var online []string
	l.panel(http.MethodPost, "/clients/onlines", "", &online)
	return slices.Contains(online, email)
}

// ips are the addresses that are shown of a client.
func (l *life) ips(email string) []string {
	l.t.Helper()
	var seen []struct{ IP, Time, Node string }
	l.panel(http.MethodPost, "/clients/ips/"+email, "", &seen)
	list := []string{}
	for _, s := range seen {
		if _, err := time.Parse(time.DateTime, s.Time); err != nil || s.Node != l.node() {
			l.t.Errorf("seen: %+v", s)
		}
		list = append(list, s.IP)
	}
	return list
}

// node is the GUID that the server gave itself.
func (l *life) node() string {
	l.t.Helper()
	id, err := os.ReadFile(filepath.Join(l.dir, "node"))
	if err != nil {
		l.t.Fatal(err)
	}
	return strings.TrimSpace(string(id))
}

func (l *life) ipLimit() {
	const email, here, there = "crowd", "127.0.0.1", "127.0.0.2"
	l.add(email, object{"limitIp": 1})
	first, second := l.throughFrom(email, l.inbound.Port, here), l.throughFrom(email, l.inbound.Port, there)
	stream := l.open(first)
	l.wantAdmitted(second, false, "from a second address")
	l.wantAdmitted(first, true, "from the same address")
	if got := l.ips(email); !slices.Equal(got, []string{here}) {
		l.t.Errorf("seen at %v", got)
	}
	if got := l.traffic(email).IPRefused; got != 1 {
		l.t.Errorf("ipRefused is %d", got)
	}
	stream.close()
	coretest.Eventually(l.t, "the connection is over", func() bool { return !l.isOnline(email) })
	l.wantAdmitted(second, false, "within the grace of the first address")
	if got := l.ips(email); !slices.Equal(got, []string{here}) {
		l.t.Errorf("after the connection seen at %v", got)
	}
	l.panel(http.MethodPost, "/clients/clearIps/"+email, "", nil)
	if got := l.ips(email); len(got) != 0 {
		l.t.Errorf("after clearIps seen at %v", got)
	}
	l.wantAdmitted(second, true, "after clearIps")
	l.wantAdmitted(first, false, "when the second has taken its place")

	l.settings(object{"ip_grace_seconds": 1})
	defer l.settings(object{"ip_grace_seconds": 0})
	coretest.Eventually(l.t, "the first address is let in after the grace of the second", func() bool { return l.admitted(first) })
	l.update(email, object{"limitIp": 2})
	l.wantAdmitted(second, true, "with a limit of two")
	if got := l.ips(email); len(got) == 0 {
		l.t.Error("seen nowhere")
	}
}

func (l *life) whoIsOnline() {
	const email = "online"
	l.add(email, nil)
	through := l.through(email, l.inbound.Port)
	coretest.Eventually(l.t, "nobody is online", func() bool { return len(l.online().all) == 0 })
	none := map[string][]string{}
	if got := l.online(); len(got.users) != 0 || !reflect.DeepEqual(got.inbounds, none) || !reflect.DeepEqual(got.byNode, none) {
		l.t.Errorf("before: %+v", got)
	}
	if at, known := l.online().last[email]; at != 0 || !known {
		l.t.Errorf("before it was last online at %d, %t", at, known)
	}
	before := time.Now().UnixMilli()
	stream := l.open(through)
	got, here := l.online(), map[string][]string{l.node(): {email}}
	if !slices.Equal(got.users, []string{email}) || !reflect.DeepEqual(got.byNode, here) ||
		!reflect.DeepEqual(got.inbounds, map[string][]string{l.node(): {l.inbound.Tag}}) {
		l.t.Errorf("during: %+v", got)
	}
	coretest.Eventually(l.t, "it was online just now", func() bool { return l.online().last[email] >= before })
	stream.close()
	coretest.Eventually(l.t, "it is offline", func() bool { return len(l.online().all) == 0 })
	l.waitFlushed(l.t)
	if at := l.traffic(email).LastOnline; at < before || at > time.Now().UnixMilli() || at != l.online().last[email] {
		l.t.Errorf("last online at %d and %d", at, l.online().last[email])
	}
}

// online is what the four routes show.
type online struct {
	users            []string
	byNode, inbounds map[string][]string
	last             map[string]int64
	all              []string // users and inbounds
}

func (l *life) online() (o online) {
	l.t.Helper()
	l.panel(http.MethodPost, "/clients/onlines", "", &o.users)
	l.panel(http.MethodPost, "/clients/onlinesByGuid", "", &o.byNode)
	l.panel(http.MethodPost, "/clients/activeInbounds", "", &o.inbounds)
	l.panel(http.MethodPost, "/clients/lastOnline", "", &o.last)
	o.all = slices.Concat(append(slices.Collect(maps.Values(o.inbounds)), o.users)...)
	return o
}
