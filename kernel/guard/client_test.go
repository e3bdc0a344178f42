package guard_test

import (
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"os"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/sluicehq/sluice/kernel/domain"
	"github.com/sluicehq/sluice/kernel/guard"
)

// inside is where the servers of the tests are that may be reached; hidden is where those are that must not be.
var inside, hidden = netip.MustParseAddr("127.0.0.1"), netip.MustParseAddr("127.0.0.2")

func allowInside(a netip.Addr) bool { return a == inside }

// serve starts a server on a free port of the address.
func serve(t *testing.T, on netip.Addr, h http.HandlerFunc) *url.URL {
	t.Helper()
	return serveOn(t, netip.AddrPortFrom(on, 0).String(), h)
}

func serveOn(t *testing.T, address string, h http.HandlerFunc) *url.URL {
	t.Helper()
	listener, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewUnstartedServer(h)
	_ = server.Listener.Close()
	server.Listener = listener
	server.Start()
	t.Cleanup(server.Close)
	u, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// secret starts a server that nobody may reach.
func secret(t *testing.T) *url.URL {
	return serve(t, hidden, func(http.ResponseWriter, *http.Request) { t.Error("the hidden server was reached") })
}

func wantError(t *testing.T, err error, code domain.Code, sentence string) {
	t.Helper()
	var e *domain.Error
	if !errors.As(err, &e) || e.Code != code || e.Error() != sentence {
		t.Errorf("got %v (%s), want %s: %s", err, domain.CodeOf(err), code, sentence)
	}
}

func TestGet(t *testing.T) {
	server := serve(t, inside, func(w http.ResponseWriter, r *http.Request) {
		http.SetCookie(w, &http.Cookie{Name: "a", Value: "b"})
		_, _ = fmt.Fprintf(w, "%s %s from %q with %d cookies", r.Method, r.URL, r.UserAgent(), len(r.Cookies()))
	})
	for agent, want := range map[string]string{
		"Sluice": `GET /sub?a=b from "Sluice" with 0 cookies`,
		"":       `GET /sub?a=b from "" with 0 cookies`,
	} {
		client := guard.New(guard.Options{Allow: allowInside, UserAgent: agent})
		for range 2 {
			body, err := client.Get(t.Context(), server.String()+"/sub?a=b#c", 100)
			if err != nil || string(body) != want {
				t.Errorf("agent %q: %q, %v", agent, body, err)
			}
		}
	}
}

// No spelling of an address that is not public is connected to. That those of the table are refused before a connection
// is tried is what makes them fail at once and alike.
func TestAddressesThatAreNotPublic(t *testing.T) {
	client := guard.New(guard.Options{})
	for name, host := range map[string]string{
		"this host":               "0.0.0.0",
		"this network":            "0.1.2.3",
		"loopback":                "127.0.0.1",
		"all of loopback":         "127.255.255.254",
		"private 10":              "10.0.0.1",
		"private 172.16":          "172.16.0.1",
		"end of private 172.16":   "172.31.255.255",
		"private 192.168":         "192.168.1.1",
		"carrier grade NAT":       "100.64.0.1",
		"end of carrier NAT":      "100.127.255.255",
		"link-local, metadata":    "169.254.169.254",
		"protocol assignments":    "192.0.0.1",
		"documentation 1":         "192.0.2.1",
		"documentation 2":         "198.51.100.1",
		"documentation 3":         "203.0.113.1",
		"benchmarks":              "198.18.0.1",
		"end of benchmarks":       "198.19.255.255",
		"6to4 relay":              "192.88.99.1",
		"multicast":               "224.0.0.1",
		"reserved":                "240.0.0.1",
		"broadcast":               "255.255.255.255",
		"IPv6 unspecified":        "::",
		"IPv6 loopback":           "::1",
		"IPv4 mapped":             "::ffff:127.0.0.1",
		"IPv4 mapped, public":     "::ffff:10.0.0.1",
		"IPv4 compatible":         "::127.0.0.1",
		"IPv4 translated":         "::ffff:0:127.0.0.1",
		"NAT64":                   "64:ff9b::7f00:1",
		"local NAT64":             "64:ff9b:1::7f00:1",
		"Teredo":                  "2001:0:7f00:1::1",
		"ORCHID":                  "2001:20::1",
		"IPv6 documentation":      "2001:db8::1",
		"IPv6 documentation, new": "3fff::1",
		"6to4":                    "2002:7f00:1::1",
		"unique local":            "fd00::1",
		"other unique local":      "fc00::1",
		"IPv6 link-local":         "fe80::1",
		"site-local":              "fec0::1",
		"IPv6 multicast":          "ff02::1",
		"discard":                 "100::1",
	} {
		t.Run(name, func(t *testing.T) {
			_, err := client.Get(t.Context(), "http://"+net.JoinHostPort(host, "80")+"/", 1)
			wantError(t, err, domain.CodeUnavailable, "the address of "+host+" is not public")
		})
	}
}

// A name is worth what it resolves to at the moment of the connection, not what it resolved to before.
func TestRebinding(t *testing.T) {
	z := &zone{addresses: map[string][]netip.Addr{
		"turns.example.":  {inside, hidden},
		"hidden.example.": {hidden},
	}}
	// Both servers must have one port, since the name is all that changes.
	behind := secret(t)
	serveOn(t, net.JoinHostPort(inside.String(), behind.Port()), func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "open") })

	client := guard.New(guard.Options{Allow: allowInside, Resolver: z.resolver(t)})
	if body, err := client.Get(t.Context(), "http://turns.example:"+behind.Port(), 10); err != nil || string(body) != "open" {
		t.Errorf("the first time: %q, %v", body, err)
	}
	_, err := client.Get(t.Context(), "http://turns.example:"+behind.Port(), 10)
	wantError(t, err, domain.CodeUnavailable, "the address of turns.example is not public")
	_, err = client.Get(t.Context(), "http://hidden.example:"+behind.Port(), 10)
	wantError(t, err, domain.CodeUnavailable, "the address of hidden.example is not public")
	_, err = client.Get(t.Context(), "http://nobody.example", 10)
	wantError(t, err, domain.CodeUnavailable, "the address of nobody.example can not be found")
}

