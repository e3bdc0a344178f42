package main

import (
	"cmp"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sluicehq/sluice/kernel/core/coretest"
)

var (
	crashKills = flag.Int("crash.kills", 30, "how often TestCrash kills the server")
	crashSeed  = flag.Uint64("crash.seed", 0, "what the requests and the moments of TestCrash are made from, 0 = a new one")
)

// TestCrash kills the server at any moment of a workload, again and again, and compares what is left with what it had
// acknowledged: the request in flight has happened or not, nothing is in between, and no byte is counted twice.
func TestCrash(t *testing.T) {
	seed := *crashSeed
	if seed == 0 {
		seed = rand.Uint64()
	}
	c := newCrash(t, seed)
	for n := range *crashKills {
		if !t.Run(fmt.Sprintf("kill %d", n+1), func(t *testing.T) { c.round(t, n) }) {
			t.Fatalf("repeat it with -args -crash.kills %d -crash.seed %d", n+1, seed)
		}
	}
	t.Run("after all", c.exact)
	t.Logf("%d requests were acknowledged, %d were in flight and done, %d in flight and not done, %d sent again",
		c.acknowledged, c.done, c.undone, c.repeated)
}

// crash is a data directory whose servers are killed, with the oracle of what must be in it.
type crash struct {
	dir, token string
	target     string // what the movers talk to
	seed       uint64
	work       workload
	users      crashUsers
	flying     *crashOp // the request that was not answered, nil = none
	lastID     int64    // the highest that a client ever had
	movers     map[string]*usageOracle

	acknowledged, done, undone, repeated int
}

// newCrash makes two inbounds, and two clients that move bytes through the first one whenever a server runs.
func newCrash(t *testing.T, seed uint64) *crash {
	l := newLife(t)
	other := l.addInbound(nil)
	c := &crash{
		dir: l.dir, token: l.token, target: exchangeServer(t), seed: seed, users: crashUsers{}, movers: map[string]*usageOracle{},
		work: workload{
			inbounds: [2]int64{l.inbound.ID, other.ID}, tags: [2]string{l.inbound.Tag, other.Tag}, movers: []string{"mover-1", "mover-2"},
		},
	}
	for i, email := range c.work.movers {
		l.add(email, nil)
		var links []string
		l.panel(http.MethodGet, "/clients/links/"+email, "", &links)
		proxy := coretest.Client(t, outboundOf(t, links[0]))
		c.movers[email] = &usageOracle{mover: startMover(t, proxy, c.target, seed+uint64(i))}
		c.users[email] = c.read(l.server, email)
		c.lastID = max(c.lastID, c.users[email].ID)
	}
	c.plan(l)
	l.kill()
	return c
}

// plan makes the group and the template of the workload, and the member by which the group is seen.
func (c *crash) plan(l *life) {
	l.t.Helper()
	l.api(http.MethodPost, "/group", object{"name": "crash", "inbound_tags": c.work.tags[:1]}, http.StatusCreated, nil)
	l.api(http.MethodPost, "/user_template", object{
		"name": "crash", "group_ids": []int{1}, "data_limit": crashPlan, "reset_usages": true,
	}, http.StatusCreated, nil)
	l.api(http.MethodPost, "/user/from_template", object{"user_template_id": 1, "username": crashMember}, http.StatusCreated, nil)
	u := c.read(l.server, crashMember)
	u.Grouped = true
	c.users[crashMember], c.lastID = u, max(c.lastID, u.ID)
}

// start runs a server on the data and holds it against the oracle before anything moves.
func (c *crash) start(t *testing.T) *server {
	t.Helper()
	s := start(t, c.dir)
	s.token = c.token
	flying := c.flying
	c.verify(s)
	c.repeat(s, flying)
	return s
}

// round lets requests and bytes flow until the server is killed in the middle of them.
func (c *crash) round(t *testing.T, n int) {
	c.work.Rand = rand.New(rand.NewPCG(c.seed, uint64(n)))
	lives := time.Duration(c.work.IntN(1500)) * time.Millisecond
	if n%4 == 3 { // long enough for several flushes
		lives += 1500 * time.Millisecond
	}
	s := c.start(t)
	for _, m := range c.movers {
		m.resume()
	}
	var killed atomic.Bool
	bomb := time.AfterFunc(lives, func() {
		killed.Store(true)
		_ = s.process.Kill()
	})
	defer bomb.Stop()
	watch := &flushWatch{}
	for i := 0; c.send(s); i++ {
		if i%10 == 0 && !watch.look(s, c.movers) {
			break
		}
	}
	if !killed.Load() {
		t.Error("the server ended before it was killed")
	}
	s.kill()
	for _, m := range c.movers {
		m.halt(t)
	}
}

