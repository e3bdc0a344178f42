package main

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/sluicehq/sluice/kernel/core/coretest"
)

// TestBulk moves two clients through every bulk operation, each client on an inbound of every protocol. After each step
// the links that are published in four places are the same, and what is published is what the running core does: a client
// app that was set up with the links gets through, or is refused. A third client is on the same inbounds all the time and
// must not notice.
func TestBulk(t *testing.T) { bulk(t) }

// everyDoor names the inbounds of the test.
var everyDoor = []string{"vless", "vmess", "trojan", "shadowsocks", late, "hysteria2"}

// late is the one on which a new client or key is live within a second; on all others it is when the answer arrives.
const late = "shadowsocks 2022"

// step is a request, or several, about the movers.
type step struct {
	name string
	take func(*crowd)
	cut  []string // where connections that the movers have open end; everywhere else they stay
	open []string // where the movers get in afterwards
	none bool     // the movers have no links afterwards
	new  []string // where the movers' links are others afterwards; the old ones are refused
}

func bulk(t *testing.T, args ...string) {
	c := newCrowd(t, args...)
	some, others := []string{"vless", "trojan", late}, []string{"vmess", "shadowsocks", "hysteria2"}
	for _, s := range []step{
		{
			name: "more time and bytes", open: everyDoor,
			take: ask("bulkAdjust", object{"addDays": 1, "addBytes": 1 << 30}, `{"adjusted":2,"skipped":[]}`),
		},
		{
			name: "another flow", cut: everyDoor, open: everyDoor, new: []string{"vless"},
			take: ask("bulkAdjust", object{"flow": "xtls-rprx-vision"}, `{"adjusted":2,"skipped":[]}`),
		},
		{name: "disabled", cut: everyDoor, take: ask("bulkDisable", nil, `{"changed":2,"skipped":[]}`)},
		{name: "enabled", open: everyDoor, take: ask("bulkEnable", nil, `{"changed":2,"skipped":[]}`)},
		{name: "quota used up", cut: everyDoor, take: (*crowd).useUp},
		{name: "usage reset", open: everyDoor, take: ask("bulkResetTraffic", nil, `{"affected":2,"skipped":[]}`)},
		{
			name: "detached", cut: some, open: others,
			take: ask("bulkDetach", object{"inboundIds": c.ids(some)}, `{"detached":["alice","bob"],"skipped":[],"errors":[]}`),
		},
		{
			name: "attached", open: everyDoor,
			take: ask("bulkAttach", object{"inboundIds": c.ids(everyDoor)}, `{"attached":["alice","bob"],"skipped":[],"errors":[]}`),
		},
		{name: "in a group", open: everyDoor, take: ask("groups/bulkAdd", object{"group": "g"}, `{"affected":2,"skipped":[]}`)},
		{name: "out of it", open: everyDoor, take: ask("groups/bulkRemove", nil, `{"affected":2,"skipped":[]}`)},
		{name: "other credentials", cut: everyDoor, open: everyDoor, new: everyDoor, take: (*crowd).rotate},
		{name: "deleted", cut: everyDoor, none: true, take: (*crowd).remove},
		{name: "imported", open: everyDoor, take: (*crowd).restore},
	} {
		c.step = s.name
		began := time.Now()
		c.walk(s)
		t.Logf("%s: %s", s.name, time.Since(began).Round(time.Millisecond))
	}
}

// crowd is the movers and the one who stays, on a server with every inbound.
type crowd struct {
	*life
	step    string
	doors   map[string]shownInbound
	apps    map[string]*app // of the movers, with the links that are published now
	stays   *app
	streams []*stream       // of the one who stays
	backup  json.RawMessage // the export from before the movers were deleted
}

var movers = []string{"alice", "bob"}

