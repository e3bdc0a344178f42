package coretest

import (
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"strconv"
	"sync"
	"testing"
	"time"
)

// patience is how long something that must happen may take on a slow machine.
const patience = 30 * time.Second

// Client starts an xray client and returns the address of its proxy, which speaks SOCKS5 and HTTP. config is either one
// outbound or a whole configuration, whose inbounds are replaced. What the client printed is logged if the test fails.
func Client(t testing.TB, config string) string {
	t.Helper()
	doc := decode(t, config)
	if _, whole := doc["outbounds"]; !whole {
		doc = object{"outbounds": []any{doc}}
	}
	addr := freeAddr(t)
	doc["inbounds"] = []any{proxy(t, addr)}
	run(t, doc, addr)
	return addr
}

// Clients starts one xray client with a proxy for each of the outbounds, and returns the proxies' addresses in that
// order: less to start than as many clients.
func Clients(t testing.TB, outbounds ...string) []string {
	t.Helper()
	var out, in, rules []any
	addrs := make([]string, len(outbounds))
	for i, config := range outbounds {
		addrs[i] = freeAddr(t)
		tag := strconv.Itoa(i)
		o, p := decode(t, config), proxy(t, addrs[i])
		o["tag"], p["tag"] = tag, tag
		out, in, rules = append(out, o), append(in, p), append(rules, object{"inboundTag": []string{tag}, "outboundTag": tag})
	}
	run(t, object{"outbounds": out, "inbounds": in, "routing": object{"rules": rules}}, addrs...)
	return addrs
}

type object = map[string]any

func decode(t testing.TB, text string) object {
	t.Helper()
	var doc object
	if err := json.Unmarshal([]byte(text), &doc); err != nil {
		t.Fatalf("client configuration: %v in\n%s", err, text)
	}
	return doc
}

func freeAddr(t testing.TB) string {
	t.Helper()
	return net.JoinHostPort("127.0.0.1", strconv.Itoa(FreePort(t)))
}

// proxy is the inbound by which a test comes in.
func proxy(t testing.TB, addr string) object {
	t.Helper()
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		t.Fatal(err)
	}
	return object{"listen": host, "port": json.Number(port), "protocol": "mixed", "settings": object{"udp": true}}
}

// run starts an xray client that is killed when the test ends, and waits until it listens on the addresses.
func run(t testing.TB, doc object, addrs ...string) {
	t.Helper()
	doc["log"] = object{"loglevel": "info"}
	config, err := json.Marshal(doc)
	if err != nil {
		t.Fatal(err)
	}
	out := &output{}
	cmd := exec.Command(Binary(t), "run", "-c", "stdin:")
	cmd.Stdin = bytes.NewReader(config)
	cmd.Stdout, cmd.Stderr = out, out
	if err := cmd.Start(); err != nil {
		t.Fatalf("starting the client: %v", err)
	}
	ended := make(chan struct{})
	go func() {
		_ = cmd.Wait() // killed at the end of the test
		close(ended)
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Signal(os.Kill)
		<-ended
		if t.Failed() {
			t.Logf("client said:\n%s", out)
		}
	})
	for _, addr := range addrs {
		Eventually(t, "the client listens", func() bool {
			select {
			case <-ended:
				t.Fatalf("the client ended at once:\n%s", out)
			default:
			}
			return Reachable(addr)
		})
	}
}

// HTTP returns an HTTP client that goes through the proxy, with a connection of its own for each request. It trusts any
// certificate and speaks TLS 1.3.
func HTTP(t testing.TB, proxy string) *http.Client {
	t.Helper()
	transport := &http.Transport{
		Proxy:                 http.ProxyURL(&url.URL{Scheme: "socks5", Host: proxy}),
		DisableKeepAlives:     true,
		DisableCompression:    true,
		TLSClientConfig:       trusting(),
		ExpectContinueTimeout: patience,
	}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport, Timeout: patience}
}

// FreePort returns a port of 127.0.0.1 on which nothing listens, neither TCP nor UDP. It is below those that the system
// gives to outgoing connections, so that none of these takes it before the test does.
func FreePort(t testing.TB) int {
	t.Helper()
	const lowest, highest = 10_000, 32_000
	for range 100 {
		addr := net.JoinHostPort("127.0.0.1", strconv.Itoa(lowest+rand.IntN(highest-lowest)))
		l, err := net.Listen("tcp", addr)
		if err != nil {
			continue
		}
		u, err := net.ListenPacket("udp", addr)
		port := l.Addr().(*net.TCPAddr).Port
		_ = l.Close()
		if err == nil {
			_ = u.Close()
			return port
		}
	}
	t.Fatal("no free port")
	return 0
}

// Reachable says whether something accepts TCP connections on the address.
func Reachable(addr string) bool {
	c, err := net.DialTimeout("tcp", addr, time.Second)
	if err != nil {
		return false
	}
	_ = c.Close()
	return true
}

// Eventually waits until ok, and fails the test if that takes too long.
func Eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	look := time.NewTicker(5 * time.Millisecond)
	defer look.Stop()
	deadline := time.NewTimer(patience)
	defer deadline.Stop()
	for !ok() {
		select {
		case <-look.C:
		case <-deadline.C:
			t.Fatalf("waited %s in vain until %s", patience, what)
		}
	}
}

// output keeps what a process prints.
type output struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.String()
}
