package main

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/sluicehq/sluice/kernel/core/coretest"
)

// allowPrivate is a base configuration that lets clients reach the origin of these tests, which listens on loopback.
const allowPrivate = `{"outbounds":[{"tag":"direct","protocol":"freedom","settings":{"finalRules":[{"action":"allow"}]}}]}`

type traffic struct{ Up, Down int64 }

// TestFirstFiveMinutes is the story of the README, from an empty directory to a restart after kill -9.
func TestFirstFiveMinutes(t *testing.T) { firstFiveMinutes(t) }

// firstFiveMinutes starts the server with args besides those that every server of the tests has.
func firstFiveMinutes(t *testing.T, args ...string) {
	dir, origin := t.TempDir(), coretest.Origin(t)
	s := start(t, dir, args...)
	if !strings.Contains(s.stdout(), "username: admin\n  password: ") {
		t.Fatalf("the first start prints %q", s.stdout())
	}
	s.login()
	if _, errs, code := command(t, allowPrivate, "core", "set", "--data", dir); code != 0 {
		t.Fatalf("core set: %s", errs)
	}

	port := coretest.FreePort(t)
	var inbound struct{ ID int64 }
	s.panel(http.MethodPost, "/inbounds/add", vlessInbound(port), &inbound)
	if inbound.ID != 1 || !coretest.Reachable(fmt.Sprintf("127.0.0.1:%d", port)) {
		t.Fatalf("inbound %d does not serve at once", inbound.ID)
	}
	s.panel(http.MethodPost, "/clients/add", aliceJSON, nil)
	var alice struct {
		Client     struct{ Email, SubID string }
		InboundIDs []int64
	}
	s.panel(http.MethodGet, "/clients/get/alice@example.com", "", &alice)
	if alice.Client.Email != "alice@example.com" || fmt.Sprint(alice.InboundIDs) != "[1]" {
		t.Fatalf("get answers %+v", alice)
	}

	link := s.oneLink("alice@example.com", alice.Client.SubID)
	through := coretest.HTTP(t, coretest.Client(t, outboundOf(t, link)))
	download(t, through, origin, 5_000_000)
	s.wantTraffic("alice@example.com", 5_000_000)

	// The process dies, not the data: wait for one flush, so that what is lost can only be what comes after it.
	s.waitFlushed(t)
	s.kill()
	s = start(t, dir, args...)
	if s.stdout() != "" {
		t.Fatalf("the second start prints %q", s.stdout())
	}
	s.token = tokenOf(t, dir)
	s.wantTraffic("alice@example.com", 5_000_000)
	if again := s.oneLink("alice@example.com", alice.Client.SubID); again != link {
		t.Fatalf("the link changed from\n%s to\n%s", link, again)
	}
	download(t, through, origin, 1_000_000)

	held := hold(t, through, origin)
	asked := time.Now()
	s.panel(http.MethodPost, "/clients/del/alice@example.com", "", nil)
	if err := waitCut(held); err == nil {
		t.Fatal("the open connection of a deleted client ended as if it was complete")
	}
	t.Logf("the open connection was cut %s after the request to delete its client", time.Since(asked))
	hits := origin.Hits()
	if resp, err := through.Get(origin.URL + "/bytes?n=1"); err == nil {
		_ = resp.Body.Close()
		if resp.StatusCode == http.StatusOK {
			t.Fatal("a deleted client gets a new connection")
		}
	}
	if origin.Hits() != hits {
		t.Fatal("a deleted client reaches the origin")
	}
	if status, body := s.do(http.MethodGet, "/sub/"+alice.Client.SubID, ""); status != http.StatusNotFound {
		t.Fatalf("the subscription of a deleted client answers %d %s", status, body)
	}
}

// TestStopLosesNothing tells the server to stop while a download runs: it ends by itself, and every byte that it had
// counted is there afterwards.
func TestStopLosesNothing(t *testing.T) {
	dir, origin := t.TempDir(), coretest.Origin(t)
	s := start(t, dir)
	s.login()
	if _, errs, code := command(t, allowPrivate, "core", "set", "--data", dir); code != 0 {
		t.Fatalf("core set: %s", errs)
	}
	s.panel(http.MethodPost, "/inbounds/add", vlessInbound(coretest.FreePort(t)), nil)
	s.panel(http.MethodPost, "/clients/add", aliceJSON, nil)
	var links []string
	s.panel(http.MethodGet, "/clients/links/alice@example.com", "", &links)
	through := coretest.HTTP(t, coretest.Client(t, outboundOf(t, links[0])))
	download(t, through, origin, 3_000_000)
	held := hold(t, through, origin)
	var before, after traffic
	s.panel(http.MethodGet, "/clients/traffic/alice@example.com", "", &before)
	if before.Down < 3_000_000 {
		t.Fatalf("%d bytes are shown right after a download of 3 MB", before.Down)
	}
	if err := s.process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	select {
	case <-s.ended:
	case <-time.After(patience):
		t.Fatal("the server does not stop")
	}
	if err := waitCut(held); err == nil {
		t.Error("the download ended as if it was complete")
	}
	s = start(t, dir)
	s.token = tokenOf(t, dir)
	s.panel(http.MethodGet, "/clients/traffic/alice@example.com", "", &after)
	if after.Up < before.Up || after.Down < before.Down {
		t.Errorf("%+v is left of %+v", after, before)
	}
}

