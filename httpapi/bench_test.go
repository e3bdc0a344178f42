package httpapi

import (
	"bufio"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/jonboulle/clockwork"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/sluicehq/sluice/kernel"
	"github.com/sluicehq/sluice/kernel/core/coretest"
	"github.com/sluicehq/sluice/kernel/domain"
)

// start is the moment at which the clock of every test begins, in ms UTC.
const start = int64(1_790_000_000_000)

// cache keeps compiled plugins for all kernels of these tests: compiling them is most of a start.
var cache string

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "sluice-httpapi-")
	if err != nil {
		panic(err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	cache = dir
	return m.Run()
}

// bench is a whole kernel with its listeners.
type bench struct {
	t      testing.TB
	kernel *kernel.Kernel
	clock  *clockwork.FakeClock
	logs   *observer.ObservedLogs
	log    *zap.Logger // is read in logs
	dir    kernel.DataDir
	url    string // of the API listener
	admin  string // token of a sudo admin
	db     *sql.DB
	watch  *sql.Conn // commits nothing, and so sees that others did
}

// newBench starts a kernel, with what change does to its options.
func newBench(t testing.TB, change ...func(*kernel.Options)) *bench {
	t.Helper()
	observed, logs := observer.New(zap.WarnLevel)
	b := &bench{
		t: t, dir: kernel.DataDir(t.TempDir()), clock: clockwork.NewFakeClockAt(time.UnixMilli(start)), logs: logs,
	}
	if err := os.Symlink(cache, b.dir.Cache()); err != nil {
		t.Fatal(err)
	}
	lock, err := b.dir.Acquire()
	if err != nil {
		t.Fatal(err)
	}
	b.log = zap.New(observed)
	options := kernel.Options{Dir: b.dir, Loopback: true, Log: b.log, Clock: b.clock}
	for _, c := range change {
		c(&options)
	}
	if b.kernel, err = kernel.Start(t.Context(), options); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.kernel.Stop(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
		if err := lock.Release(); err != nil {
			t.Error(err)
		}
	})
	if _, err := b.kernel.Accounts.CreateAdmin(t.Context(), "root", "a good password", true); err != nil {
		t.Fatal(err)
	}
	b.admin = b.token("admin", domain.ScopeAdmin, nil)
	b.db, err = sql.Open("sqlite", "file:"+b.dir.Database()+"?_pragma=busy_timeout(5000)") // the driver is storage's
	if err != nil {
		t.Fatal(err)
	}
	if b.watch, err = b.db.Conn(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = errors.Join(b.watch.Close(), b.db.Close()) })
	b.url = b.serve(Options{API: true, Sub: true})
	return b
}

func (b *bench) token(name string, scope domain.Scope, expiresAt *int64) string {
	b.t.Helper()
	_, secret, err := b.kernel.Accounts.CreateToken(b.t.Context(), name, scope, expiresAt)
	if err != nil {
		b.t.Fatal(err)
	}
	return secret
}

// serve starts one more listener and returns its URL.
func (b *bench) serve(o Options) string {
	o.Kernel, o.Log, o.Version = b.kernel, b.log, "test"
	return serve(b.t, New(o))
}

