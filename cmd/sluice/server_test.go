package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sluicehq/sluice/storage/storagetest"
)

// binary is the program under test, built once for all tests of this package.
var binary string

func TestMain(m *testing.M) { os.Exit(testMain(m)) }

func testMain(m *testing.M) int {
	dir, err := os.MkdirTemp("", "sluice-test")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	binary = filepath.Join(dir, "sluice")
	build := exec.Command("go", "build", "-o", binary, ".") // with the flags of the test: nothing is compiled twice
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "build: %v\n%s", err, out)
		return 1
	}
	return storagetest.Main(m)
}

// server is one running process.
type server struct {
	t       *testing.T
	dir     string
	base    string // URL of the API
	token   string
	process *os.Process
	ended   chan struct{}

	*output
}

// output is what a server prints.
type output struct {
	mu      sync.Mutex
	printed bytes.Buffer // stdout
	logged  []map[string]any
}

// patience is how long something that must happen may take on a slow machine.
const patience = 30 * time.Second

// start runs `sluice serve` on the data directory and waits until it serves. It is killed when the test ends.
func start(t *testing.T, dir string, args ...string) *server {
	t.Helper()
	s := &server{t: t, dir: dir, ended: make(chan struct{}), output: &output{}}
	cmd := exec.Command(binary, append([]string{"serve", "--data", dir, "--listen", "127.0.0.1:0", "--log-format", "json"}, args...)...)
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stdout = s.output
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	s.process = cmd.Process
	serving := make(chan string, 1)
	go func() {
		s.follow(stderr, serving)
		_ = cmd.Wait()
		close(s.ended)
	}()
	t.Cleanup(func() {
		s.kill()
		if t.Failed() {
			t.Logf("the server logged: %v", s.log())
		}
	})
	select {
	case address := <-serving:
		s.base = "http://" + address
		if slices.Contains(args, "--tls-cert") {
			return s // its certificate is the test's business
		}
	case <-s.ended:
		t.Fatalf("the server ended: %v", s.log())
	case <-time.After(patience):
		t.Fatalf("the server does not serve: %v", s.log())
	}
	s.waitReady()
	return s
}

// waitReady waits for the first answer: the listener is open before anything answers behind it.
func (s *server) waitReady() {
	s.t.Helper()
	if status, body := s.do(http.MethodGet, "/healthz", ""); status != http.StatusOK || body != "ok\n" {
		s.t.Fatalf("/healthz answers %d %q", status, body)
	}
}

// follow keeps the log and tells the address of the API when it is there.
func (o *output) follow(stderr io.Reader, serving chan<- string) {
	for lines := bufio.NewScanner(stderr); lines.Scan(); {
		line := map[string]any{}
		if json.Unmarshal(lines.Bytes(), &line) != nil {
			line["msg"] = lines.Text()
		}
		o.mu.Lock()
		o.logged = append(o.logged, line)
		o.mu.Unlock()
		if line["msg"] == "serving" && line["what"] == "api" {
			serving <- line["address"].(string)
		}
	}
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.printed.Write(p)
}

func (o *output) log() []map[string]any {
	o.mu.Lock()
	defer o.mu.Unlock()
	return append([]map[string]any{}, o.logged...)
}

func (o *output) stdout() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.printed.String()
}

// kill is kill -9.
func (s *server) kill() {
	_ = s.process.Kill()
	<-s.ended
}

// command runs another sluice command on the same data and returns what it printed.
func command(t *testing.T, stdin string, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, binary, args...)
	var out, errs bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(stdin), &out, &errs
	if err := cmd.Run(); err != nil {
		if _, ok := err.(*exec.ExitError); !ok {
			t.Fatal(err)
		}
	}
	return out.String(), errs.String(), cmd.ProcessState.ExitCode()
}

// login makes a token on the command line and uses it from here on.
func (s *server) login() {
	s.t.Helper()
	out, errs, code := command(s.t, "", "token", "create", "--data", s.dir, "--name", "test")
	if code != 0 {
		s.t.Fatalf("token create: %d %s", code, errs)
	}
	s.token = strings.TrimSpace(out)
}

// do sends a request and returns status and body.
func (s *server) do(method, path, body string) (int, string) {
	s.t.Helper()
	req, err := http.NewRequestWithContext(s.t.Context(), method, s.base+path, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	if s.token != "" {
		req.Header.Set("Authorization", "Bearer "+s.token)
	}
	resp, err := (&http.Client{Timeout: patience}).Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return resp.StatusCode, string(text)
}

// panel sends a request of the 3x-ui dialect that must succeed, and decodes obj.
func (s *server) panel(method, path, body string, obj any) {
	s.t.Helper()
	status, text := s.do(method, "/panel/api"+path, body)
	var envelope struct {
		Success bool
		Msg     string
		Obj     json.RawMessage
	}
	if err := json.Unmarshal([]byte(text), &envelope); err != nil || status != http.StatusOK || !envelope.Success {
		s.t.Fatalf("%s %s answers %d %s", method, path, status, text)
	}
	if obj == nil {
		return
	}
	if err := json.Unmarshal(envelope.Obj, obj); err != nil {
		s.t.Fatalf("%s %s: %v in %s", method, path, err, text)
	}
}