// send sends one request, and takes it into the oracle when it is acknowledged; false says that no answer came.
func (c *crash) send(s *server) bool {
	s.t.Helper()
	op := c.work.next(c.users)
	m := c.movers[op.moves]
	if m != nil {
		m.begin()
	}
	c.flying = &op
	body := ""
	if op.body != nil {
		body = text(s.t, op.body)
	}
	method, path := op.route()
	answer, err := s.try(method, path, body, op.key)
	if err != nil {
		return false
	}
	if strings.HasPrefix(answer, `{"success":false`) || strings.HasPrefix(answer, `{"detail":`) {
		s.t.Fatalf("%s %s %s answers %s", method, path, body, answer)
	}
	c.flying, c.users = nil, op.after
	c.acknowledged++
	if m != nil {
		m.set(op.usage)
	}
	return c.name(s, op.made)
}

// name asks for the ids of new clients, in the order in which they were made; false says that the server is gone, and
// that whoever starts it again has to ask.
func (c *crash) name(s *server, emails []string) bool {
	s.t.Helper()
	for _, email := range emails {
		answer, err := s.try(http.MethodGet, "/panel/api/clients/get/"+email, "", "")
		if err != nil {
			return false
		}
		var shown struct{ Obj struct{ Client crashUser } }
		decode(s.t, answer, &shown)
		c.born(s.t, shown.Obj.Client)
	}
	return true
}

// repeat sends the request that was in flight when the server was killed, if it has a key: it happens once in all, whether
// it had happened or not.
func (c *crash) repeat(s *server, op *crashOp) {
	s.t.Helper()
	if op == nil || op.key == "" {
		return
	}
	for range 2 {
		answer, err := s.try(http.MethodPost, "/panel/api/clients/"+op.path, text(s.t, op.body), op.key)
		if err != nil || !strings.HasPrefix(answer, `{"success":true`) {
			s.t.Fatalf("%s sent again answers %s, %v", op.path, answer, err)
		}
	}
	if c.unnamed(op.made) {
		c.users = op.after
		c.name(s, op.made)
	} else if len(op.made) == 0 {
		c.users = op.after
	}
	c.repeated++
	c.verify(s)
}

// unnamed says whether the ids of the clients are not known.
func (c *crash) unnamed(emails []string) bool {
	return slices.ContainsFunc(emails, func(email string) bool { return c.users[email].ID == 0 })
}

// born takes down what the server made up for a new client: an id that nobody ever had, and secrets that it was not given.
func (c *crash) born(t *testing.T, found crashUser) {
	t.Helper()
	if found.ID <= c.lastID {
		t.Fatalf("%s has the id %d, ids up to %d were used before", found.Email, found.ID, c.lastID)
	}
	c.lastID = found.ID
	c.users = c.users.with(c.users[found.Email].learned(found))
}

// try is do for a server that may be killed meanwhile. key makes a request that may be sent again, "" = it may not.
func (s *server) try(method, path, body, key string) (string, error) {
	s.t.Helper()
	req, err := http.NewRequestWithContext(s.t.Context(), method, s.base+path, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+s.token)
	if key != "" {
		req.Header.Set("Idempotency-Key", key)
	}
	resp, err := (&http.Client{Timeout: patience}).Do(req)
	if err != nil {
		return "", err
	}
	defer func() { _ = resp.Body.Close() }()
	answer, err := io.ReadAll(resp.Body)
	return string(answer), err
}

// read is a client as the API shows it; its usage is left out if it moves bytes.
func (c *crash) read(s *server, email string) crashUser {
	s.t.Helper()
	var shown struct {
		Client struct {
			crashUser
			Enable bool
		}
		InboundIDs []int64
	}
	s.panel(http.MethodGet, "/clients/get/"+email, "", &shown)
	u := shown.Client.crashUser
	u.Inbounds, u.Enabled = fmt.Sprint(shown.InboundIDs), shown.Client.Enable
	if c.movers[email] == nil {
		used := c.usage(s, email)
		u.Up, u.Down = used.up, used.down
	}
	return u
}