func serve(t testing.TB, s *Server) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	served := make(chan error, 1)
	go func() { served <- s.Serve(ctx, l) }()
	t.Cleanup(func() {
		stop()
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
	return "http://" + l.Addr().String()
}

// changes is the seq of the last commit that changed anything: behind the kernel's back, as another process would.
func (b *bench) changes() (seq int64) {
	b.t.Helper()
	if err := b.db.QueryRowContext(b.t.Context(), "SELECT COALESCE(MAX(seq), 0) FROM changes").Scan(&seq); err != nil {
		b.t.Fatal(err)
	}
	return seq
}

// version is another number after every commit that wrote anything, be it a row that changes does not count.
func (b *bench) version() (n int64) {
	b.t.Helper()
	if err := b.watch.QueryRowContext(b.t.Context(), "PRAGMA data_version").Scan(&n); err != nil {
		b.t.Fatal(err)
	}
	return n
}

// rows is the result of a query, a line for each row.
func (b *bench) rows(query string, args ...any) string {
	b.t.Helper()
	rows, err := b.watch.QueryContext(b.t.Context(), query, args...)
	if err != nil {
		b.t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	columns, err := rows.Columns()
	if err != nil {
		b.t.Fatal(err)
	}
	values, into := make([]any, len(columns)), make([]any, len(columns))
	for i := range values {
		into[i] = &values[i]
	}
	var text strings.Builder
	for rows.Next() {
		if err := rows.Scan(into...); err != nil {
			b.t.Fatal(err)
		}
		_, _ = fmt.Fprintf(&text, "%v\n", values) // never fails
	}
	if err := rows.Err(); err != nil {
		b.t.Fatal(err)
	}
	return text.String()
}

// checksum is that of every row of every table.
func (b *bench) checksum() string {
	b.t.Helper()
	sum := sha256.New()
	for _, table := range strings.Fields(b.rows("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")) {
		_, _ = io.WriteString(sum, table+b.rows(`SELECT * FROM "`+strings.Trim(table, "[]")+`" ORDER BY 1, 2`)) // never fails
	}
	return hex.EncodeToString(sum.Sum(nil))
}

func (b *bench) exec(query string, args ...any) {
	b.t.Helper()
	if _, err := b.db.ExecContext(b.t.Context(), query, args...); err != nil {
		b.t.Fatal(err)
	}
}

// inbound opens a VLESS inbound on a free loopback port and returns the port.
func (b *bench) inbound(id int) int {
	b.t.Helper()
	port := coretest.FreePort(b.t)
	got := b.panel(http.MethodPost, "/inbounds/add", fmt.Sprintf(`{"remark":"demo","listen":"127.0.0.1","port":%d,"protocol":"vless","settings":{"decryption":"none"}}`, port))
	if want := fmt.Sprintf(`{"success":true,"msg":"Inbound added","obj":{"id":%d,`, id); !strings.HasPrefix(got, want) {
		b.t.Fatalf("inbound: %s", got)
	}
	return port
}

// client makes a client of inbound 1 with a sub id and credentials made of its name.
func (b *bench) client(name string) {
	b.t.Helper()
	got := b.panel(http.MethodPost, "/clients/add", fmt.Sprintf(
		`{"client":{"email":%q,"subId":"sub-%s","uuid":%q,"password":"pw-%s","auth":"auth-%s"},"inboundIds":[1]}`,
		name, name, uuidOf(name), name, name))
	if !strings.HasPrefix(got, `{"success":true,"msg":"Client added",`) {
		b.t.Fatalf("client: %s", got)
	}
}

// uuidOf is a uuid that ends in the first letter of a name.
func uuidOf(name string) string { return fmt.Sprintf("b831381d-6324-4d53-ad4f-%012x", name[0]) }

// panel sends a request of the sudo admin to the 3x-ui dialect, which answers 200 whatever is wrong.
func (b *bench) panel(method, path, body string) string {
	b.t.Helper()
	status, _, got := httpRequest{method: method, path: "/panel/api" + path, token: b.admin, body: body}.send(b.t, b.url)
	if status != http.StatusOK {
		b.t.Fatalf("%s %s: %d %s", method, path, status, got)
	}
	return got
}

// failures are what the log has of requests and parts that went wrong.
func (b *bench) failures() []observer.LoggedEntry {
	return b.logs.Filter(func(e observer.LoggedEntry) bool { return e.Level >= zap.ErrorLevel }).All()
}

// post is the answer to a POST of the sudo admin.
func (b *bench) post(path, body string) string {
	b.t.Helper()
	return strings.TrimSpace(b.panel(http.MethodPost, path, body))
}

// read is the answer to a GET of the sudo admin.
func (b *bench) read(path string) string {
	b.t.Helper()
	return strings.TrimSpace(b.panel(http.MethodGet, path, ""))
}

// must posts what has to succeed.
func (b *bench) must(path, body string) {
	b.t.Helper()
	if got := b.post(path, body); !strings.HasPrefix(got, `{"success":true,`) {
		b.t.Fatalf("%s %s answers %s", path, body, got)
	}
}

// httpRequest is one request; its path is sent exactly as it stands.
type httpRequest struct {
	method, path, token, body string
	headers                   map[string]string
}

func (r httpRequest) send(t testing.TB, server string) (status int, headers http.Header, body string) {
	t.Helper()
	base, err := url.Parse(server)
	if err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(t.Context(), r.method, server, strings.NewReader(r.body))
	if err != nil {
		t.Fatal(err)
	}
	req.URL = &url.URL{Scheme: base.Scheme, Host: base.Host, Opaque: r.path}
	if r.token != "" {
		req.Header.Set("Authorization", "Bearer "+r.token)
	}
	for name, value := range r.headers {
		req.Header.Set(name, value)
		if name == "Host" {
			req.Host = value
		}
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, resp.Header, string(text)
}

// scenario is one request with what must come back.
type scenario struct {
	name   string
	req    httpRequest
	status int      // 0 = 200
	want   string   // the whole body, "" = see has
	has    []string // parts of the body
	not    []string // no parts of it
}

// run sends every scenario to server. None may change anything in the database.
func (b *bench) run(t *testing.T, server string, scenarios []scenario) {
	t.Helper()
	for _, s := range scenarios {
		t.Run(s.name, func(t *testing.T) {
			before := b.version()
			status, _, body := s.req.send(t, server)
			if s.status == 0 {
				s.status = http.StatusOK
			}
			if status != s.status {
				t.Errorf("status %d, want %d", status, s.status)
			}
			if s.want != "" && strings.TrimSuffix(body, "\n") != s.want {
				t.Errorf("body %s\nwant %s", body, s.want)
			}
			for _, part := range s.has {
				if !strings.Contains(body, part) {
					t.Errorf("body %s\nhas no %s", body, part)
				}
			}
			for _, part := range s.not {
				if strings.Contains(body, part) {
					t.Errorf("body %s\nhas %s", body, part)
				}
			}
			if b.version() != before {
				t.Error("the request changed something")
			}
		})
	}
}

// raw sends text as it is, and returns the status line and the body that come back.
func raw(t *testing.T, server, text string) (status, body string) {
	t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(server, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	if err := conn.SetDeadline(time.Now().Add(30 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(conn, text); err != nil {
		t.Fatal(err)
	}
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.Proto + " " + resp.Status, string(answer)
}

// envelope is what the 3x-ui dialect answers when it refuses.
func envelope(sentence string) string {
	return fmt.Sprintf(`{"success":false,"msg":%q,"obj":null}`, sentence)
}

// detail is what every other route answers when it refuses.
func detail(sentence string) string { return fmt.Sprintf(`{"detail":%q}`, sentence) }
