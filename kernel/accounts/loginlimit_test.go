package accounts

import (
	"fmt"
	"runtime"
	"testing"
	"time"
)

var morning = time.UnixMilli(1_790_000_000_000)

func TestLoginLimits(t *testing.T) {
	type try struct {
		from, name string
		at         time.Duration // since the morning
		wait       time.Duration // 0 = it may be tried
	}
	times := func(n int, each func(i int) try) (tries []try) {
		for i := range n {
			tries = append(tries, each(i))
		}
		return tries
	}
	from := func(address string) func(int) try {
		return func(i int) try { return try{from: address, name: fmt.Sprint("user", i)} }
	}
	on := func(name string) func(int) try {
		return func(i int) try { return try{from: fmt.Sprint("10.0.0.", i), name: name} }
	}
	const second = time.Second
	for _, c := range []struct {
		name  string
		first []try
		then  []try
	}{
		{"an address", times(10, from("10.0.0.1")), []try{
			{"10.0.0.1", "mary", 0, 6 * second},
			{"10.0.0.2", "mary", 0, 0},
			{"10.0.0.1", "mary", 4 * second, 2 * second},
			{"10.0.0.1", "mary", 6 * second, 0},
			{"10.0.0.1", "mary", 6 * second, 6 * second},
		}},
		{"an address after a minute", times(10, from("10.0.0.1")), times(10, func(i int) try {
			return try{"10.0.0.1", fmt.Sprint("user", i), time.Minute, 0}
		})},
		{"a name", times(30, on("mary")), []try{
			{"10.0.1.1", "mary", 0, 2 * second}, {"10.0.1.1", "MARY", 0, 2 * second}, {"10.0.1.1", "bob", 0, 0}, {"10.0.1.1", "mary", 2 * second, 0},
		}},
		{"both, the longer wait counts", append(times(30, on("mary")), times(10, from("10.0.1.1"))...), []try{
			{"10.0.1.1", "mary", 0, 6 * second},
		}},
		{"IPv4 in IPv6 is IPv4", times(10, from("::ffff:10.0.0.1")), []try{
			{"10.0.0.1", "mary", 0, 6 * second}, {"::ffff:10.0.0.2", "mary", 0, 0},
		}},
		{"a network of IPv6", times(10, from("2001:db8::1")), []try{
			{"2001:db8::ffff:0:0:2", "mary", 0, 6 * second}, {"2001:db8:0:1::1", "mary", 0, 0},
		}},
		{"what is no address", times(10, from("")), []try{{"", "mary", 0, 6 * second}}},
		{"what is refused does not count", times(10, from("10.0.0.1")), append(
			times(100, func(int) try { return try{"10.0.0.1", "mary", 0, 6 * second} }),
			try{"10.0.0.1", "mary", 6 * second, 0}, try{"10.0.0.2", "mary", 6 * second, 0},
		)},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := newLoginLimits()
			for i, try := range append(c.first, c.then...) {
				if _, wait := l.take(morning.Add(try.at), try.from, try.name); wait != try.wait {
					t.Fatalf("try %d of %+v has to wait %s", i, try, wait)
				}
			}
		})
	}
}

// What is given back has not been.
func TestLoginLimitsGiveBack(t *testing.T) {
	l := newLoginLimits()
	for i := range 1000 {
		a, wait := l.take(morning, "10.0.0.1", "mary")
		if wait != 0 {
			t.Fatalf("login %d has to wait %s", i, wait)
		}
		l.giveBack(a)
	}
	for i := range triesOfAddress {
		if _, wait := l.take(morning, "10.0.0.1", "mary"); wait != 0 {
			t.Fatalf("try %d has to wait %s", i, wait)
		}
	}
	if _, wait := l.take(morning, "10.0.0.1", "mary"); wait != 6*time.Second {
		t.Errorf("the next has to wait %s", wait)
	}
}

// A million names from a million networks take no more memory than the most that are kept.
func TestLoginLimitsAreBounded(t *testing.T) {
	heap := func() int64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	before := heap()
	l := newLoginLimits()
	for i := range 1_000_000 {
		from := fmt.Sprintf("2001:db8:%x:%x::1", i>>16, i&0xffff)
		if _, wait := l.take(morning, from, fmt.Sprint("user", i)); wait != 0 {
			t.Fatalf("login %d has to wait %s", i, wait)
		}
	}
	if l.addresses.emptyAt.Len() != maxTried || l.names.emptyAt.Len() != maxTried {
		t.Errorf("%d addresses and %d names", l.addresses.emptyAt.Len(), l.names.emptyAt.Len())
	}
	grown := heap() - before
	t.Logf("%d bytes for each of %d", grown/(2*maxTried), 2*maxTried)
	if grown > 400*2*maxTried {
		t.Errorf("%d bytes", grown)
	}
	runtime.KeepAlive(&l)
}