func (c *crash) usage(s *server, email string) bytesMoved {
	s.t.Helper()
	var row traffic
	s.panel(http.MethodGet, "/clients/traffic/"+email, "", &row)
	return bytesMoved{row.Up, row.Down}
}

// verify compares a server that was just started, and through which nothing moves, with the oracle.
func (c *crash) verify(s *server) {
	s.t.Helper()
	var health struct{ Status string }
	_, body := s.do(http.MethodGet, "/readyz", "")
	decode(s.t, body, &health)
	if health.Status != "ready" {
		s.t.Fatalf("after a restart: %s", body)
	}
	last, found := map[string]int64{}, crashUsers{}
	s.panel(http.MethodPost, "/clients/lastOnline", "", &last)
	for email := range last {
		found[email] = c.read(s, email)
	}
	c.settle(s.t, found)
	for _, email := range c.work.movers {
		c.movers[email].restarted(s.t, email, c.usage(s, email), c.flying)
	}
	c.flying = nil
}

// settle decides whether the request in flight has happened, and fails if it has in part or if anything else differs.
func (c *crash) settle(t *testing.T, found crashUsers) {
	t.Helper()
	if op := c.flying; op != nil && op.moves == "" {
		if found.is(op.after) {
			c.done++
			c.users = op.after
			c.adopt(t, found)
			return
		}
		c.undone++
	}
	if !found.is(c.users) {
		t.Fatalf("in flight was %+v\nthere is %s\nthere was %s", c.flying, found, c.users)
	}
	c.adopt(t, found)
}

// adopt takes down the ids of clients whose answers nobody saw.
func (c *crash) adopt(t *testing.T, found crashUsers) {
	t.Helper()
	var unnamed []string
	for email, u := range c.users {
		if u.ID == 0 {
			unnamed = append(unnamed, email)
		}
	}
	slices.SortFunc(unnamed, func(a, b string) int { return cmp.Compare(found[a].ID, found[b].ID) })
	for _, email := range unnamed {
		c.born(t, found[email])
	}
}

// is says whether these are the users that must be shown.
func (m crashUsers) is(want crashUsers) bool {
	if !slices.Equal(m.emails(), want.emails()) {
		return false
	}
	for email, u := range want {
		got := m[email]
		u = u.learned(got)
		got.Grouped, u.Enabled = u.Grouped, u.shown()
		if got != u {
			return false
		}
	}
	return true
}

// String prints one client a line.
func (m crashUsers) String() string {
	var lines strings.Builder
	for _, email := range m.emails() {
		fmt.Fprintf(&lines, "\n%+v shown %t", m[email], m[email].shown())
	}
	return lines.String()
}

// exact lets the bytes of a new client flow without a kill, and finds every one of them in the database after one.
func (c *crash) exact(t *testing.T) {
	const email = "exact"
	s := c.start(t)
	l := &life{server: s, inbound: shownInbound{ID: c.work.inbounds[0]}}
	l.add(email, nil)
	var links []string
	l.panel(http.MethodGet, "/clients/links/"+email, "", &links)
	m := startMover(t, coretest.Client(t, outboundOf(t, links[0])), c.target, c.seed)
	m.resume()
	coretest.Eventually(t, "bytes have moved", func() bool {
		done, _ := m.moved()
		return done.up > 100_000
	})
	m.pause()
	want, _ := m.moved()
	if got := c.usage(s, email); got != want {
		t.Errorf("used are %+v, want %+v", got, want)
	}
	l.waitFlushed(t)
	s.kill()
	s = start(t, c.dir)
	s.token = c.token
	if got := c.usage(s, email); got != want {
		t.Errorf("used are %+v after a restart, want %+v", got, want)
	}
}

// flushes is how many flushes have stored everything since the start of the server; false says that it is gone.
func (s *server) flushes() (n int64, alive bool) {
	s.t.Helper()
	body, err := s.try(http.MethodGet, "/metrics", "", "")
	if err != nil {
		return 0, false
	}
	found := regexp.MustCompile(`(?m)^sluice_traffic_flushes_total (\d+)$`).FindStringSubmatch(body)
	if found == nil {
		s.t.Fatalf("no metric of flushes in %s", body)
	}
	n, err = strconv.ParseInt(found[1], 10, 64)
	if err != nil {
		s.t.Fatal(err)
	}
	return n, true
}