func newCrowd(t *testing.T, args ...string) *crowd {
	t.Helper()
	c := &crowd{life: newLife(t, args...), doors: map[string]shownInbound{}, apps: map[string]*app{}, step: "created"}
	cert := coretest.TLSCert(t, filepath.Join(c.dir, "certs"))
	tls := object{
		"serverName":   "localhost",
		"certificates": []any{object{"certificateFile": cert.CertFile, "keyFile": cert.KeyFile}},
		"settings":     object{"fingerprint": "chrome", "pinnedPeerCertSha256": []string{cert.SHA256}},
	}
	secure := object{"network": "raw", "security": "tls", "tlsSettings": tls}
	for name, fields := range map[string]object{
		"vless":       {"streamSettings": secure},
		"vmess":       {"protocol": "vmess", "settings": object{}},
		"trojan":      {"protocol": "trojan", "settings": object{}, "streamSettings": secure},
		"shadowsocks": {"protocol": "shadowsocks", "settings": object{"method": "chacha20-poly1305"}},
		late: {"protocol": "shadowsocks", "settings": object{
			"method": "2022-blake3-aes-128-gcm", "password": "MDEyMzQ1Njc4OWFiY2RlZg==",
		}},
		"hysteria2": {"protocol": "hysteria", "settings": object{"version": 2}, "streamSettings": object{
			"network": "hysteria", "hysteriaSettings": object{"version": 2}, "security": "tls",
			"tlsSettings": merged(object{"alpn": []string{"h3"}}, tls),
		}},
	} {
		c.doors[name] = c.addInbound(fields)
	}
	c.create()
	c.stays = c.install("stays")
	c.stays.want(everyDoor)
	c.streams = c.stays.hold(everyDoor)
	for _, email := range movers {
		c.apps[email] = c.install(email)
		c.apps[email].want(everyDoor)
	}
	return c
}

func (c *crowd) ids(names []string) []int64 {
	ids := make([]int64, len(names))
	for i, name := range names {
		ids[i] = c.doors[name].ID
	}
	slices.Sort(ids)
	return ids
}

// create makes everybody with one request, in which one item is wrong.
func (c *crowd) create() {
	c.t.Helper()
	var items []object
	for _, email := range []string{"alice", "not possible", "stays", "bob"} {
		items = append(items, object{
			"client":     object{"email": email, "totalGB": 1 << 30, "expiryTime": time.Now().UnixMilli() + dayMS},
			"inboundIds": c.ids(everyDoor),
		})
	}
	var made struct {
		Created int
		Skipped []struct{ Email string }
	}
	c.panel(http.MethodPost, "/clients/bulkCreate", text(c.t, items), &made)
	if made.Created != 3 || len(made.Skipped) != 1 || made.Skipped[0].Email != "not possible" {
		c.t.Fatalf("bulkCreate answers %+v", made)
	}
}

// ask sends a bulk request about the movers and wants that answer.
func ask(route string, fields object, answer string) func(*crowd) {
	return func(c *crowd) {
		c.t.Helper()
		var obj json.RawMessage
		c.panel(http.MethodPost, "/clients/"+route, text(c.t, merged(object{"emails": movers}, fields)), &obj)
		if !sameJSON(c.t, string(obj), answer) {
			c.t.Errorf("%s: %s answers %s, want %s", c.step, route, obj, answer)
		}
	}
}

func (c *crowd) useUp() {
	for _, email := range movers {
		c.setTraffic(email, object{"download": 1 << 40})
		c.wantStatus(email, "limited")
	}
}

func (c *crowd) remove() {
	c.t.Helper()
	c.backup, _ = c.export()
	ask("bulkDel", nil, `{"deleted":2,"skipped":[]}`)(c)
}

// restore imports what was exported before.
func (c *crowd) restore() {
	c.t.Helper()
	var answer json.RawMessage
	c.panel(http.MethodPost, "/clients/import", text(c.t, object{"data": string(c.backup)}), &answer)
	want := `{"created":2,"skipped":[{"email":"stays","reason":"email already in use: stays"}]}`
	if !sameJSON(c.t, string(answer), want) {
		c.t.Errorf("import answers %s, want %s", answer, want)
	}
}

func (c *crowd) rotate() {
	for _, email := range movers {
		c.update(email, object{"uuid": uuid.NewString(), "password": "other/" + email, "auth": "other:" + email})
	}
}

