package kernel

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sluicehq/sluice/kernel/domain"
)

// dataDir is a data directory that does not exist yet.
func dataDir(t *testing.T) DataDir { return DataDir(filepath.Join(t.TempDir(), "deep", "data")) }

func acquire(t *testing.T, d DataDir) *Lock {
	t.Helper()
	lock, err := d.Acquire()
	if err != nil {
		t.Fatal(err)
	}
	return lock
}

func TestAcquireCreatesFolders(t *testing.T) {
	d := dataDir(t)
	lock := acquire(t, d)
	defer func() { _ = lock.Release() }()
	for _, dir := range []string{string(d), d.Plugins(), d.Certs(), d.Cache(), d.LastPlugins()} {
		info, err := os.Stat(dir)
		if err != nil || !info.IsDir() || info.Mode().Perm() != 0o700 {
			t.Errorf("%s: %v, %v", dir, info.Mode(), err)
		}
	}
}

// One process owns a data directory; the second one is told which.
func TestAcquireTwice(t *testing.T) {
	d := dataDir(t)
	lock := acquire(t, d)
	want := fmt.Sprintf("process %d already uses the data directory %s", os.Getpid(), d)
	for range 2 { // a refusal does not take the lock from who has it
		_, err := d.Acquire()
		if !errors.Is(err, ErrLocked) || err.Error() != want || domain.CodeOf(err) != domain.CodeUnavailable {
			t.Errorf("got %v", err)
		}
	}
	if err := lock.Release(); err != nil {
		t.Fatal(err)
	}
	if err := acquire(t, d).Release(); err != nil {
		t.Error(err)
	}
}

func TestAcquireWhatIsNoFolder(t *testing.T) {
	d := DataDir(filepath.Join(t.TempDir(), "file"))
	if err := os.WriteFile(string(d), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Acquire(); err == nil || !strings.HasPrefix(err.Error(), "create data directory: ") {
		t.Errorf("got %v", err)
	}
}

// The socket that a killed process left is replaced, and only this user of the machine may open the new one.
func TestListenControl(t *testing.T) {
	d := dataDir(t)
	lock := acquire(t, d)
	defer func() { _ = lock.Release() }()
	stale, err := net.Listen("unix", d.Socket())
	if err != nil {
		t.Fatal(err)
	}
	stale.(*net.UnixListener).SetUnlinkOnClose(false) // as kill -9 leaves it
	if err := stale.Close(); err != nil {
		t.Fatal(err)
	}
	l, err := d.ListenControl()
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(d.Socket()); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	conn, err := net.Dial("unix", d.Socket())
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(conn.Close(), l.Close()); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(d.Socket()); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the socket stays after its end: %v", err)
	}
}

func TestListenControlOnALongPath(t *testing.T) {
	d := DataDir("/" + strings.Repeat("a", maxSocketPath))
	_, err := d.ListenControl()
	want := fmt.Sprintf("the path of the control socket %s is 120 bytes long, and the system allows 107: choose a shorter data directory", d.Socket())
	if err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}

func TestNode(t *testing.T) {
	d := dataDir(t)
	if err := d.create(); err != nil {
		t.Fatal(err)
	}
	first, err := d.node()
	if err != nil || len(first) != 36 {
		t.Fatalf("node %q, %v", first, err)
	}
	if again, err := d.node(); err != nil || again != first {
		t.Errorf("node %q the second time, not %q: %v", again, first, err)
	}
	other := dataDir(t)
	if err := other.create(); err != nil {
		t.Fatal(err)
	}
	if id, err := other.node(); err != nil || id == first {
		t.Errorf("two machines are node %q, %v", id, err)
	}
}

func TestBrokenNode(t *testing.T) {
	d := dataDir(t)
	if err := d.create(); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(string(d), "node")
	write := func(text string) {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("not a GUID\n")
	if _, err := d.node(); err == nil || !strings.HasPrefix(err.Error(), file+" does not hold a GUID: ") {
		t.Errorf("got %v", err)
	}
	write("")
	made, err := d.node()
	if err != nil || len(made) != 36 {
		t.Fatalf("of an empty file: %q, %v", made, err)
	}
	if again, err := d.node(); err != nil || again != made {
		t.Errorf("node %q the second time, not %q: %v", again, made, err)
	}
}
