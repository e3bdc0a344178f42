package main

import (
	"bytes"
	"database/sql"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
)

// BenchmarkClients is what a request costs the server in CPU, among 10,000, 100,000 and 1,000,000 clients on one inbound:
// whole HTTP requests to a process of its own for each, in turn, so that a busy machine is the same for all. What is
// reported is the median of the rounds. The table that is printed has every number with its target: ratios are those of 1M to
// 10k, which say whether a cost grows with the number of clients, and few costs have a limit of their own.
func BenchmarkClients(b *testing.B) {
	sizes := []int{10_000, 100_000, 1_000_000}
	panels := make([]*panel, len(sizes))
	for i, users := range sizes {
		panels[i] = newPanel(b, users)
	}
	table := append([]string{fmt.Sprintf("%-22s %10s %10s %10s %8s", "CPU per request, µs", "10k", "100k", "1M", "1M/10k")},
		compare(b, panels, everyCost)...)
	extra := panels[1].list()
	b.ReportMetric(extra, "MB-list-100k")
	table = append(table, fmt.Sprintf("%-22s %10s %10.1f %10s %8s  MB, ≤ 20", "list: more memory", "", extra, "", ""))
	fmt.Println("\n" + strings.Join(table, "\n")) // of what a benchmark logs, ten lines are kept
}

// compare measures each cost on every panel and returns the lines of the table.
func compare(b *testing.B, panels []*panel, costs []cost) (table []string) {
	b.Helper()
	const rounds = 5
	took := map[string][][]time.Duration{} // by name and panel: a cost per round
	for _, c := range costs {
		took[c.name] = make([][]time.Duration, len(panels))
	}
	for b.Loop() {
		for range rounds {
			for _, c := range costs {
				for i, p := range panels {
					took[c.name][i] = append(took[c.name][i], p.measure(c))
				}
			}
		}
	}
	for _, c := range costs {
		table = append(table, c.report(b, took[c.name]))
	}
	return table
}

// cost is a kind of request, with what it may cost.
type cost struct {
	name  string
	times int // requests in a round
	send  func(*panel)

	ratio float64          // 1M to 10k, 0 = whatever
	most  [3]time.Duration // CPU by size, 0 = whatever
}

const flat, bulky = 1.5, 5

var everyCost = []cost{
	{"first page", 40, page("page=1"), flat, [3]time.Duration{time.Millisecond, time.Millisecond, time.Millisecond}},
	{"page 300", 40, page("page=300"), flat, [3]time.Duration{}},
	{"filter online", 40, page("filter=online"), flat, [3]time.Duration{}},
	{"filter active", 40, page("filter=active"), flat, [3]time.Duration{}},
	{"filter expiring", 40, page("filter=expiring"), flat, [3]time.Duration{}},
	{"filter depleted", 40, page("filter=depleted"), flat, [3]time.Duration{}},
	{"filter deactive", 40, page("filter=deactive"), flat, [3]time.Duration{}},
	{"protocol", 40, page("protocol=vless"), flat, [3]time.Duration{}},
	{"sort by id", 40, page("order=descend"), flat, [3]time.Duration{}},
	{"sort by email", 40, page("sort=email&order=descend&page=20"), flat, [3]time.Duration{}},
	{"sort by traffic", 40, page("sort=traffic&order=descend&page=20"), flat, [3]time.Duration{}},
	{"search: rare", 5, page("search=NeEdLe"), 0, [3]time.Duration{0, 5 * time.Millisecond, 40 * time.Millisecond}},
	{"search: all match", 5, page("search=user"), 0, [3]time.Duration{0, 5 * time.Millisecond, 40 * time.Millisecond}},
	{"get", 40, about("clients/get/user%07d"), flat, [3]time.Duration{}},
	{"links", 40, about("clients/links/user%07d"), flat, [3]time.Duration{}},
	{"subLinks", 40, about("clients/subLinks/sub%08d"), flat, [3]time.Duration{}},
	{"/sub", 40, about("../../sub/sub%08d"), flat, [3]time.Duration{}},
	{"add", 40, (*panel).add, flat, [3]time.Duration{time.Millisecond, time.Millisecond, time.Millisecond}},
	{"update", 40, (*panel).update, flat, [3]time.Duration{time.Millisecond, time.Millisecond, time.Millisecond}},
	{"del", 40, (*panel).remove, flat, [3]time.Duration{}},
	{"bulkCreate of 500", 2, (*panel).bulkCreate, bulky, [3]time.Duration{50 * time.Millisecond}},
	{"bulkAdjust of 500", 2, (*panel).bulkAdjust, bulky, [3]time.Duration{}},
}

