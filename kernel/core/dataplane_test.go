package core

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/sluicehq/sluice/kernel/core/coretest"
	"github.com/sluicehq/sluice/kernel/domain"
)

// engineEnv makes the test program an Engine in a process of its own, so that its CPU time can be told from that of the
// test: it holds an engineJob in JSON.
const engineEnv = "SLUICE_CORE_ENGINE"

// engineJob is what such a process serves.
type engineJob struct {
	CertDir string
	Inbound domain.Inbound
	Account domain.Account
}

func TestMain(m *testing.M) {
	if job := os.Getenv(engineEnv); job != "" {
		if err := serveJob(job); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// serveJob runs until the process is told to end.
func serveJob(raw string) error {
	var job engineJob
	if err := json.Unmarshal([]byte(raw), &job); err != nil {
		return err
	}
	ctx, cancel := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer cancel()
	e := New(Options{CertDir: job.CertDir})
	err := e.Start(ctx, Snapshot{
		Config: openConfig, Inbounds: []domain.Inbound{job.Inbound},
		Accounts: func(yield func(domain.Account) error) error { return yield(job.Account) },
	})
	if err != nil {
		return err
	}
	if p := e.Problems(); len(p) > 0 {
		return fmt.Errorf("problems: %+v", p)
	}
	<-ctx.Done()
	return e.Stop(context.Background())
}

// BenchmarkDataPlane moves data through Sluice's core and through the xray program that it embeds, as it comes, each in a
// process of its own. They take turns, so that a busy machine slows both. The user has no quota, as with most.
func BenchmarkDataPlane(b *testing.B) {
	for _, c := range []combination{combinations[0], combinations[1], combinations[8], combinations[10]} {
		for _, direction := range []string{"down", "up"} {
			if direction == "up" && c.security == "tls" {
				continue // the trojan client breaks most uploads off, and vision does not splice them
			}
			b.Run(c.name+" "+direction, func(b *testing.B) { benchDataPlane(b, c, direction == "up") })
		}
	}
}

func benchDataPlane(b *testing.B, c combination, up bool) {
	const rounds, size = 12, 400_000_000
	s := newScene(b, b.TempDir())
	origin := c.origin(b, s)
	ours := c.engineProcess(b, s)
	stock := c.stockProcess(b, s)
	var speed, ratio []float64
	var gb float64
	for b.Loop() {
		for range rounds {
			began := time.Now()
			ours.move(b, origin, size, up)
			between := time.Now()
			stock.move(b, origin, size, up)
			took := between.Sub(began).Seconds()
			speed, ratio, gb = append(speed, size/1e6/took), append(ratio, time.Since(between).Seconds()/took), gb+size/1e9
		}
	}
	b.ReportMetric(median(speed), "MB/s")
	b.ReportMetric(median(ratio), "ratio-MB/s") // of each round, which has both under the same load
	b.ReportMetric(ours.cpu.Seconds()/gb, "cpu-s/GB")
	b.ReportMetric(ours.cpu.Seconds()/stock.cpu.Seconds(), "ratio-cpu")
	b.ReportMetric(0, "ns/op")
}

// contender is a server process, with a client of it.
type contender struct {
	pid    int
	client *http.Client
	cpu    time.Duration // that the process used while it moved data
}

func (c combination) engineProcess(b *testing.B, s scene) *contender {
	b.Helper()
	port := coretest.FreePort(b)
	job := engineJob{s.dir, c.inbound(s, 1, port), account(7, 1, 1)}
	job.Account.User.Flow = c.flow
	program, err := os.Executable()
	check(b, err)
	cmd := exec.Command(program)
	cmd.Env = append(os.Environ(), engineEnv+"="+toJSON(job))
	return newContender(b, cmd, port, c.outbound(s, 7, port))
}

// stockProcess runs the program with the same inbound, and counting the user's traffic, as every panel has it.
func (c combination) stockProcess(b *testing.B, s scene) *contender {
	b.Helper()
	port := coretest.FreePort(b)
	in := c.inbound(s, 1, port)
	settings := jsonObject{}
	check(b, json.Unmarshal([]byte(in.Settings), &settings))
	creds := credentials(7)
	user := jsonObject{"email": "7", "id": creds.VLESSID, "flow": c.flow, "password": creds.TrojanPassword}
	if c.protocol == domain.Shadowsocks {
		user = jsonObject{"email": "7", "password": creds.ShadowsocksKey(c.method)}
	}
	settings["clients"] = []jsonObject{user}
	config := toJSON(jsonObject{
		"log": jsonObject{"loglevel": "none"}, "stats": jsonObject{},
		"policy": jsonObject{"levels": jsonObject{"0": jsonObject{"statsUserUplink": true, "statsUserDownlink": true}}},
		"inbounds": []jsonObject{{
			"tag": in.Tag, "listen": in.Listen, "port": port, "protocol": in.Protocol, "settings": settings,
			"streamSettings": json.RawMessage(in.StreamSettings),
		}},
		"outbounds": []jsonObject{{"protocol": "freedom", "settings": jsonObject{"finalRules": []jsonObject{{"action": "allow"}}}}},
	})
	cmd := exec.Command(coretest.Binary(b), "run", "-c", "stdin:")
	cmd.Stdin = strings.NewReader(config)
	return newContender(b, cmd, port, c.outbound(s, 7, port))
}

func newContender(b *testing.B, cmd *exec.Cmd, port int, outbound string) *contender {
	b.Helper()
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	check(b, cmd.Start())
	b.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait() // it was killed
		if b.Failed() {
			b.Logf("the server said:\n%s", &said)
		}
	})
	coretest.Eventually(b, "the server listens", func() bool { return coretest.Reachable(fmt.Sprintf("127.0.0.1:%d", port)) })
	return &contender{pid: cmd.Process.Pid, client: coretest.HTTP(b, coretest.Client(b, outbound))}
}

// move takes size bytes through the server.
func (c *contender) move(b *testing.B, origin *coretest.Server, size int64, up bool) {
	b.Helper()
	before := processCPU(b, c.pid)
	var n int64
	var err error
	if up {
		n, err = upload(b.Context(), c.client, origin, size)
	} else {
		n, err = download(c.client, fmt.Sprintf("%s/bytes?warm=1&n=%d", origin.URL, size))
	}
	if err != nil || n != size {
		b.Fatalf("moved %d of %d bytes: %v", n, size, err)
	}
	c.cpu += processCPU(b, c.pid) - before
}

// upload sends size bytes and returns how many have arrived.
func upload(ctx context.Context, c *http.Client, origin *coretest.Server, size int64) (n int64, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, origin.URL+"/upload", io.LimitReader(zeros{}, size))
	if err != nil {
		return 0, err
	}
	req.Header.Set("Expect", "100-continue") // the trojan client fails if more than 8 KiB come first
	r, err := c.Do(req)
	if err != nil {
		return 0, err
	}
	defer func() { _ = r.Body.Close() }()
	_, err = fmt.Fscan(r.Body, &n)
	return n, err
}

func median(of []float64) float64 {
	slices.Sort(of)
	return of[len(of)/2]
}

// processCPU is the time that a process has used so far. Source: proc(5), fields 14 and 15 of stat, in ticks of 10 ms.
func processCPU(b *testing.B, pid int) time.Duration {
	b.Helper()
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	check(b, err)
	_, rest, _ := strings.Cut(string(raw), ") ") // the name before it may hold spaces
	words := strings.Fields(rest)
	user, err := strconv.Atoi(words[11])
	check(b, err)
	system, err := strconv.Atoi(words[12])
	check(b, err)
	return time.Duration(user+system) * 10 * time.Millisecond
}
