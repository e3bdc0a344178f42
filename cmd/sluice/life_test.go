package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sluicehq/sluice/kernel/core/coretest"
)

// TestLifeOfAUser tells the stories of users with the real binary and real connections, each on a server that all share.
func TestLifeOfAUser(t *testing.T) { lifeOfAUser(t) }

func lifeOfAUser(t *testing.T, args ...string) {
	l := newLife(t, args...)
	for _, story := range []struct {
		name string
		tell func(*life)
	}{
		{"quota", (*life).quota},
		{"quota of a client that the operator disabled", (*life).disabledQuota},
		{"usage is set", (*life).usageIsSet},
		{"expiry", (*life).expiry},
		{"hold", (*life).hold},
		{"renewal", (*life).renewal},
		{"usage resets", (*life).usageResets},
		{"usage resets that can not be", (*life).badUsageResets},
		{"IP limit", (*life).ipLimit},
		{"who is online", (*life).whoIsOnline},
		{"bulkAdjust", (*life).bulkAdjust},
		{"bulkAdjust that can not be", (*life).badBulkAdjust},
		{"inbound that ends", (*life).inboundEnds},
		{"what get shows is no change", (*life).echo},
		{"one field of what get shows is changed", (*life).changeOne},
		{"partial update", (*life).partialUpdate},
		{"other uuid", (*life).otherUUID},
		{"attach and detach", (*life).attachAndDetach},
		{"unknown client", (*life).unknownClient},
	} {
		t.Run(story.name, func(t *testing.T) { story.tell(l.in(t)) })
	}
	l.survivesAKill(args...)
}

// life is a server with an inbound for all clients.
type life struct {
	*server
	origin  *coretest.Server
	inbound shownInbound
}

func newLife(t *testing.T, args ...string) *life {
	t.Helper()
	dir := t.TempDir()
	l := &life{server: start(t, dir, args...), origin: coretest.Origin(t)}
	l.login()
	if _, errs, code := command(t, allowPrivate, "core", "set", "--data", dir); code != 0 {
		t.Fatalf("core set: %s", errs)
	}
	l.settings(object{"flush_seconds": 1})
	l.inbound = l.addInbound(nil)
	return l
}

// in is the life whose failures are those of t.
func (l *life) in(t *testing.T) *life {
	s, inner := *l.server, *l
	s.t, inner.server = t, &s
	return &inner
}

func (l *life) settings(change object) {
	l.t.Helper()
	if status, body := l.do(http.MethodPut, "/api/settings", text(l.t, change)); status != http.StatusOK {
		l.t.Fatalf("settings answers %d %s", status, body)
	}
}

// shownInbound is an inbound as the API shows it.
type shownInbound struct {
	ID       int64
	Tag      string
	Port     int
	Up, Down int64
	Problem  string
}

// addInbound adds a vless inbound with more fields.
func (l *life) addInbound(fields object) (in shownInbound) {
	l.t.Helper()
	l.panel(http.MethodPost, "/inbounds/add", text(l.t, merged(object{
		"listen": "127.0.0.1", "port": coretest.FreePort(l.t), "protocol": "vless", "settings": object{"decryption": "none"},
	}, fields)), &in)
	return in
}

// shownClient is a client as get shows it.
type shownClient struct {
	Client struct {
		ID                                   int64
		Email, SubID, UUID, Status, Comment  string
		Enable                               bool
		TotalGB, ExpiryTime                  int64
		CreatedAt, UpdatedAt                 int64
		ResetCount, TrafficResetDay, LimitIP int
		TrafficReset                         string
		TrafficResetParams                   object
		ResetPolicy                          *shownPolicy `json:"reset_policy"`
	}
	InboundIDs  []int64
	UsedTraffic int64
}

type shownPolicy struct {
	ID     string
	NextAt int64 `json:"next_at"`
}

// add adds a client with these fields to the inbound.
func (l *life) add(email string, fields object) (c shownClient) {
	l.t.Helper()
	l.panel(http.MethodPost, "/clients/add", text(l.t, object{
		"client": merged(object{"email": email}, fields), "inboundIds": []int64{l.inbound.ID},
	}), &c)
	return c
}

func (l *life) get(email string) (c shownClient) {
	l.t.Helper()
	l.panel(http.MethodGet, "/clients/get/"+email, "", &c)
	return c
}

func (l *life) update(email string, fields object) {
	l.t.Helper()
	l.panel(http.MethodPost, "/clients/update/"+email, text(l.t, fields), nil)
}

// shownTraffic is what the API shows of a client's traffic.
type shownTraffic struct {
	Up, Down              int64
	Enable                bool
	LastOnline, IPRefused int64
}

func (l *life) traffic(email string) (r shownTraffic) {
	l.t.Helper()
	l.panel(http.MethodGet, "/clients/traffic/"+email, "", &r)
	return r
}

func (l *life) setTraffic(email string, fields object) {
	l.t.Helper()
	l.panel(http.MethodPost, "/clients/updateTraffic/"+email, text(l.t, fields), nil)
}

func (l *life) resetTraffic(email string) {
	l.t.Helper()
	l.panel(http.MethodPost, "/clients/resetTraffic/"+email, "", nil)
}

// wantRefused sends a request of the 3x-ui dialect that must fail with that sentence.
func (l *life) wantRefused(path, body, msg string) {
	l.t.Helper()
	status, got := l.do(http.MethodPost, "/panel/api"+path, body)
	if want := text(l.t, struct {
		Success bool   `json:"success"`
		Msg     string `json:"msg"`
		Obj     any    `json:"obj"`
	}{false, msg, nil}); status != http.StatusOK || !sameJSON(l.t, got, want) {
		l.t.Errorf("%s %s answers %d %s\nwant %s", path, body, status, got, want)
	}
}