// report adds the metrics of a kind of request and returns its line of the table, which names the targets that are missed.
func (c cost) report(b *testing.B, rounds [][]time.Duration) string {
	line, missed := fmt.Sprintf("%-22s", c.name), ""
	median := make([]float64, len(rounds))
	for i, r := range rounds {
		slices.Sort(r)
		median[i] = float64(r[len(r)/2].Nanoseconds()) / 1000
		line += fmt.Sprintf(" %10.0f", median[i])
		if most := c.most[i]; most > 0 && median[i] > float64(most.Microseconds()) {
			missed += fmt.Sprintf("  over %s", most)
		}
	}
	ratio := median[len(median)-1] / median[0]
	if c.ratio > 0 && ratio > c.ratio {
		missed += fmt.Sprintf("  over %.1f×", c.ratio)
	}
	b.ReportMetric(ratio, "ratio-"+strings.NewReplacer(" ", "-", ":", "").Replace(c.name))
	return line + fmt.Sprintf(" %8.2f%s", ratio, missed)
}

// panel is a server and the only one who asks it, over one connection.
type panel struct {
	b      *testing.B
	users  int
	server process
	token  string
	client *http.Client
	next   int // counts requests
	added  []string
	days   int // that the next bulkAdjust adds

	tidy func(*panel) // is called after each measurement, nil = nothing
}

// newPanel starts a server whose clients are of every kind, in the same shares for every number of them, and has answered
// all but bulk requests once: what is built when it is first asked for is built then.
func newPanel(b *testing.B, users int) *panel {
	b.Helper()
	p := openPanel(b, users, variety())
	for _, c := range everyCost[:len(everyCost)-2] {
		c.send(p)
	}
	return p
}

// openPanel starts a server whose users are as the variations make them.
func openPanel(b *testing.B, users int, variations []variation) *panel {
	b.Helper()
	i := install(b, users)
	vary(b, i.dir, variations)
	p := &panel{b: b, users: users, client: &http.Client{Timeout: patience}, days: 1}
	p.server = i.start(b)
	b.Cleanup(p.server.kill)
	p.server.serves(b, users)
	b.Cleanup(p.client.CloseIdleConnections)
	token, err := exec.Command(binary, "token", "create", "--data", i.dir, "--name", "bench").Output()
	if err != nil {
		b.Fatal(err)
	}
	p.token = strings.TrimSpace(string(token))
	for n := range 50 {
		p.connect(10 + 20*n) // one of those who may
	}
	return p
}

// variation changes some users in the database.
type variation struct {
	query string
	args  []any
}

// variety makes a twentieth of the clients disabled, of others expired, limited and soon over, gives all some traffic and one
// in fifty a comment. One is the needle.
func variety() []variation {
	now, day := time.Now().UnixMilli(), int64(24*time.Hour/time.Millisecond)
	return []variation{
		{"UPDATE users SET enabled = FALSE, status = 'disabled' WHERE id % 20 = 1", nil},
		{"UPDATE users SET expire_at = ?, status = 'expired' WHERE id % 20 = 2", []any{now - day}},
		{"UPDATE users SET quota = 1, status = 'limited' WHERE id % 20 = 3", nil},
		{"UPDATE users SET expire_at = ? WHERE id % 20 = 4", []any{now + day}},
		{"UPDATE users SET note = 'asked for an invoice' WHERE id % 50 = 5", nil},
		{"UPDATE users SET note = 'the needle' WHERE id = 5", nil},
		{"UPDATE user_traffic SET up = 1 + user_id * 7919 % 1000003, down = 1 + user_id * 104729 % 100000007", nil},
		{"UPDATE user_traffic SET lifetime_up = up, lifetime_down = down", nil},
	}
}

// vary makes the users of a server that does not run different.
func vary(b *testing.B, dir string, variations []variation) {
	b.Helper()
	db, err := sql.Open("sqlite", "file:"+filepath.Join(dir, "sluice.db")+"?_pragma=synchronous(off)") // the driver is storage's
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	for _, v := range variations {
		if _, err := db.Exec(v.query, v.args...); err != nil {
			b.Fatal(err)
		}
	}
}

// connect opens a connection of a user that lasts until the benchmark ends, to a server that says nothing.
func (p *panel) connect(user int) {
	p.b.Helper()
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		p.b.Fatal(err)
	}
	conn, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", p.server.port))
	if err != nil {
		p.b.Fatal(err)
	}
	port := silent.Addr().(*net.TCPAddr).Port
	id := uuid.MustParse(fmt.Sprintf("%08d-0000-4000-8000-000000000000", user)) // as storagetest.Fill makes it
	// Version, uuid, no addons, connect, port, IPv4, and a byte to pass on.
	request := slices.Concat([]byte{0}, id[:], []byte{0, 1, byte(port >> 8), byte(port), 1, 127, 0, 0, 1, 'x'})
	if _, err := conn.Write(request); err != nil {
		p.b.Fatal(err)
	}
	passed, err := silent.Accept()
	if err != nil {
		p.b.Fatal(err)
	}
	p.b.Cleanup(func() { _, _, _ = conn.Close(), passed.Close(), silent.Close() })
}

// measure returns the CPU time that the server takes for one request, of several.
func (p *panel) measure(c cost) time.Duration {
	p.b.Helper()
	before := p.cpu()
	for range c.times {
		c.send(p)
	}
	took := p.cpu() - before
	if p.tidy != nil {
		p.tidy(p)
	}
	return took / time.Duration(c.times)
}

