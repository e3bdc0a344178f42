package plugin

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/sluicehq/sluice/sdk/wire"
)

// numbered is a plugin with a name and an id of its own. Another version has other bytes.
func numbered(n, version int) []byte {
	return guest{
		manifest: fmt.Sprintf(`{"abi":1,"name":"p%d","version":"%d.0.0","provides":[{"kind":"period","id":"p%d"}]}`, n, version, n),
	}.wasm()
}

// TestTwoHundredPlugins has 200 plugins serve, of which 100 are replaced and one comes and goes, while callers ask them
// all: no call fails.
func TestTwoHundredPlugins(t *testing.T) {
	const plugins, replacements = 200, 100
	h, _ := openHost(t, Options{Concurrency: 2})
	for n := range plugins {
		load(t, h, fmt.Sprintf("%d.wasm", n), numbered(n, 1))
	}
	var calls atomic.Uint64
	stop := make(chan struct{})
	var callers sync.WaitGroup
	for caller := range 4 {
		callers.Go(func() {
			random := rand.New(rand.NewPCG(1, uint64(caller)))
			for {
				id := fmt.Sprintf("p%d", random.IntN(plugins))
				if got, err := h.Period(background, &wire.PeriodRequest{ID: id}); err != nil || !got.Never {
					t.Errorf("%s: %+v, %v", id, got, err)
				}
				calls.Add(1)
				select {
				case <-stop:
					return
				default:
				}
			}
		})
	}
	for n := range replacements {
		load(t, h, fmt.Sprintf("%d.wasm", n), numbered(n, 2))
		load(t, h, "guest.wasm", numbered(plugins, n))
		if err := h.Remove(background, "guest.wasm"); err != nil {
			t.Error(err)
		}
	}
	close(stop)
	callers.Wait()
	h.retiring.Wait()
	infos := h.Plugins()
	if len(infos) != plugins {
		t.Fatalf("%d plugins", len(infos))
	}
	second, instances := 0, 0
	for _, info := range infos {
		if info.State != StateLoaded || info.Failures != 0 || info.Instances > 2 {
			t.Errorf("plugin %+v", info)
		}
		if info.Version == "2.0.0" {
			second++
		}
		instances += info.Instances
	}
	if second != replacements || calls.Load() < replacements {
		t.Errorf("%d second versions after %d calls", second, calls.Load())
	}
	t.Logf("%d calls, %d instances", calls.Load(), instances)
}
