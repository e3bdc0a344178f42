//go:build integration

package storagetest

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // registers the driver "pgx"
)

func init() { servers = append(servers, server{"postgres", Postgres}) }

// cluster is a PostgreSQL server of this test process alone.
type cluster struct {
	dir    string
	server *exec.Cmd
	dsn    func(database string) string
	admin  *sql.DB
	mu     sync.Mutex
	count  int // databases made
}

// theCluster starts with the first test that needs it; Main stops it.
var theCluster = sync.OnceValues(func() (*cluster, error) {
	c, err := startCluster()
	if err == nil {
		stop = c.stop
	}
	return c, err
})

// Postgres makes an empty database that is dropped when the test ends, and returns its DSN.
func Postgres(t testing.TB) string {
	t.Helper()
	c, err := theCluster()
	if err != nil {
		t.Fatalf("PostgreSQL did not start: %v", err)
	}
	c.mu.Lock()
	c.count++
	name := fmt.Sprintf("test%d", c.count)
	c.mu.Unlock()
	if _, err := c.admin.ExecContext(t.Context(), "CREATE DATABASE "+name); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if _, err := c.admin.Exec("DROP DATABASE " + name + " WITH (FORCE)"); err != nil {
			t.Error(err)
		}
	})
	return c.dsn(name)
}

// startCluster makes a cluster in a temporary folder and waits until it answers.
func startCluster() (*cluster, error) {
	bin, err := binaries()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "sluice-postgres-")
	if err != nil {
		return nil, err
	}
	as, err := owner(dir)
	if err != nil {
		return nil, err
	}
	data := filepath.Join(dir, "data")
	initdb := exec.Command(filepath.Join(bin, "initdb"), "--pgdata", data, "--username", "sluice",
		"--auth", "trust", "--encoding", "UTF8", "--no-locale", "--no-sync")
	initdb.Dir, initdb.SysProcAttr = dir, as
	if out, err := initdb.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("initdb: %w\n%s", err, out)
	}
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	c := &cluster{dir: dir, dsn: func(database string) string {
		return fmt.Sprintf("postgres://sluice@127.0.0.1:%d/%s?sslmode=disable", port, database)
	}}
	c.server = exec.Command(filepath.Join(bin, "postgres"), "-D", data, "-k", dir, "-p", strconv.Itoa(port),
		"-c", "listen_addresses=127.0.0.1", "-c", "fsync=off", "-c", "max_connections=200")
	c.server.Dir, c.server.SysProcAttr = dir, as
	log, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		return nil, err
	}
	defer func() { _ = log.Close() }() // the server has its own handle
	c.server.Stdout, c.server.Stderr = log, log
	if err := c.server.Start(); err != nil {
		return nil, err
	}
	return c, c.ready()
}

// ready waits until the server answers and hands over its log if it does not.
func (c *cluster) ready() (err error) {
	if c.admin, err = sql.Open("pgx", c.dsn("postgres")); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		if err = c.admin.PingContext(ctx); err == nil {
			return nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			log, _ := os.ReadFile(filepath.Join(c.dir, "log"))
			c.stop()
			return fmt.Errorf("%w\n%s", err, log)
		}
	}
}

// stop ends the server, which cuts its connections, and removes the cluster.
func (c *cluster) stop() {
	err := errors.Join(c.admin.Close(), c.server.Process.Signal(os.Interrupt), c.server.Wait(), os.RemoveAll(c.dir))
	if err != nil {
		fmt.Fprintln(os.Stderr, "stop PostgreSQL:", err)
	}
}

// binaries finds the newest PostgreSQL: Debian keeps its server programs out of the PATH.
func binaries() (string, error) {
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if err != nil {
		return "", err
	}
	if len(found) > 0 {
		return filepath.Dir(slices.Max(found)), nil
	}
	initdb, err := exec.LookPath("initdb")
	if err != nil {
		return "", fmt.Errorf("no PostgreSQL server is installed; `make deps` installs it: %w", err)
	}
	return filepath.Dir(initdb), nil
}

// owner makes dir the folder of the user that the server runs as: us, or, because the server refuses to run as root,
// Debian's user for it. The server dies with this process, should that be killed before it can stop it.
func owner(dir string) (*syscall.SysProcAttr, error) {
	as := &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if os.Getuid() != 0 {
		return as, nil
	}
	account, err := user.Lookup("postgres")
	if err != nil {
		return nil, fmt.Errorf("root can not run PostgreSQL and there is no user for it; `make deps` makes one: %w", err)
	}
	uid, err := strconv.Atoi(account.Uid)
	if err != nil {
		return nil, err
	}
	gid, err := strconv.Atoi(account.Gid)
	if err != nil {
		return nil, err
	}
	as.Credential = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
	return as, os.Chown(dir, uid, gid)
}

// freePort returns a loopback port that nobody listened on just now.
func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	return l.Addr().(*net.TCPAddr).Port, l.Close()
}