// TestUsersDoNotReachOurAPI asks for the API, which listens on loopback, through an inbound: refused by default, and
// reached when the operator has set the rule aside.
func TestUsersDoNotReachOurAPI(t *testing.T) {
	dir := t.TempDir()
	s := start(t, dir)
	s.login()
	s.panel(http.MethodPost, "/inbounds/add", vlessInbound(coretest.FreePort(t)), nil)
	s.panel(http.MethodPost, "/clients/add", aliceJSON, nil)
	var links []string
	s.panel(http.MethodGet, "/clients/links/alice@example.com", "", &links)
	attempt := *coretest.HTTP(t, coretest.Client(t, outboundOf(t, links[0])))
	attempt.Timeout = time.Second // the core lets a refused target hang
	if resp, err := attempt.Get(s.base + "/healthz"); err == nil {
		_ = resp.Body.Close()
		t.Fatalf("the API answers %d through the proxy", resp.StatusCode)
	}
	if _, errs, code := command(t, allowPrivate, "core", "set", "--data", dir); code != 0 {
		t.Fatalf("core set: %s", errs)
	}
	coretest.Eventually(t, "the rule is set aside", func() bool {
		resp, err := attempt.Get(s.base + "/healthz")
		if err != nil {
			return false
		}
		_ = resp.Body.Close()
		return resp.StatusCode == http.StatusOK
	})
}

const aliceJSON = `{"client":{"email":"alice@example.com","totalGB":53687091200,"expiryTime":0,"limitIp":0,"enable":true},"inboundIds":[1]}`

func vlessInbound(port int) string {
	return fmt.Sprintf(`{"remark":"demo","listen":"127.0.0.1","port":%d,"protocol":"vless","settings":{"decryption":"none"}}`, port)
}

// oneLink gets the client's only link in the three ways there are, which must agree.
func (s *server) oneLink(email, subID string) string {
	s.t.Helper()
	var byEmail, bySubID []string
	s.panel(http.MethodGet, "/clients/links/"+email, "", &byEmail)
	s.panel(http.MethodGet, "/clients/subLinks/"+subID, "", &bySubID)
	status, body := s.do(http.MethodGet, "/sub/"+subID, "")
	raw, err := base64.StdEncoding.DecodeString(body)
	if status != http.StatusOK || err != nil {
		s.t.Fatalf("/sub answers %d %q", status, body)
	}
	bySub := strings.Split(strings.TrimSpace(string(raw)), "\n")
	if len(byEmail) != 1 || fmt.Sprint(byEmail) != fmt.Sprint(bySubID) || fmt.Sprint(byEmail) != fmt.Sprint(bySub) {
		s.t.Fatalf("links: %v, subLinks: %v, /sub: %v", byEmail, bySubID, bySub)
	}
	return byEmail[0]
}

func download(t *testing.T, client *http.Client, origin *coretest.Server, n int64) {
	t.Helper()
	resp, err := client.Get(fmt.Sprintf("%s/bytes?n=%d", origin.URL, n))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	if got, err := io.Copy(io.Discard, resp.Body); err != nil || got != n {
		t.Fatalf("downloaded %d of %d bytes: %v", got, n, err)
	}
}

// wantTraffic waits until the bytes are shown, within 1 %.
func (s *server) wantTraffic(email string, down int64) {
	s.t.Helper()
	var got traffic
	coretest.Eventually(s.t, "the traffic is shown", func() bool {
		s.panel(http.MethodGet, "/clients/traffic/"+email, "", &got)
		return got.Down >= down
	})
	if got.Down > down+down/100 {
		s.t.Fatalf("%d bytes down are shown for %d", got.Down, down)
	}
}

// waitFlushed waits until a flush has begun and ended after this moment.
func (s *server) waitFlushed(t *testing.T) {
	t.Helper()
	asked := time.Now()
	coretest.Eventually(t, "the traffic is stored", func() bool {
		var h struct {
			Age float64 `json:"seconds_since_traffic_was_stored"`
		}
		_, body := s.do(http.MethodGet, "/readyz", "")
		decode(t, body, &h)
		return time.Since(asked).Seconds() > h.Age
	})
}

// tokenOf makes another token, on the command line of the server that runs on dir.
func tokenOf(t *testing.T, dir string) string {
	t.Helper()
	out, errs, code := command(t, "", "token", "create", "--data", dir, "--name", "again")
	if code != 0 {
		t.Fatalf("token create: %s", errs)
	}
	return strings.TrimSpace(out)
}

// hold opens a download without end and returns what it ends with.
func hold(t *testing.T, client *http.Client, origin *coretest.Server) <-chan error {
	t.Helper()
	endless := *client
	endless.Timeout = 0
	resp, err := endless.Get(origin.URL + "/hold")
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() {
		_, err := io.Copy(io.Discard, resp.Body)
		_ = resp.Body.Close()
		ended <- err
	}()
	return ended
}

// waitCut returns how the connection ended; an error of its own when it does not end.
func waitCut(held <-chan error) error {
	select {
	case err := <-held:
		return err
	case <-time.After(patience):
		return nil
	}
}

func decode(t *testing.T, body string, to any) {
	t.Helper()
	if err := json.Unmarshal([]byte(body), to); err != nil {
		t.Fatalf("%v in %s", err, body)
	}
}
