package main

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sluicehq/sluice/kernel/core/coretest"
)

// TestPluginIsReplacedUnderLoad writes the file of a plugin again and again, whole, in halves and broken, while callers
// fetch what it renders. No call fails, each body is that of one version and never of an older one than before, and each
// version that is left in place serves.
func TestPluginIsReplacedUnderLoad(t *testing.T) {
	l, g := newLife(t), newMarkedGuest(t)
	l.add("alice", object{"subId": "sub-alice"})
	if status, body := l.do(http.MethodPost, "/api/plugins", string(g.version(1))); status != http.StatusCreated {
		t.Fatalf("the upload answers %d %s", status, body)
	}
	file := filepath.Join(l.dir, "plugins", "marked.wasm")
	load := newSubscriberLoad(l.base, g, "/sub/sub-alice/marked", "/sub/sub-alice/marked-kept", 1)
	defer load.stop()

	const rounds = 6
	version := 1
	for round := range rounds {
		version += 2
		g.scribble(t, file, version-1)
		if last := round == rounds-1; round%3 == 2 && !last { // what is left in place is broken
			coretest.Eventually(t, "the broken file is refused", func() bool { return l.refusal("marked") != "" })
			version -= 2 // it went by too fast to be seen, and is not promised
			continue
		}
		putFile(t, file, g.version(version))
		coretest.Eventually(t, fmt.Sprintf("version %d serves all callers", version), func() bool { return load.serves(version) })
		if why := l.refusal("marked"); why != "" {
			t.Errorf("version %d serves and is refused: %s", version, why)
		}
	}
	load.stop()
	for _, failure := range load.failures {
		t.Error(failure)
	}
	t.Logf("%d calls", load.calls.Load())
}

// scribble writes the file five times in a row, as no good operator would; what is there then is broken.
func (g markedGuest) scribble(t *testing.T, file string, version int) {
	t.Helper()
	good := g.version(version)
	for _, content := range [][]byte{good[:len(good)/2], good, {}, []byte("<html>404</html>"), good[:len(good)-1]} {
		if err := os.WriteFile(file, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// putFile puts a whole file in the place of another at once.
func putFile(t *testing.T, file string, content []byte) {
	t.Helper()
	if err := os.WriteFile(file+".new", content, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(file+".new", file); err != nil {
		t.Fatal(err)
	}
}

// refusal says why the newer file of a plugin that serves is refused, "" = it is not.
func (l *life) refusal(name string) string {
	l.t.Helper()
	var p struct{ State, Reason string }
	_, body := l.do(http.MethodGet, "/api/plugins/"+name, "")
	decode(l.t, body, &p)
	if p.State != "loaded" {
		l.t.Fatalf("the plugin does not serve: %s", body)
	}
	return p.Reason
}

// subscriberLoad are four callers, two for each of two paths, who compare what they get with what a marked plugin renders.
type subscriberLoad struct {
	calls    atomic.Int64
	seen     [4]atomic.Int64    // the last version of each caller
	took     [4][]time.Duration // by its calls; to be read when they have stopped
	stopped  atomic.Bool
	running  sync.WaitGroup
	mu       sync.Mutex
	failures []string // at most ten
}

// newSubscriberLoad starts the callers, who may get version first already.
func newSubscriberLoad(base string, g markedGuest, path, other string, first int64) *subscriberLoad {
	l := &subscriberLoad{}
	for i := range l.seen {
		l.seen[i].Store(first)
		url := base + []string{path, other}[i%2]
		l.running.Go(func() {
			client := &http.Client{Timeout: patience}
			defer client.CloseIdleConnections()
			for !l.stopped.Load() {
				began := time.Now()
				l.call(client, g, url, &l.seen[i])
				l.took[i] = append(l.took[i], time.Since(began))
			}
		})
	}
	return l
}

// call fetches a body, which must be one that there may be.
func (l *subscriberLoad) call(client *http.Client, g markedGuest, url string, seen *atomic.Int64) {
	l.calls.Add(1)
	resp, err := client.Get(url)
	if err != nil {
		l.fail(err.Error())
		return
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	line, _, _ := strings.Cut(string(body), "\n")
	var version int64
	_, unreadable := fmt.Sscanf(line, markFormat, &version)
	switch {
	case err != nil || resp.StatusCode != http.StatusOK || unreadable != nil:
		l.fail(fmt.Sprintf("%s answers %d %.100s, %v", url, resp.StatusCode, body, err))
	case string(body) != g.body(int(version)):
		l.fail(fmt.Sprintf("%s answers %d bytes that begin with %q", url, len(body), line))
	case version < seen.Load():
		l.fail(fmt.Sprintf("%s answers version %d after %d", url, version, seen.Load()))
	default:
		seen.Store(version)
	}
}

func (l *subscriberLoad) fail(why string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.failures) < 10 {
		l.failures = append(l.failures, why)
	}
}

// serves says whether every caller has got that version.
func (l *subscriberLoad) serves(version int) bool {
	for i := range l.seen {
		if l.seen[i].Load() != int64(version) {
			return false
		}
	}
	return true
}

// stop ends the callers and waits for them.
func (l *subscriberLoad) stop() {
	l.stopped.Store(true)
	l.running.Wait()
}