func sameJSON(t *testing.T, a, b string) bool {
	t.Helper()
	var x, y any
	decode(t, a, &x)
	decode(t, b, &y)
	return reflect.DeepEqual(x, y)
}

// wantStatus waits until a client is that, and checks what follows from it.
func (l *life) wantStatus(email, status string) {
	l.t.Helper()
	var c shownClient
	coretest.Eventually(l.t, email+" is "+status, func() bool {
		c = l.get(email)
		return c.Client.Status == status
	})
	if may := status == "active" || status == "on_hold"; c.Client.Enable != may || l.traffic(email).Enable != may {
		l.t.Errorf("%s is %s, enable is %t", email, status, c.Client.Enable)
	}
}

// through starts a client app with the link of a client to an inbound (its port), and returns a way through it.
func (l *life) through(email string, port int) *http.Client {
	l.t.Helper()
	return l.throughFrom(email, port, "127.0.0.1")
}

// throughFrom is through with a source address.
func (l *life) throughFrom(email string, port int, address string) *http.Client {
	l.t.Helper()
	var links []string
	l.panel(http.MethodGet, "/clients/links/"+email, "", &links)
	for _, link := range links {
		var outbound object
		decode(l.t, outboundOf(l.t, link), &outbound)
		server := outbound["settings"].(object)["vnext"].([]any)[0].(object)
		if server["port"] == float64(port) {
			outbound["sendThrough"] = address
			return coretest.HTTP(l.t, coretest.Client(l.t, text(l.t, outbound)))
		}
	}
	l.t.Fatalf("%s has no link to port %d: %v", email, port, links)
	return nil
}

// admitted says whether a new connection of a client reaches the origin.
func (l *life) admitted(client *http.Client) bool {
	attempt, hits := *client, l.origin.Hits()
	attempt.Timeout = time.Second // should the core let the refused one hang
	resp, err := attempt.Get(l.origin.URL + "/bytes?n=1")
	if err == nil {
		_ = resp.Body.Close()
	}
	return err == nil && resp.StatusCode == http.StatusOK && l.origin.Hits() == hits+1
}

func (l *life) wantAdmitted(client *http.Client, want bool, when string) {
	l.t.Helper()
	if got := l.admitted(client); got != want {
		l.t.Errorf("%s a new connection is admitted: %t", when, got)
	}
}

// stream is a download without end.
type stream struct {
	t     *testing.T
	read  atomic.Int64
	ended chan struct{}
	at    time.Time // of its end
	body  io.Closer
}

// open opens a stream that must move bytes.
func (l *life) open(client *http.Client) *stream {
	l.t.Helper()
	endless := *client
	endless.Timeout = 0
	resp, err := endless.Get(l.origin.URL + "/hold")
	if err != nil {
		l.t.Fatal(err)
	}
	s := &stream{t: l.t, ended: make(chan struct{}), body: resp.Body}
	go func() {
		defer close(s.ended)
		buf := make([]byte, 32<<10)
		for {
			n, err := resp.Body.Read(buf)
			s.read.Add(int64(n))
			if err != nil {
				s.at = time.Now()
				return
			}
		}
	}()
	l.t.Cleanup(s.close)
	s.wantAlive()
	return s
}

// close ends the stream as its client does.
func (s *stream) close() {
	_ = s.body.Close()
	<-s.ended
}

// wantAlive waits until more bytes come.
func (s *stream) wantAlive() {
	s.t.Helper()
	before := s.read.Load()
	coretest.Eventually(s.t, "the stream moves", func() bool {
		select {
		case <-s.ended:
			s.t.Fatal("the stream was cut")
		default:
		}
		return s.read.Load() > before
	})
}

// wantCut waits until the server ends the stream and returns when that was.
func (s *stream) wantCut() time.Time {
	s.t.Helper()
	select {
	case <-s.ended:
	case <-time.After(patience):
		s.t.Fatal("the stream is not cut")
	}
	return s.at
}

// survivesAKill takes down what is shown of every client, kills the server, and finds the same after a restart.
func (l *life) survivesAKill(args ...string) {
	l.t.Helper()
	l.waitFlushed(l.t)
	before := l.everything()
	l.kill()
	token := l.token
	l.server = start(l.t, l.dir, args...)
	l.token = token
	after := l.everything()
	for what, shown := range before {
		if shown != after[what] {
			l.t.Errorf("%s was\n%s and is after a restart\n%s", what, shown, after[what])
		}
	}
	if len(before) == 0 || len(after) != len(before) {
		l.t.Errorf("%d things are shown before, %d after", len(before), len(after))
	}
}

// everything is what is shown of every client, and when each was last online.
func (l *life) everything() map[string]string {
	l.t.Helper()
	shown, last := map[string]string{}, map[string]int64{}
	l.panel(http.MethodPost, "/clients/lastOnline", "", &last)
	for email, at := range last {
		var client, traffic json.RawMessage
		l.panel(http.MethodGet, "/clients/get/"+email, "", &client)
		l.panel(http.MethodGet, "/clients/traffic/"+email, "", &traffic)
		row := object{}
		decode(l.t, string(traffic), &row)
		delete(row, "ipRefused") // counted since the start of the server
		shown[email] = fmt.Sprintf("%s\n%s\nlast online %d", client, text(l.t, row), at)
	}
	return shown
}
