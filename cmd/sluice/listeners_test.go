package main

import (
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sluicehq/sluice/kernel/core/coretest"
)

// TestListeners starts with a listener for each purpose and finds on each what belongs there and nothing else.
func TestListeners(t *testing.T) {
	dir, certs := t.TempDir(), t.TempDir()
	cert := coretest.TLSCert(t, certs)
	s := start(t, dir, "--sub-listen", "127.0.0.1:0", "--metrics-listen", "127.0.0.1:0", "--tls-cert", cert.CertFile, "--tls-key", cert.KeyFile)
	client := &http.Client{Timeout: patience, Transport: &http.Transport{
		TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, // of the server that this test started
	}}
	t.Cleanup(client.CloseIdleConnections)
	for _, c := range []struct {
		what, scheme, path string
		status             int
		contains           string
	}{
		{"api", "https", "/healthz", http.StatusOK, "ok\n"},
		{"api", "https", "/metrics", http.StatusUnauthorized, "token"},
		{"api", "https", "/openapi.json", http.StatusOK, `"/panel/api/clients/add"`},
		{"api", "https", "/sub/nobody", http.StatusNotFound, "subscription not found"},
		{"subscriptions", "https", "/sub/nobody", http.StatusNotFound, "subscription not found"},
		{"subscriptions", "https", "/healthz", http.StatusNotFound, "no such route"},
		{"subscriptions", "https", "/panel/api/inbounds/list", http.StatusNotFound, "no such route"},
		{"metrics", "http", "/metrics", http.StatusOK, "sluice_up{part=\"core\"} 1"},
		{"metrics", "http", "/readyz", http.StatusOK, `"status":"ready"`},
		{"metrics", "http", "/sub/nobody", http.StatusNotFound, "no such route"},
		{"metrics", "http", "/panel/api/inbounds/list", http.StatusNotFound, "no such route"},
	} {
		t.Run(c.what+" "+c.path, func(t *testing.T) {
			resp, err := client.Get(fmt.Sprintf("%s://%s%s", c.scheme, s.address(t, c.what), c.path))
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = resp.Body.Close() }()
			body, err := io.ReadAll(resp.Body)
			if err != nil || resp.StatusCode != c.status || !strings.Contains(string(body), c.contains) {
				t.Errorf("answers %d %.300s, %v; want %d with %s", resp.StatusCode, body, err, c.status, c.contains)
			}
		})
	}
}

// address is where the server logged to serve that.
func (o *output) address(t *testing.T, what string) string {
	t.Helper()
	for _, line := range o.log() {
		if line["msg"] == "serving" && line["what"] == what {
			return line["address"].(string)
		}
	}
	t.Fatalf("nothing serves %s", what)
	return ""
}

// TestSecondServeIsRefused names the process that has the data directory, and leaves it alone.
func TestSecondServeIsRefused(t *testing.T) {
	dir := t.TempDir()
	s := start(t, dir)
	_, errs, code := command(t, "", "serve", "--data", dir, "--listen", "127.0.0.1:0")
	want := fmt.Sprintf("sluice: process %d already uses the data directory %s\n", s.process.Pid, dir)
	if code != 1 || !strings.HasSuffix(errs, want) {
		t.Errorf("exit code %d and %q, want 1 and %q", code, errs, want)
	}
	if status, body := s.do(http.MethodGet, "/readyz", ""); status != http.StatusOK || body != "ready\n" {
		t.Errorf("the first server answers %d %q", status, body)
	}
}

// TestListenTaken tells that another program has the port, before anything of the data is touched.
func TestListenTaken(t *testing.T) {
	taken := coretest.Origin(t)
	dir := filepath.Join(t.TempDir(), "data")
	_, errs, code := command(t, "", "serve", "--data", dir, "--listen", taken.Addr)
	if code != 1 || !strings.Contains(errs, "sluice: listen for api: ") || !strings.Contains(errs, "address already in use") {
		t.Errorf("exit code %d and %q", code, errs)
	}
}
