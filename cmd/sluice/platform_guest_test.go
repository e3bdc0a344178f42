package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/alecthomas/kong"
	"github.com/jonboulle/clockwork"

	"github.com/sluicehq/sluice/kernel"
)

// guest builds a plugin of this module: a folder, and values for its variables such as "main.mark=x".
func guest(t testing.TB, folder string, variables ...string) []byte {
	t.Helper()
	flags, file := "-s -w", filepath.Join(t.TempDir(), "guest.wasm")
	for _, v := range variables {
		flags += " -X " + v
	}
	build := exec.Command("go", "build", "-buildmode=c-shared", "-ldflags="+flags, "-o", file, "./"+filepath.Base(folder))
	build.Dir = filepath.Dir(folder)
	build.Env = append(os.Environ(), "GOOS=wasip1", "GOARCH=wasm", "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("building %s: %v\n%s", folder, err, out)
	}
	wasm, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return wasm
}

// markedGuest is the plugin testdata/guests/marked, of which each number makes another file.
type markedGuest struct{ wasm []byte }

func newMarkedGuest(t testing.TB) markedGuest {
	t.Helper()
	return markedGuest{guest(t, "testdata/guests/marked", "main.mark="+markOf(0))}
}

// markFormat makes the mark of a version, which is as long for each.
const markFormat = "this-is-version-%04d"

// markOf is what version n writes.
func markOf(n int) string { return fmt.Sprintf(markFormat, n) }

// version is the file of version n.
func (g markedGuest) version(n int) []byte {
	return bytes.ReplaceAll(g.wasm, []byte(markOf(0)), []byte(markOf(n)))
}

// body is what version n renders.
func (g markedGuest) body(n int) string {
	return string(bytes.Repeat([]byte(markOf(n)+"\n"), 1000))
}

// nearbyVar makes this test binary a server whose plugins reach this machine, which those of the real binary never do. Its
// value is how far ahead the clock of that server is, as a duration.
const nearbyVar = "SLUICE_TEST_NEARBY"

func init() {
	ahead, err := time.ParseDuration(os.Getenv(nearbyVar))
	if err != nil { // not set: these are the tests
		return
	}
	if err := serveNearby(ahead); err != nil {
		fmt.Fprintln(os.Stderr, "sluice:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

// startNearby is start for a server whose plugins reach this machine, by a clock that is ahead.
func startNearby(t *testing.T, dir string, ahead time.Duration) *server {
	t.Helper()
	program := binary
	defer func() { binary = program }()
	var err error
	if binary, err = os.Executable(); err != nil {
		t.Fatal(err)
	}
	t.Setenv(nearbyVar, ahead.String())
	return start(t, dir)
}

// serveNearby is the command serve but for the kernel's options.
func serveNearby(ahead time.Duration) (err error) {
	var command cli
	if _, err := kong.Must(&command).Parse(os.Args[1:]); err != nil {
		return err
	}
	c := command.Serve
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	log, err := c.logger(os.Stderr)
	if err != nil {
		return err
	}
	lock, err := c.Data.Acquire()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, lock.Release()) }()
	doors, err := c.open(log)
	if err != nil {
		return err
	}
	k, err := kernel.Start(ctx, kernel.Options{
		Dir: c.Data, Loopback: true, Log: log, Clock: aheadClock{clockwork.NewRealClock(), ahead},
		Reach: func(address netip.Addr) bool { return address.IsLoopback() },
	})
	if err != nil {
		return errors.Join(err, closeAll(doors))
	}
	return errors.Join(serve(ctx, k, c.Data, doors, log), k.Stop(context.WithoutCancel(ctx)))
}

// aheadClock is a clock that is ahead of another.
type aheadClock struct {
	clockwork.Clock
	by time.Duration
}

func (c aheadClock) Now() time.Time                       { return c.Clock.Now().Add(c.by) }
func (c aheadClock) Since(moment time.Time) time.Duration { return c.Now().Sub(moment) }
func (c aheadClock) Until(moment time.Time) time.Duration { return moment.Sub(c.Now()) }
