//go:build interop

package main

import (
	"fmt"
	"io"
	"maps"
	"net/http"
	"path"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sluicehq/sluice/kernel/core/coretest"
)

// proxies are the local addresses at which a client offers what its documents hold, by the combination's name.
type proxies map[string]string

// TestInterop serves every combination at once and hands each client app the documents of its own format, as the
// operator's users would. What a document holds must carry traffic that the server counts; what it does not hold, and
// what does not work, must be in the tables of interop_known_test.go, which so stay true.
func TestInterop(t *testing.T) {
	i := startInterop(t)
	for _, client := range []struct {
		name string
		run  func(*testing.T, *interop) proxies
	}{
		{"sing-box", singBox}, {"mihomo", mihomo}, {"mihomo links", mihomoLinks}, {"xray", xray},
	} {
		t.Run(client.name, func(t *testing.T) {
			i := *i
			s := *i.server
			s.t, i.server = t, &s
			i.try(client.name, client.run(t, &i))
		})
	}
}

// size is what one attempt downloads, in bytes.
const size = 300_000

// try downloads through every proxy and holds the outcome against what is known of the client.
func (i *interop) try(client string, offered proxies) {
	i.waitFlushed(i.t) // what the client before has moved is not this one's
	before := i.downloaded()
	failed := i.downloadAll(client, offered)
	for _, c := range i.combinations {
		key := client + "/" + c.name
		_, there := offered[c.name]
		left, broken := leftOut.reason(client, c.name), knownFailures.reason(client, c.name)
		switch {
		case there && left != "":
			i.t.Errorf("%s is in the document, although %s", key, left)
		case !there && left == "":
			i.t.Errorf("%s is not in the document", key)
		case !there:
		case failed[c.name] != nil && broken == "":
			i.t.Errorf("%s: %v", key, failed[c.name])
		case failed[c.name] == nil && broken != "":
			i.t.Errorf("%s works, although %s", key, broken)
		case failed[c.name] == nil:
			i.wantCounted(key, c.id, before[c.id])
		}
	}
	i.wantTrue(client)
	for _, name := range slices.Sorted(maps.Keys(offered)) {
		if !slices.ContainsFunc(i.combinations, func(c *combination) bool { return c.name == name }) {
			i.t.Errorf("%s has the unknown proxy %q", client, name)
		}
	}
}

// wantTrue looks for entries of the tables that no combination bears out.
func (i *interop) wantTrue(client string) {
	for _, l := range slices.Concat(leftOut[client], knownFailures[client]) {
		if !slices.ContainsFunc(i.combinations, func(c *combination) bool { ok, _ := path.Match(l.combination, c.name); return ok }) {
			i.t.Errorf("%s: no combination is %s", client, l.combination)
		}
	}
}

// attempts is how long a download is tried again: a new user of shadowsocks 2022 comes a second late.
const attempts = 10 * time.Second

// downloadAll is why each of the proxies did not work.
func (i *interop) downloadAll(client string, offered proxies) map[string]error {
	failed, mu, slots := map[string]error{}, sync.Mutex{}, make(chan struct{}, 16)
	var all sync.WaitGroup
	for name, addr := range offered {
		through := coretest.HTTP(i.t, addr)
		through.Timeout = 5 * time.Second
		all.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			deadline, again := time.Now(), time.NewTicker(200*time.Millisecond)
			if knownFailures.reason(client, name) == "" {
				deadline = deadline.Add(attempts)
			}
			defer again.Stop()
			err := fetch(through, fmt.Sprintf("%s/bytes?n=%d", i.origin.URL, size))
			for err != nil && time.Now().Before(deadline) {
				<-again.C
				err = fetch(through, fmt.Sprintf("%s/bytes?n=%d", i.origin.URL, size))
			}
			mu.Lock()
			defer mu.Unlock()
			failed[name] = err
		})
	}
	all.Wait()
	return failed
}

// fetch downloads size bytes.
func fetch(through *http.Client, url string) error {
	resp, err := through.Get(url)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	n, err := io.Copy(io.Discard, resp.Body)
	if err == nil && (resp.StatusCode != http.StatusOK || n != size) {
		err = fmt.Errorf("%d bytes with status %d", n, resp.StatusCode)
	}
	return err
}

// wantCounted waits until the inbound shows one download more than before: it does when the next flush has ended.
func (i *interop) wantCounted(key string, inbound, before int64) {
	i.t.Helper()
	coretest.Eventually(i.t, key+" is counted", func() bool { return i.downloaded()[inbound] >= before+size })
}

// combinationOf is the combination in a proxy's name, which ends in that of its user.
func combinationOf(name string) string {
	for _, user := range []string{plain, vision} {
		if c, ok := strings.CutSuffix(name, "-"+user); ok {
			return c
		}
	}
	return name
}
