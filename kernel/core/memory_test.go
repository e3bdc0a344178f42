package core

import (
	"fmt"
	"runtime"
	"testing"

	"github.com/sluicehq/sluice/kernel/domain"
)

// BenchmarkMemory is the heap that one of 100k users takes: in the gate alone, and with the core's own lists of one vless
// inbound and of six inbounds.
func BenchmarkMemory(b *testing.B) {
	const users = 100_000
	for _, inbounds := range []int64{0, 1, 6} {
		b.Run(fmt.Sprintf("inbounds-%d", inbounds), func(b *testing.B) {
			var perUser float64
			for b.Loop() {
				before := heap()
				e := crowded(b, users, inbounds)
				perUser = float64(heap()-before) / users
				runtime.KeepAlive(e)
			}
			b.ReportMetric(perUser, "B/user")
			b.ReportMetric(0, "ns/op")
		})
	}
}

// crowded is an Engine with users on inbounds that are built but do not listen.
func crowded(b *testing.B, users, inbounds int64) *Engine {
	b.Helper()
	e := New(Options{})
	var ids []int64
	for id := int64(1); id <= inbounds; id++ {
		ids = append(ids, id)
	}
	for id := range users {
		e.gate.put(stored(id, ids))
	}
	cfg, err := buildConfig("", "")
	check(b, err)
	e.running, err = startInstance(e.gate, cfg)
	check(b, err)
	b.Cleanup(func() { check(b, e.running.close(e.tasks)) })
	for _, id := range ids {
		l, err := newListener(vlessInbound(id, 443), "")
		check(b, err)
		_, err = l.build(e.running, e.gate)
		check(b, err)
		e.open[id] = l
	}
	return e
}

// stored is an account as it comes from the database: every string and list is its own.
func stored(id int64, inbounds []int64) domain.Account {
	a := account(id, 1, append([]int64(nil), inbounds...)...)
	a.User.VMessID = string(append([]byte(nil), a.User.VLESSID...)) // one uuid and one password, unless separate ones are given
	a.User.TrojanPassword = fmt.Sprintf("%022d", id)
	a.User.ShadowsocksPassword = fmt.Sprintf("%022d", id)
	a.User.HysteriaAuth = fmt.Sprintf("%022d", id)
	a.User.Username = fmt.Sprintf("user-%d", id)
	expire, quota := int64(1<<42), int64(1<<40)
	a.User.ExpireAt, a.User.Quota = &expire, &quota
	return a
}

func heap() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
