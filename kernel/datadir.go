package kernel

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/gofrs/flock"
	"github.com/google/uuid"

	"github.com/sluicehq/sluice/kernel/domain"
)

// DataDir is the folder that holds everything of one Sluice: database, plugins, certificates, caches.
type DataDir string

// Database is the file of the default database.
func (d DataDir) Database() string { return filepath.Join(string(d), "sluice.db") }

// Plugins is where the operator drops plugin files.
func (d DataDir) Plugins() string { return filepath.Join(string(d), "plugins") }

// Certs is the only folder that inbounds may name files in.
func (d DataDir) Certs() string { return filepath.Join(string(d), "certs") }

// Cache is for what can be made again: compiled plugins.
func (d DataDir) Cache() string { return filepath.Join(string(d), "cache") }

// LastPlugins has copies of the plugin files that served last.
func (d DataDir) LastPlugins() string { return filepath.Join(d.Cache(), "last-plugins") }

// Socket is where a running server takes the commands of the command line.
func (d DataDir) Socket() string { return filepath.Join(string(d), "sluice.sock") }

func (d DataDir) lockFile() string { return filepath.Join(string(d), "sluice.lock") }

// create makes the folders that are missing, closed to other users of the machine.
func (d DataDir) create() error {
	for _, dir := range []string{string(d), d.Plugins(), d.Certs(), d.Cache(), d.LastPlugins()} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return fmt.Errorf("create data directory: %w", err)
		}
	}
	return nil
}

// node is the GUID of this machine among those that share a database; it is made once. An empty file is what a loss of
// power leaves of one that was just made: nothing was stored under that GUID, so another is as good.
func (d DataDir) node() (string, error) {
	file := filepath.Join(string(d), "node")
	text, err := os.ReadFile(file)
	if errors.Is(err, os.ErrNotExist) || err == nil && len(text) == 0 {
		id := uuid.NewString()
		return id, os.WriteFile(file, []byte(id+"\n"), 0o600)
	}
	if err != nil {
		return "", err
	}
	id, err := uuid.Parse(strings.TrimSpace(string(text)))
	if err != nil {
		return "", fmt.Errorf("%s does not hold a GUID: %w", file, err)
	}
	return id.String(), nil
}

// Lock is the right to a data directory. It ends with the process, however that ends.
type Lock struct{ file *flock.Flock }

// ErrLocked is wrapped by Acquire when another process has the directory.
var ErrLocked = errors.New("the data directory is in use")

// Acquire takes the data directory for this process, creating it if it is missing. When another process has it, the
// error names that process.
func (d DataDir) Acquire() (*Lock, error) {
	if err := d.create(); err != nil {
		return nil, err
	}
	l := &Lock{flock.New(d.lockFile(), flock.SetPermissions(0o600))}
	ok, err := l.file.TryLock()
	if err != nil {
		return nil, fmt.Errorf("lock data directory: %w", err)
	}
	if !ok {
		return nil, d.locked()
	}
	if err := os.WriteFile(d.lockFile(), []byte(strconv.Itoa(os.Getpid())+"\n"), 0o600); err != nil {
		return nil, errors.Join(fmt.Errorf("lock data directory: %w", err), l.Release())
	}
	return l, nil
}

func (d DataDir) locked() error {
	holder := "another process"
	if text, err := os.ReadFile(d.lockFile()); err == nil && len(text) > 0 {
		holder = "process " + strings.TrimSpace(string(text))
	}
	return domain.Unavailable(fmt.Sprintf("%s already uses the data directory %s", holder, d)).Because(ErrLocked)
}

// Release gives the directory back.
func (l *Lock) Release() error { return l.file.Close() }

// maxSocketPath is the longest path of a unix socket, in bytes (sun_path of unix(7), without its NUL).
const maxSocketPath = 107

// ListenControl opens the control socket, for this user of the machine alone. The caller holds the Lock, so a socket
// that is there was left by a process that died.
func (d DataDir) ListenControl() (net.Listener, error) {
	path := d.Socket()
	if len(path) > maxSocketPath {
		return nil, fmt.Errorf("the path of the control socket %s is %d bytes long, and the system allows %d: choose a shorter data directory", path, len(path), maxSocketPath)
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("replace control socket: %w", err)
	}
	l, err := net.Listen("unix", path)
	if err != nil {
		return nil, fmt.Errorf("listen on control socket: %w", err)
	}
	if err := os.Chmod(path, 0o600); err != nil {
		return nil, errors.Join(fmt.Errorf("protect control socket: %w", err), l.Close())
	}
	return l, nil
}
