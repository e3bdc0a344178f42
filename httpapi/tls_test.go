package httpapi

import (
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/jonboulle/clockwork"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/sluicehq/sluice/kernel/core/coretest"
)

// certs are the files of a certificate that a test renews.
type certs struct {
	t   *testing.T
	dir string
	age time.Duration // moves with each change, so that no two of them have one modification time
}

// renew writes a new pair and returns the certificate's SHA-256.
func (c *certs) renew() string {
	c.t.Helper()
	sum := coretest.TLSCert(c.t, c.dir).SHA256
	c.touch()
	return sum
}

// write replaces one of the files.
func (c *certs) write(file, text string) {
	c.t.Helper()
	if err := os.WriteFile(c.dir+"/"+file, []byte(text), 0o600); err != nil {
		c.t.Fatal(err)
	}
	c.touch()
}

func (c *certs) touch() {
	c.t.Helper()
	c.age += time.Minute
	for _, file := range []string{"cert.pem", "key.pem"} {
		at := time.UnixMilli(start).Add(c.age)
		if err := os.Chtimes(c.dir+"/"+file, at, at); err != nil {
			c.t.Fatal(err)
		}
	}
}

// TestCertificateFollowsItsFiles renews, breaks, repairs and removes the files under a running listener.
func TestCertificateFollowsItsFiles(t *testing.T) {
	files := &certs{t: t, dir: t.TempDir()}
	first := files.renew()
	clock := clockwork.NewFakeClockAt(time.UnixMilli(start))
	observed, logs := observer.New(zap.ErrorLevel)
	c, err := LoadCertificate(files.dir+"/cert.pem", files.dir+"/key.pem", clock, zap.New(observed))
	if err != nil {
		t.Fatal(err)
	}
	address := listenTLS(t, c.Config())
	want := func(what, sum string, errors int) {
		t.Helper()
		if got := served(t, address); got != sum {
			t.Errorf("%s: certificate %s, want %s", what, got, sum)
		}
		if logs.Len() != errors {
			t.Errorf("%s: %d errors are logged, want %d", what, logs.Len(), errors)
		}
	}
	want("first", first, 0)
	second := files.renew()
	want("renewed, within a second", first, 0)
	clock.Advance(2 * recheck)
	want("renewed, a second later", second, 0)

	files.write("cert.pem", "broken")
	clock.Advance(2 * recheck)
	want("broken", second, 1)
	clock.Advance(2 * recheck)
	want("still broken", second, 1)
	third := files.renew()
	clock.Advance(2 * recheck)
	want("repaired", third, 1)

	if err := os.Remove(files.dir + "/key.pem"); err != nil {
		t.Fatal(err)
	}
	clock.Advance(2 * recheck)
	want("key removed", third, 1)
}

func TestLoadCertificateRefuses(t *testing.T) {
	files := &certs{t: t, dir: t.TempDir()}
	load := func() string {
		_, err := LoadCertificate(files.dir+"/cert.pem", files.dir+"/key.pem", clockwork.NewFakeClock(), zap.NewNop())
		if err == nil {
			t.Fatal("loaded")
		}
		return err.Error()
	}
	if got := load(); !strings.HasPrefix(got, "load TLS certificate: stat ") {
		t.Errorf("no files: %s", got)
	}
	files.renew()
	files.write("key.pem", "broken")
	if got := load(); got != "load TLS certificate: tls: failed to find any PEM data in key input" {
		t.Errorf("broken key: %s", got)
	}
}

func TestOldTLSIsRefused(t *testing.T) {
	files := &certs{t: t, dir: t.TempDir()}
	files.renew()
	c, err := LoadCertificate(files.dir+"/cert.pem", files.dir+"/key.pem", clockwork.NewFakeClock(), zap.NewNop())
	if err != nil {
		t.Fatal(err)
	}
	address := listenTLS(t, c.Config())
	conn, err := tls.Dial("tcp", address, &tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11})
	if err == nil {
		_ = conn.Close()
		t.Error("TLS 1.1 is spoken")
	}
}

// listenTLS ends every handshake and closes.
func listenTLS(t *testing.T, config *tls.Config) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			_ = tls.Server(conn, config).Handshake() // what the client sees is what counts
			_ = conn.Close()
		}
	}()
	t.Cleanup(func() {
		_ = l.Close()
		<-ended
	})
	return l.Addr().String()
}

// served is the SHA-256 of the certificate that a new connection gets.
func served(t *testing.T, address string) string {
	t.Helper()
	conn, err := tls.Dial("tcp", address, &tls.Config{InsecureSkipVerify: true}) // the test made it
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	sum := sha256.Sum256(conn.ConnectionState().PeerCertificates[0].Raw)
	return hex.EncodeToString(sum[:])
}
