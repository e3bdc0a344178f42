package guard_test

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/sluicehq/sluice/kernel/domain"
	"github.com/sluicehq/sluice/kernel/guard"
)

func TestDo(t *testing.T) {
	hidden := secret(t)
	server := serve(t, inside, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/away" {
			http.Redirect(w, r, hidden.String(), http.StatusFound)
			return
		}
		body, _ := io.ReadAll(r.Body)
		w.WriteHeader(http.StatusTeapot)
		_, _ = io.WriteString(w, r.Method+" "+r.UserAgent()+" "+string(body))
	})
	client := guard.New(guard.Options{Allow: allowInside, UserAgent: "not of Do"})
	do := func(ctx context.Context, method, url, body string) (*http.Response, error) {
		req, err := http.NewRequestWithContext(ctx, method, url, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("User-Agent", "mine")
		return client.Do(req)
	}
	resp, err := do(t.Context(), http.MethodPut, server.String(), "hello")
	if err != nil {
		t.Fatal(err)
	}
	body, _ := io.ReadAll(resp.Body)
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusTeapot || string(body) != "PUT mine hello" {
		t.Errorf("status %d, %q", resp.StatusCode, body)
	}
	resp, err = do(t.Context(), http.MethodGet, server.String()+"/away", "")
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusFound || resp.Header.Get("Location") != hidden.String() {
		t.Errorf("status %d, to %s", resp.StatusCode, resp.Header.Get("Location"))
	}
	_, err = do(t.Context(), http.MethodGet, hidden.String(), "")
	wantError(t, err, domain.CodeUnavailable, "the address of 127.0.0.2 is not public")
	_, err = do(t.Context(), http.MethodGet, "file:///etc/passwd", "")
	wantError(t, err, domain.CodeInvalid, "url must be an http(s) URL")
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = do(gone, http.MethodGet, server.String(), "")
	wantError(t, err, domain.CodeUnavailable, "127.0.0.1 did not answer in time")
}
