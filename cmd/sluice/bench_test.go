package main

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/sluicehq/sluice/kernel/core/coretest"
	"github.com/sluicehq/sluice/storage"
	"github.com/sluicehq/sluice/storage/storagetest"
)

// BenchmarkStart is the time from starting the process to its first "ready", with no users and with 50,000 and 100,000 on
// one inbound, in turn, and the time until the inbound serves the last of them. The target is 1 s with 50,000.
func BenchmarkStart(b *testing.B) {
	installations := []installation{install(b, 0), install(b, 50_000), install(b, 100_000)}
	for _, i := range installations {
		i.start(b).kill() // the first start compiles the plugins and makes an admin
	}
	took := make([]time.Duration, len(installations))
	var served time.Duration
	for b.Loop() {
		for n, i := range installations {
			p := i.start(b)
			took[n] += p.ready
			if n == len(installations)-1 {
				served += p.serves(b, i.users)
			}
			p.kill()
		}
	}
	for n, i := range installations {
		b.ReportMetric(took[n].Seconds()/float64(b.N), fmt.Sprintf("s/start-%dk", i.users/1000))
	}
	b.ReportMetric(served.Seconds()/float64(b.N), "s/served-100k")
	b.ReportMetric(took[1].Seconds()/took[0].Seconds(), "ratio-50k/0")
}

// BenchmarkMemory is what the process holds once it serves, without users, with 10,000 and with 100,000 on one inbound.
// The targets are 100 and 250 MB.
func BenchmarkMemory(b *testing.B) {
	held := map[int]float64{}
	for b.Loop() {
		for _, users := range []int{0, 10_000, 100_000} {
			i := install(b, users)
			i.start(b).kill() // the first start compiles the plugins
			p := i.start(b)
			if users > 0 {
				p.serves(b, users)
			}
			held[users] = p.rss(b)
			p.kill()
		}
	}
	for users, mb := range held {
		b.ReportMetric(mb, fmt.Sprintf("MB-%dk", users/1000))
	}
}

// installation is a data directory with users on one vless inbound.
type installation struct {
	dir   string
	users int
	port  int // of the inbound
}

// install makes a data directory in which connections to this machine are allowed.
func install(b *testing.B, users int) installation {
	b.Helper()
	ctx, i := b.Context(), installation{dir: b.TempDir(), users: users, port: coretest.FreePort(b)}
	db, err := storage.Open(ctx, storage.Options{DSN: filepath.Join(i.dir, "sluice.db")})
	if err != nil {
		b.Fatal(err)
	}
	storagetest.Fill(b, db, users)
	err = db.Write(ctx, func(tx *storage.Tx) error {
		in, err := tx.Inbound(ctx, 1)
		if err != nil {
			return err
		}
		in.Listen, in.Port = "127.0.0.1", i.port
		if err := tx.UpdateInbound(ctx, &in); err != nil {
			return err
		}
		_, err = tx.SaveCoreConfig(ctx, `{"outbounds":[{"protocol":"freedom","settings":{"finalRules":[{"action":"allow"}]}}]}`)
		return err
	})
	if err != nil {
		b.Fatal(err)
	}
	if err := db.Close(); err != nil {
		b.Fatal(err)
	}
	return i
}

// process is a started installation.
type process struct {
	cmd   *exec.Cmd
	began time.Time
	ready time.Duration // until the first "ready"
	api   string        // host:port
	port  int           // of the inbound
}

func (i installation) start(b *testing.B) process {
	b.Helper()
	address := fmt.Sprintf("127.0.0.1:%d", coretest.FreePort(b))
	p := process{
		cmd: exec.Command(binary, "serve", "--data", i.dir, "--listen", address), began: time.Now(), api: address, port: i.port,
	}
	if err := p.cmd.Start(); err != nil {
		b.Fatal(err)
	}
	for deadline := p.began.Add(patience); ; {
		if word := ready(address); word == "ready\n" {
			p.ready = time.Since(p.began)
			return p
		} else if time.Now().After(deadline) {
			p.kill()
			b.Fatalf("/readyz says %q", word)
		}
	}
}

func (p process) kill() {
	_ = p.cmd.Process.Kill()
	_ = p.cmd.Wait()
}

// serves connects as a user, by number, through the inbound, and returns the time from the process' start until it could.
func (p process) serves(b *testing.B, user int) time.Duration {
	b.Helper()
	origin := coretest.Origin(b)
	port, err := strconv.Atoi(origin.Addr[strings.LastIndexByte(origin.Addr, ':')+1:])
	if err != nil {
		b.Fatal(err)
	}
	var request bytes.Buffer // version, uuid, no addons, connect, port, IPv4
	request.WriteByte(0)
	id := uuid.MustParse(fmt.Sprintf("%08d-0000-4000-8000-000000000000", user)) // as storagetest.Fill makes it
	request.Write(id[:])
	request.Write([]byte{0, 1, byte(port >> 8), byte(port), 1, 127, 0, 0, 1})
	request.WriteString("HEAD / HTTP/1.0\r\n\r\n")
	for deadline := p.began.Add(4 * patience); time.Now().Before(deadline); { // a million users take their time on a busy machine
		if answers(fmt.Sprintf("127.0.0.1:%d", p.port), request.Bytes()) {
			return time.Since(p.began)
		}
	}
	b.Fatalf("user %d can not connect", user)
	return 0
}

func answers(inbound string, request []byte) bool {
	conn, err := net.Dial("tcp", inbound)
	if err != nil {
		return false
	}
	defer func() { _ = conn.Close() }()
	_ = conn.SetDeadline(time.Now().Add(patience))
	if _, err := conn.Write(request); err != nil {
		return false
	}
	reply := make([]byte, len("..HTTP/1.0")) // after the version and no addons of the inbound's own answer
	_, err = io.ReadFull(conn, reply)
	return err == nil && bytes.HasSuffix(reply, []byte("HTTP/1.0"))
}

// rss is the resident memory of the process in MB.
func (p process) rss(b *testing.B) float64 { return p.memory(b, "VmRSS:") }

// memory is what the system says of the process under that name, in MB.
func (p process) memory(b *testing.B, name string) float64 {
	b.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		b.Fatal(err)
	}
	_, line, _ := strings.Cut(string(text), name)
	kb, err := strconv.Atoi(strings.Fields(line)[0])
	if err != nil {
		b.Fatal(err)
	}
	return float64(kb) / 1000
}

// ready asks once the listener is there: until then each attempt ends at once.
func ready(address string) string {
	conn, err := net.Dial("tcp", address)
	if err != nil {
		return err.Error()
	}
	_ = conn.Close()
	resp, err := http.Get("http://" + address + "/readyz")
	if err != nil {
		return err.Error()
	}
	defer func() { _ = resp.Body.Close() }()
	word, err := io.ReadAll(resp.Body)
	if err != nil {
		return err.Error()
	}
	return string(word)
}