// TestMain gives all tests a proxy in the environment, where it is looked at once in a process. A proxy would connect to
// addresses that nobody has checked.
func TestMain(m *testing.M) {
	if err := os.Setenv("HTTP_PROXY", "http://proxy.invalid"); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}

func TestProxyOfTheEnvironmentIsNotUsed(t *testing.T) {
	server := serve(t, inside, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "direct") })
	z := &zone{addresses: map[string][]netip.Addr{"provider.example.": {inside}}}
	client := guard.New(guard.Options{Allow: allowInside, Resolver: z.resolver(t)})
	if body, err := client.Get(t.Context(), "http://provider.example:"+server.Port(), 10); err != nil || string(body) != "direct" {
		t.Errorf("%q, %v", body, err)
	}
}

func TestRedirects(t *testing.T) {
	behind := secret(t)
	server := serve(t, inside, func(w http.ResponseWriter, r *http.Request) {
		if ref := r.Referer(); ref != "" {
			t.Errorf("%s was told that it comes from %s", r.URL, ref)
		}
		var left int
		if _, err := fmt.Sscanf(r.URL.Path, "/%d", &left); err != nil {
			http.Redirect(w, r, r.URL.Query().Get("to"), http.StatusFound)
		} else if left > 0 {
			http.Redirect(w, r, fmt.Sprintf("/%d", left-1), http.StatusMovedPermanently)
		} else {
			_, _ = io.WriteString(w, "arrived")
		}
	})
	client := guard.New(guard.Options{Allow: allowInside})
	if body, err := client.Get(t.Context(), server.String()+"/3", 10); err != nil || string(body) != "arrived" {
		t.Errorf("after three redirects: %q, %v", body, err)
	}
	for path, sentence := range map[string]string{
		"/4":                           "127.0.0.1 redirects more than 3 times",
		"/?to=" + behind.String():      "the address of 127.0.0.2 is not public",
		"/?to=http://169.254.169.254/": "the address of 169.254.169.254 is not public",
		"/?to=file:///etc/passwd":      "127.0.0.1 redirects to what is not an http(s) URL",
		"/?to=gopher://example.com/":   "127.0.0.1 redirects to what is not an http(s) URL",
	} {
		_, err := client.Get(t.Context(), server.String()+path, 10)
		wantError(t, err, domain.CodeUnavailable, sentence)
	}
}

// Where a provider redirects to may be as secret as its URL: no cause quotes it.
func TestSecretsStayOutOfCauses(t *testing.T) {
	server := serve(t, inside, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Location", "http://host:bad/SECRET")
		w.WriteHeader(http.StatusFound)
	})
	_, err := guard.New(guard.Options{Allow: allowInside}).Get(t.Context(), server.String()+"/SECRET", 10)
	for ; err != nil; err = errors.Unwrap(err) {
		if strings.Contains(err.Error(), "SECRET") {
			t.Errorf("%v", err)
		}
	}
}

func TestLimit(t *testing.T) {
	server := serve(t, inside, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "12345") })
	client := guard.New(guard.Options{Allow: allowInside})
	if body, err := client.Get(t.Context(), server.String(), 5); err != nil || string(body) != "12345" {
		t.Errorf("%q, %v", body, err)
	}
	_, err := client.Get(t.Context(), server.String(), 4)
	wantError(t, err, domain.CodeUnavailable, "127.0.0.1 answers with more than 4 bytes")
}