// walk takes a step and finds what it should have changed, and nothing else.
func (c *crowd) walk(s step) {
	c.t.Helper()
	var held []*stream
	kept := 0
	for _, email := range movers {
		open := c.apps[email].open
		held = append(held, c.apps[email].hold(open)...)
		for _, name := range open {
			if !slices.Contains(s.cut, name) {
				kept++
			}
		}
	}
	s.take(c)
	for _, email := range movers {
		c.look(s, email)
	}
	// The origin sees every end; a client app may take its time until it does.
	coretest.Eventually(c.t, s.name+": connections end where they should", func() bool {
		return c.origin.Held() == int64(len(c.streams)+kept)
	})
	for _, stream := range c.streams {
		stream.wantAlive()
	}
	c.stays.want(everyDoor)
	if _, links := c.published(c.stays.email); !maps.Equal(links, c.stays.links) {
		c.t.Errorf("%s: the links of the one who stays were %v and are %v", s.name, c.stays.links, links)
	}
	for _, stream := range held {
		stream.close()
	}
	coretest.Eventually(c.t, "the connections of the movers are closed", func() bool {
		return c.origin.Held() == int64(len(c.streams))
	})
}

// look finds a mover's links and what can be done with them.
func (c *crowd) look(s step, email string) {
	c.t.Helper()
	old := c.apps[email]
	if s.none {
		c.wantNobody(old)
		old.want(nil)
		return
	}
	_, links := c.published(email)
	// A client that may not connect keeps its links, one that is detached loses those of the inbound.
	for name, link := range old.links {
		now, listed := links[name]
		attached := slices.Contains(s.open, name) || len(s.open) == 0
		if renewed := slices.Contains(s.new, name); listed != attached || listed && (now != link) != renewed {
			c.t.Errorf("%s: the link of %s on %s was\n%s\nand is\n%s", s.name, email, name, link, now)
		}
	}
	if len(s.new) == 0 {
		old.want(s.open)
		return
	}
	if slices.Contains(s.new, late) {
		coretest.Eventually(c.t, "the old key is refused", func() bool {
			return !attempt(c.origin, old.through[late], 300*time.Millisecond)
		})
	}
	old.want(slices.DeleteFunc(slices.Clone(s.open), func(name string) bool { return slices.Contains(s.new, name) }))
	c.apps[email] = c.install(email)
	c.apps[email].want(s.open)
}

// wantNobody finds no trace of a client that had an app.
func (c *crowd) wantNobody(a *app) {
	c.t.Helper()
	if status, body := c.do(http.MethodGet, "/panel/api/clients/links/"+a.email, ""); status != http.StatusOK || !sameJSON(c.t, body, notFound) {
		c.t.Errorf("%s: links answers %d %s", c.step, status, body)
	}
	var links []string
	c.panel(http.MethodGet, "/clients/subLinks/"+a.subID, "", &links)
	if links == nil || len(links) > 0 {
		c.t.Errorf("%s: subLinks answers %v", c.step, links)
	}
	if status, _ := c.do(http.MethodGet, "/sub/"+a.subID, ""); status != http.StatusNotFound {
		c.t.Errorf("%s: the subscription answers %d", c.step, status)
	}
	if _, all := c.export(); slices.ContainsFunc(all, func(e exportedItem) bool { return e.Client.Email == a.email }) {
		c.t.Errorf("%s: %s is exported", c.step, a.email)
	}
}

// exportedItem is a client of an export, with what links have of it.
type exportedItem struct {
	Client     struct{ Email, ID, SubID, Password, Auth, Flow string }
	InboundIDs []int64
}

func (c *crowd) export() (text json.RawMessage, items []exportedItem) {
	c.t.Helper()
	c.panel(http.MethodGet, "/clients/export", "", &text)
	decode(c.t, string(text), &items)
	return text, items
}

// published are a client's links by the names of the inbounds, as they are shown in three places, and the same as what an
// export has.
func (c *crowd) published(email string) (subID string, links map[string]string) {
	c.t.Helper()
	_, all := c.export()
	at := slices.IndexFunc(all, func(e exportedItem) bool { return e.Client.Email == email })
	if at < 0 {
		c.t.Fatalf("%s: %s is not exported", c.step, email)
	}
	exported := all[at]
	subID = exported.Client.SubID
	var byEmail, bySubID []string
	c.panel(http.MethodGet, "/clients/links/"+email, "", &byEmail)
	c.panel(http.MethodGet, "/clients/subLinks/"+subID, "", &bySubID)
	status, body := c.do(http.MethodGet, "/sub/"+subID, "")
	raw, err := base64.StdEncoding.DecodeString(body)
	bySub := strings.Split(strings.TrimSpace(string(raw)), "\n")
	if status != http.StatusOK || err != nil || !slices.Equal(byEmail, bySubID) || !slices.Equal(byEmail, bySub) {
		c.t.Fatalf("%s: links: %v, subLinks: %v, /sub: %d %v", c.step, byEmail, bySubID, status, bySub)
	}
	links = map[string]string{}
	var ids []int64
	for _, link := range byEmail {
		outbound := outboundOf(c.t, link)
		for name, door := range c.doors {
			if !strings.Contains(outbound, fmt.Sprintf(`"port":%d`, door.Port)) {
				continue
			}
			links[name] = link
			ids = append(ids, door.ID)
			c.wantCredential(&exported, name, outbound)
		}
	}
	if slices.Sort(ids); len(links) != len(byEmail) || !slices.Equal(ids, exported.InboundIDs) {
		c.t.Errorf("%s: %s is exported on %v, its links are %v", c.step, email, exported.InboundIDs, byEmail)
	}
	return subID, links
}