// cpu is the time that all threads of the server ran so far. Those of a Go program do not end.
func (p *panel) cpu() (sum time.Duration) {
	p.b.Helper()
	files, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", p.server.cmd.Process.Pid))
	if err != nil || len(files) == 0 {
		p.b.Fatalf("threads of the server: %v, %v", files, err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			p.b.Fatal(err)
		}
		ran, err := strconv.ParseInt(strings.Fields(string(text))[0], 10, 64)
		if err != nil {
			p.b.Fatal(err)
		}
		sum += time.Duration(ran)
	}
	return sum
}

// send sends a request, which must succeed, and returns its answer.
func (p *panel) send(method, path string, body any) []byte {
	p.b.Helper()
	p.next++
	var text []byte
	if body != nil {
		var err error
		if text, err = json.Marshal(body); err != nil {
			p.b.Fatal(err)
		}
	}
	url := "http://" + p.server.api + "/panel/api/" + path
	if rest, out := strings.CutPrefix(path, "../.."); out {
		url = "http://" + p.server.api + rest
	}
	req, err := http.NewRequestWithContext(p.b.Context(), method, url, bytes.NewReader(text))
	if err != nil {
		p.b.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+p.token)
	resp, err := p.client.Do(req)
	if err != nil {
		p.b.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	answer, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode/100 != 2 || bytes.Contains(answer, []byte(`"success":false`)) {
		p.b.Fatalf("%s %s answers %d %.300s, %v", method, path, resp.StatusCode, answer, err)
	}
	return answer
}

// user is another one with each request: a prime step visits all without a pattern that a cache could like.
func (p *panel) user() int { return 1 + p.next*7919%p.users }

// page asks for a page that must not be empty.
func page(query string) func(*panel) {
	return func(p *panel) {
		p.b.Helper()
		if answer := p.send(http.MethodGet, "clients/list/paged?"+query, nil); bytes.Contains(answer, []byte(`"items":[]`)) {
			p.b.Fatalf("%s answers %.300s", query, answer)
		}
	}
}

// about asks for something of a client, whose number is in the path.
func about(path string) func(*panel) {
	return func(p *panel) { p.send(http.MethodGet, fmt.Sprintf(path, p.user()), nil) }
}

func (p *panel) newClient() object {
	email := fmt.Sprintf("new%d", p.next)
	return object{"client": object{"email": email, "totalGB": 1 << 30}, "inboundIds": []int{1}}
}

func (p *panel) add() {
	c := p.newClient()
	p.added = append(p.added, c["client"].(object)["email"].(string))
	p.send(http.MethodPost, "clients/add", c)
}

func (p *panel) update() {
	p.send(http.MethodPost, fmt.Sprintf("clients/update/user%07d", p.user()), object{"comment": strconv.Itoa(p.next)})
}

// remove deletes one of those that were added.
func (p *panel) remove() {
	last := len(p.added) - 1
	p.send(http.MethodPost, "clients/del/"+p.added[last], nil)
	p.added = p.added[:last]
}

const bulkSize = 500

func (p *panel) bulkCreate() {
	list := make([]object, bulkSize)
	for i := range list {
		list[i] = p.newClient()
		list[i]["client"].(object)["email"] = fmt.Sprintf("bulk%d-%d", p.next, i)
	}
	p.want(p.send(http.MethodPost, "clients/bulkCreate", list), `"created":500,"skipped":[]`)
}

// bulkAdjust gives clients that expire a day, or takes it back.
func (p *panel) bulkAdjust() {
	emails := make([]string, bulkSize)
	for i := range emails {
		emails[i] = fmt.Sprintf("user%07d", 4+20*((p.next+i)*7919%(p.users/20)))
	}
	answer := p.send(http.MethodPost, "clients/bulkAdjust", object{"emails": emails, "addDays": p.days})
	p.want(answer, `"adjusted":500,"skipped":[]`)
	p.days = -p.days
}

func (p *panel) want(answer []byte, text string) {
	p.b.Helper()
	if !bytes.Contains(answer, []byte(text)) {
		p.b.Fatalf("the answer is %.300s, want %s", answer, text)
	}
}

// list reads the list of all clients and returns how much memory the server took for it, in MB: the second time, because
// the first one fills the database's page caches, as whatever else reads everything would.
func (p *panel) list() float64 {
	p.b.Helper()
	if n := len(p.send(http.MethodGet, "clients/list", nil)); n < 100*p.users {
		p.b.Fatalf("the list has %d bytes", n)
	}
	reset := fmt.Sprintf("/proc/%d/clear_refs", p.server.cmd.Process.Pid)
	if err := os.WriteFile(reset, []byte("5"), 0); err != nil { // the peak begins anew
		p.b.Fatal(err)
	}
	before := p.server.memory(p.b, "VmHWM:")
	p.send(http.MethodGet, "clients/list", nil)
	return p.server.memory(p.b, "VmHWM:") - before
}