// What is small on the wire counts by what it is unpacked, and no more of it is unpacked than is needed to know.
func TestCompressionBomb(t *testing.T) {
	var unpacked atomic.Int64
	ended := make(chan struct{})
	server := serve(t, inside, func(w http.ResponseWriter, r *http.Request) {
		defer close(ended)
		if r.Header.Get("Accept-Encoding") != "gzip" {
			t.Errorf("accepts %q", r.Header.Get("Accept-Encoding"))
		}
		w.Header().Set("Content-Encoding", "gzip")
		pack := gzip.NewWriter(w)
		zeros := make([]byte, 1<<20)
		for unpacked.Load() < 64<<30 {
			if _, err := pack.Write(zeros); err != nil {
				return
			}
			unpacked.Add(int64(len(zeros)))
		}
	})
	_, err := guard.New(guard.Options{Allow: allowInside}).Get(t.Context(), server.String(), 2<<20)
	wantError(t, err, domain.CodeUnavailable, "127.0.0.1 answers with more than 2097152 bytes")
	<-ended
	if unpacked.Load() == 64<<30 {
		t.Error("all of it was taken")
	}
}

func TestGzip(t *testing.T) {
	server := serve(t, inside, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		pack := gzip.NewWriter(w)
		_, _ = io.WriteString(pack, "unpacked")
		_ = pack.Close()
	})
	if body, err := guard.New(guard.Options{Allow: allowInside}).Get(t.Context(), server.String(), 10); err != nil || string(body) != "unpacked" {
		t.Errorf("%q, %v", body, err)
	}
}

func TestServersThatFail(t *testing.T) {
	server := serve(t, inside, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/header":
			w.Header().Set("Long", strings.Repeat("x", 128<<10))
		case "/short":
			w.Header().Set("Content-Length", "100")
			_, _ = io.WriteString(w, "short")
		case "/packed":
			w.Header().Set("Content-Encoding", "gzip")
			_, _ = io.WriteString(w, "not gzip")
		default:
			http.NotFound(w, r)
		}
	})
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = closed.Close()
	selfSigned := httptest.NewUnstartedServer(http.NotFoundHandler())
	selfSigned.Config.ErrorLog = log.New(io.Discard, "", 0) // of the handshake that the client breaks off
	selfSigned.StartTLS()
	t.Cleanup(selfSigned.Close)
	client := guard.New(guard.Options{Allow: allowInside})
	for address, sentence := range map[string]string{
		server.String() + "/missing":         "127.0.0.1 answers with status 404",
		server.String() + "/header":          "127.0.0.1 can not be reached",
		server.String() + "/short":           "127.0.0.1 can not be reached",
		server.String() + "/packed":          "127.0.0.1 can not be reached",
		"https://" + server.Host:             "127.0.0.1 can not be reached",
		"http://" + closed.Addr().String():   "127.0.0.1 can not be reached",
		selfSigned.URL + "/?token=topsecret": "the certificate of 127.0.0.1 is not valid",
	} {
		_, err := client.Get(t.Context(), address, 1000)
		wantError(t, err, domain.CodeUnavailable, sentence)
		for cause := err; cause != nil; cause = errors.Unwrap(cause) {
			if strings.Contains(cause.Error(), "topsecret") {
				t.Errorf("%s: the log would have the URL: %v", address, cause)
			}
		}
	}
}

// A server that takes the connection and never answers costs what the caller is ready to wait.
func TestDeadServer(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		conn, err := listener.Accept()
		if err != nil {
			t.Error(err)
			return
		}
		t.Cleanup(func() { _ = conn.Close() })
		cancel()
	}()
	_, err = guard.New(guard.Options{Allow: allowInside}).Get(ctx, "http://"+listener.Addr().String(), 10)
	wantError(t, err, domain.CodeUnavailable, "127.0.0.1 did not answer in time")
	if !errors.Is(err, context.Canceled) {
		t.Errorf("the cause is lost: %v", errors.Unwrap(err))
	}
}

func TestCheckURL(t *testing.T) {
	client := guard.New(guard.Options{})
	for _, bad := range []string{
		"", "example.com", "//example.com", "ftp://example.com", "file:///etc/passwd", "http://", "https:///path", "http://:80/",
		"http:example.com", "http://a b/", "http://[::1", "http://a/%zz", "javascript:alert(1)", "http://a\n/",
	} {
		wantError(t, guard.CheckURL(bad), domain.CodeInvalid, "url must be an http(s) URL")
		_, err := client.Get(t.Context(), bad, 1)
		wantError(t, err, domain.CodeInvalid, "url must be an http(s) URL")
	}
	for _, good := range []string{"http://example.com", "HTTPS://user:pass@example.com:2096/sub/abc?x=y#z", "http://[2001:db8::1]:80/"} {
		if err := guard.CheckURL(good); err != nil {
			t.Errorf("%s: %v", good, err)
		}
	}
}
