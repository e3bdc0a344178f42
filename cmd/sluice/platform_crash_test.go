package main

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sluicehq/sluice/kernel/core/coretest"
)

var eventKills = flag.Int("events.kills", 5, "how often TestEventsSurviveKills kills the server; -crash.seed is for it too")

// later is how far each start is behind the last one, by the clock of the servers: what was under way when the one before
// was killed, and what the receiver has refused, is due again by then.
const later = time.Hour

// TestEventsSurviveKills kills the server at any moment while clients are made and deleted, and while whoever is told of it
// refuses some calls and never answers others. In the end every change that was acknowledged has been told, in order, and
// nothing has been told that did not happen.
func TestEventsSurviveKills(t *testing.T) {
	seed := *crashSeed
	if seed == 0 {
		seed = rand.Uint64()
	}
	t.Logf("repeat it with -args -events.kills %d -crash.seed %d", *eventKills, seed)
	l, receiver := newLife(t), newReceiver(t, seed)
	secret := l.addWebhook(receiver)
	l.kill()
	o := &eventOracle{inbound: l.inbound.ID, happened: map[string]bool{}}
	for n := range *eventKills {
		o.round(l, n, rand.New(rand.NewPCG(seed, uint64(n))))
	}
	receiver.behave()
	s := o.start(l, *eventKills)
	for waiting := s.eventsIn("waiting"); waiting > 0; waiting = s.eventsIn("waiting") {
		told := receiver.told()
		coretest.Eventually(t, "the next event is delivered", func() bool { return receiver.told() > told || s.eventsIn("waiting") == 0 })
	}
	if dead := s.eventsIn("dead"); dead != 0 {
		t.Errorf("%d events were given up", dead)
	}
	receiver.verify(t, secret)
	o.verify(t, receiver)
}

// addWebhook uploads the plugin of examples/webhook, has it tell the receiver what becomes of users, and returns its secret.
func (l *life) addWebhook(r *receiver) (secret string) {
	l.t.Helper()
	if status, body := l.do(http.MethodPost, "/api/plugins", string(guest(l.t, "../../examples/webhook"))); status != http.StatusCreated {
		l.t.Fatalf("the upload answers %d %s", status, body)
	}
	status, body := l.do(http.MethodPut, "/api/plugins/webhook", text(l.t, object{
		"settings": object{"url": r.URL, "events": []string{"user.created", "user.deleted"}},
		"grants":   []object{{"name": "http", "hosts": []string{r.Listener.Addr().String()}}},
	}))
	var plugin struct{ State, Secret string }
	decode(l.t, body, &plugin)
	if status != http.StatusOK || plugin.State != "loaded" {
		l.t.Fatalf("the grant answers %d %s", status, body)
	}
	return plugin.Secret
}

// eventsIn counts the events in a state, up to a page of them.
func (s *server) eventsIn(state string) int {
	s.t.Helper()
	var page struct{ Events []struct{ ID int64 } }
	_, body := s.do(http.MethodGet, "/api/events?state="+state, "")
	decode(s.t, body, &page)
	return len(page.Events)
}

// eventOracle is what must be told. Each name is used once.
type eventOracle struct {
	inbound  int64
	next     int
	alive    []string
	happened map[string]bool // "user.created c7": whether it has, as the server has acknowledged
	flying   string          // the change that was not answered, "" = none
	refused  int
}

// start runs a server on the data, the nth.
func (o *eventOracle) start(l *life, n int) *server {
	l.t.Helper()
	s := startNearby(l.t, l.dir, later*time.Duration(n+1))
	s.token = l.token
	o.settle(s)
	return s
}

// round changes clients until the server is killed in the middle of it.
func (o *eventOracle) round(l *life, n int, source *rand.Rand) {
	l.t.Helper()
	s := o.start(l, n)
	lives := 300*time.Millisecond + time.Duration(source.IntN(1200))*time.Millisecond
	bomb := time.AfterFunc(lives, func() { _ = s.process.Kill() })
	for answered := true; answered; {
		answered = o.change(s, source)
	}
	if bomb.Stop() {
		l.t.Error("the server ended before it was killed")
	}
	s.kill()
}

// change makes or deletes a client, or tries what must be rolled back. It says whether the server has answered.
func (o *eventOracle) change(s *server, source *rand.Rand) bool {
	s.t.Helper()
	o.next++
	name := fmt.Sprintf("c%d", o.next)
	client := object{"client": object{"email": name}, "inboundIds": []int64{o.inbound}}
	switch pick := source.IntN(10); {
	case pick < 3 && len(o.alive) > 0:
		i := source.IntN(len(o.alive))
		name = o.alive[i]
		return o.send(s, "user.deleted "+name, "/clients/del/"+name, "")
	case pick < 5 && len(o.alive) > 0:
		taken := object{"client": object{"email": o.alive[0]}, "inboundIds": []int64{o.inbound}}
		o.happened["user.created "+name] = false
		answer, err := s.try(http.MethodPost, "/panel/api/clients/bulkCreate?atomic=1", text(s.t, []object{client, taken}), "")
		if err == nil && !strings.HasPrefix(answer, `{"success":false,"msg":"nothing was changed: `) {
			s.t.Fatalf("what must be rolled back answers %s", answer)
		}
		o.refused++
		return err == nil
	}
	return o.send(s, "user.created "+name, "/clients/add", text(s.t, client))
}