// wantCredential finds in the outbound of a link what the export has. On shadowsocks 2022 the key follows from the
// password: that it is the core's, too, shows when the client connects.
func (c *crowd) wantCredential(e *exportedItem, name, outbound string) {
	c.t.Helper()
	id, password := `"id":"`+e.Client.ID+`"`, `"password":"`+e.Client.Password+`"`
	for _, member := range map[string][]string{
		"vless": {id, `"flow":"` + e.Client.Flow + `"`}, "vmess": {id}, "trojan": {password}, "shadowsocks": {password},
		"hysteria2": {`"auth":"` + e.Client.Auth + `"`},
	}[name] {
		if !strings.Contains(outbound, member) {
			c.t.Errorf("%s: %s is exported of %s, and its link to %s is read as %s", c.step, member, e.Client.Email, name, outbound)
		}
	}
}

// app is a client app that was set up with what was published of a client at that moment.
type app struct {
	*crowd
	email, subID string
	links        map[string]string
	through      map[string]*http.Client
	open         []string // where it got in when it was tried last
}

func (c *crowd) install(email string) *app {
	c.t.Helper()
	a := &app{crowd: c, email: email, through: map[string]*http.Client{}}
	a.subID, a.links = c.published(email)
	var names, outbounds []string
	for name, link := range a.links {
		names, outbounds = append(names, name), append(outbounds, outboundOf(c.t, link))
	}
	if len(names) != len(everyDoor) {
		c.t.Fatalf("%s: %s has links to %v", c.step, email, names)
	}
	for i, proxy := range coretest.Clients(c.t, outbounds...) {
		a.through[names[i]] = coretest.HTTP(c.t, proxy)
	}
	return a
}

// hold opens a stream through each of these inbounds.
func (a *app) hold(names []string) []*stream {
	a.t.Helper()
	streams := make([]*stream, len(names))
	for i, name := range names {
		streams[i] = a.life.open(a.through[name])
	}
	return streams
}

// want finds a new connection admitted through these inbounds and refused through all others.
func (a *app) want(open []string) {
	a.t.Helper()
	hits := a.origin.Hits()
	var tries sync.WaitGroup
	for name, client := range a.through {
		if slices.Contains(open, name) {
			continue
		}
		tries.Go(func() {
			if attempt(a.origin, client, time.Second) { // should the core let the refused one hang
				a.t.Errorf("%s: %s is let in through %s", a.step, a.email, name)
			}
		})
	}
	if tries.Wait(); a.origin.Hits() != hits {
		a.t.Errorf("%s: the origin is reached by %s, who is refused", a.step, a.email)
	}
	for _, name := range open {
		if name == late {
			coretest.Eventually(a.t, a.email+" is let in through "+late, func() bool {
				return attempt(a.origin, a.through[late], 300*time.Millisecond) // one who is not known yet is kept waiting
			})
		} else if !attempt(a.origin, a.through[name], patience) {
			a.t.Errorf("%s: %s is refused through %s", a.step, a.email, name)
		}
	}
	a.open = open
}

// attempt says whether a new connection reaches the origin.
func attempt(origin *coretest.Server, through *http.Client, within time.Duration) bool {
	client := *through
	client.Timeout = within
	resp, err := client.Get(origin.URL + "/bytes?n=1")
	if err != nil {
		return false
	}
	_ = resp.Body.Close()
	return resp.StatusCode == http.StatusOK
}
