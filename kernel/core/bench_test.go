package core

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"
	xnet "github.com/xtls/xray-core/common/net"
	xcore "github.com/xtls/xray-core/core"
	"github.com/xtls/xray-core/features/routing"
	"github.com/xtls/xray-core/features/stats"
	"github.com/xtls/xray-core/infra/conf"
	"github.com/xtls/xray-core/transport"

	"github.com/sluicehq/sluice/kernel/core/coretest"
	"github.com/sluicehq/sluice/kernel/domain"
)

// BenchmarkGate is what the gate alone adds to a connection: admitting, registering and forgetting it, among 100k users.
func BenchmarkGate(b *testing.B) {
	g := New(Options{}).gate
	g.doors.Store(&map[string]door{"in": {inbound: 1}})
	for id := range int64(100_000) {
		g.put(account(id, 1, 1))
	}
	d := &gated{noDispatcher{}, g, func(stats.Manager) routing.Dispatcher { return noDispatcher{} }}
	ctx, cancel := arrival("in", "500", "192.0.2.1")
	defer cancel()
	b.ReportAllocs()
	for b.Loop() {
		check(b, d.DispatchLink(ctx, xnet.Destination{}, nil))
	}
}

type noDispatcher struct{ routing.Dispatcher }

func (noDispatcher) DispatchLink(context.Context, xnet.Destination, *transport.Link) error {
	return nil
}

// BenchmarkConnection compares whole connections, from dialling to the first byte back, through the gate and through the
// stock core that counts the same bytes. They take turns, so that a busy machine slows both.
func BenchmarkConnection(b *testing.B) {
	echo := echoServer(b)
	gatedPort, stockPort := coretest.FreePort(b), coretest.FreePort(b)
	startStock(b, stockPort)
	start(b, Options{}, []domain.Inbound{vlessInbound(1, gatedPort)}, account(7, 1, 1))
	request := vlessRequest(echo)
	var stock, gated []time.Duration
	for b.Loop() {
		stock = append(stock, roundTrip(b, stockPort, request))
		gated = append(gated, roundTrip(b, gatedPort, request))
	}
	slices.Sort(stock)
	slices.Sort(gated)
	s, g := stock[len(stock)/2], gated[len(gated)/2]
	b.ReportMetric(float64(s.Nanoseconds()), "ns-stock")
	b.ReportMetric(float64(g.Nanoseconds()), "ns-gate")
	b.ReportMetric(float64(g)/float64(s), "ratio-gate/stock")
}

// startStock runs the core as it comes, with the same inbound and the same statistics.
func startStock(b *testing.B, port int) {
	b.Helper()
	var c conf.Config
	check(b, json.Unmarshal([]byte(toJSON(jsonObject{
		"log": jsonObject{"loglevel": "none"}, "stats": jsonObject{},
		"policy": jsonObject{"levels": jsonObject{"0": jsonObject{"statsUserUplink": true, "statsUserDownlink": true}}},
		"inbounds": []jsonObject{{
			"listen": "127.0.0.1", "port": port, "protocol": "vless",
			"settings": jsonObject{"decryption": "none", "clients": []jsonObject{{"id": credentials(7).VLESSID, "email": "7"}}},
		}},
		"outbounds": []jsonObject{{"protocol": "freedom", "settings": jsonObject{"finalRules": []jsonObject{{"action": "allow"}}}}},
	})), &c))
	cfg, err := c.Build()
	check(b, err)
	stock, err := xcore.New(cfg)
	check(b, err)
	check(b, stock.Start())
	b.Cleanup(func() { check(b, stock.Close()) })
}

// vlessRequest is what a client sends first: version, id, no addons, connect over TCP, the target, and one byte for it.
func vlessRequest(to *net.TCPAddr) []byte {
	id := uuid.MustParse(credentials(7).VLESSID)
	var r bytes.Buffer
	r.WriteByte(0)
	r.Write(id[:])
	r.Write([]byte{0, 1, byte(to.Port >> 8), byte(to.Port), 1})
	r.Write(to.IP.To4())
	r.WriteByte('?')
	return r.Bytes()
}

func roundTrip(b *testing.B, port int, request []byte) time.Duration {
	began := time.Now()
	c, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", port))
	check(b, err)
	check(b, c.SetDeadline(began.Add(10*time.Second)))
	_, err = c.Write(request)
	check(b, err)
	var answer [3]byte // version, no addons, the byte back
	_, err = io.ReadFull(c, answer[:])
	check(b, err)
	took := time.Since(began)
	check(b, c.Close())
	return took
}

func echoServer(b *testing.B) *net.TCPAddr {
	b.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	check(b, err)
	b.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				_, _ = io.CopyN(c, c, 1) // the client tells if it misses the byte
				_ = c.Close()
			}()
		}
	}()
	return l.Addr().(*net.TCPAddr)
}

// BenchmarkAddUser adds and removes a user of a vless inbound that holds few and many.
func BenchmarkAddUser(b *testing.B) {
	small, large := newCrowd(b, 1_000), newCrowd(b, 100_000)
	for b.Loop() {
		small.addOne(b)
		large.addOne(b)
	}
	s, l := small.median(), large.median()
	b.ReportMetric(float64(s.Nanoseconds()), "ns-1k")
	b.ReportMetric(float64(l.Nanoseconds()), "ns-100k")
	b.ReportMetric(float64(l)/float64(s), "ratio-100k/1k")
}

// crowd is an inbound with users. It is built but does not listen, so that two can be measured side by side.
type crowd struct {
	e    *Engine
	next int64
	took []time.Duration
}

func newCrowd(b *testing.B, users int64) *crowd {
	b.Helper()
	e := New(Options{})
	for id := range users {
		e.gate.put(account(id, 1, 1))
	}
	cfg, err := buildConfig("", "")
	check(b, err)
	e.running, err = startInstance(e.gate, cfg)
	check(b, err)
	b.Cleanup(func() { check(b, e.running.close(e.tasks)) })
	l, err := newListener(vlessInbound(1, 443), "")
	check(b, err)
	_, err = l.build(e.running, e.gate)
	check(b, err)
	e.open[1] = l
	return &crowd{e: e, next: users}
}

func (c *crowd) addOne(b *testing.B) {
	c.next++
	put := []domain.Account{account(c.next, 1, 1)}
	began := time.Now()
	err := c.e.ApplyUsers(b.Context(), put, nil)
	c.took = append(c.took, time.Since(began))
	check(b, err)
	check(b, c.e.ApplyUsers(b.Context(), nil, []int64{c.next}))
}

func (c *crowd) median() time.Duration {
	slices.Sort(c.took)
	return c.took[len(c.took)/2]
}

// BenchmarkCount is what every buffer that passes costs.
func BenchmarkCount(b *testing.B) {
	g := New(Options{}).gate
	u := g.put(account(7, 1, 1))
	for b.Loop() {
		g.count(u, 0, 8192)
	}
}