// send makes a change, which has happened if it is acknowledged.
func (o *eventOracle) send(s *server, change, path, body string) bool {
	s.t.Helper()
	o.flying = change
	answer, err := s.try(http.MethodPost, "/panel/api"+path, body, "")
	if err != nil {
		return false
	}
	if !strings.HasPrefix(answer, `{"success":true`) {
		s.t.Fatalf("%s answers %s", path, answer)
	}
	o.decide(true)
	return true
}

// decide takes down whether the change in flight has happened.
func (o *eventOracle) decide(happened bool) {
	change := o.flying
	o.flying = ""
	o.happened[change] = happened
	what, name, _ := strings.Cut(change, " ")
	switch {
	case !happened:
	case what == "user.created":
		o.alive = append(o.alive, name)
	default:
		for i, other := range o.alive {
			if other == name {
				o.alive = append(o.alive[:i], o.alive[i+1:]...)
				return
			}
		}
	}
}

// settle asks a server that was just started whether the change has happened that the last one did not answer.
func (o *eventOracle) settle(s *server) {
	s.t.Helper()
	if o.flying == "" {
		return
	}
	what, name, _ := strings.Cut(o.flying, " ")
	_, answer := s.do(http.MethodGet, "/panel/api/clients/get/"+name, "")
	there := strings.HasPrefix(answer, `{"success":true`)
	o.decide(there == (what == "user.created"))
}

// verify compares what was told with what has happened.
func (o *eventOracle) verify(t *testing.T, r *receiver) {
	t.Helper()
	told := map[string]int{}   // calls, by change
	ids := map[string]string{} // webhook-id by change, and the other way round
	accepted := map[string]bool{}
	again := 0
	for _, c := range r.calls {
		change := c.Type + " " + c.Data.User.Username
		if !o.happened[change] {
			t.Errorf("%s was told and has not happened", change)
		}
		if told[change]++; told[change] > 1 {
			again++
		} else if ids[c.id] != "" {
			t.Errorf("%s comes with the id %s of %s", change, c.id, ids[c.id])
		}
		if ids[change] != "" && ids[change] != c.id {
			t.Errorf("%s comes with the ids %s and %s", change, ids[change], c.id)
		}
		ids[change], ids[c.id] = c.id, change
		if before := "user.created " + c.Data.User.Username; c.Type == "user.deleted" && !accepted[before] {
			t.Errorf("%s comes before %s was accepted", change, before)
		} else if c.Type == "user.created" && told["user.deleted "+c.Data.User.Username] > 0 {
			t.Errorf("%s comes after its end", change)
		}
		accepted[change] = accepted[change] || c.accepted
	}
	happened := 0
	for change, has := range o.happened {
		if has {
			happened++
		}
		if has && !accepted[change] {
			t.Errorf("%s has happened and was not told", change)
		}
	}
	t.Logf("%d changes, %d rolled back, %d calls, %d of them again", happened, o.refused, len(r.calls), again)
	if happened == 0 || o.refused == 0 || again == 0 {
		t.Error("the test has not seen what it is for")
	}
}

// receiver is the server that is told. It refuses an eighth of the calls, and never answers a fiftieth.
type receiver struct {
	*httptest.Server

	mu     sync.Mutex
	source *rand.Rand // nil = all calls are accepted
	calls  []*webhookCall
}

// webhookCall is a call in the order of arrival.
type webhookCall struct {
	id, timestamp, signature, body string
	accepted                       bool

	Type string
	Data struct{ User struct{ Username string } }
}

func newReceiver(t *testing.T, seed uint64) *receiver {
	r := &receiver{source: rand.New(rand.NewPCG(seed, 1<<32))}
	r.Server = httptest.NewServer(r)
	t.Cleanup(r.Close)
	return r
}

// behave makes it accept all that comes from now on.
func (r *receiver) behave() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.source = nil
}

// told is how many calls there were.
func (r *receiver) told() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.calls)
}

// ServeHTTP takes down the call.
func (r *receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	body, err := io.ReadAll(req.Body)
	if err != nil { // the server was killed while it wrote
		return
	}
	c := &webhookCall{
		id: req.Header.Get("webhook-id"), timestamp: req.Header.Get("webhook-timestamp"),
		signature: req.Header.Get("webhook-signature"), body: string(body),
	}
	if json.Unmarshal(body, c) != nil {
		c.Type = "unreadable"
	}
	if r.take(c) {
		<-req.Context().Done() // until nobody waits any more
		return
	}
	if !c.accepted {
		w.WriteHeader(http.StatusInternalServerError)
	}
}

// take decides what becomes of a call, and says whether it is never answered.
func (r *receiver) take(c *webhookCall) (hangs bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.calls = append(r.calls, c)
	luck := 100
	if r.source != nil {
		luck = r.source.IntN(100)
	}
	c.accepted = luck >= 14
	return luck < 2
}

// verify checks every signature as the specification of Standard Webhooks has it.
func (r *receiver) verify(t *testing.T, secret string) {
	t.Helper()
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, "whsec_"))
	if err != nil || len(key) == 0 {
		t.Fatalf("the secret is %q: %v", secret, err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, c := range r.calls {
		mac := hmac.New(sha256.New, key)
		mac.Write([]byte(c.id + "." + c.timestamp + "." + c.body))
		if want := "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil)); c.signature != want {
			t.Errorf("%s is signed %s, want %s", c.id, c.signature, want)
		}
	}
}
