package subscription

import (
	"fmt"
	"strings"
	"testing"

	"github.com/sluicehq/sluice/kernel/domain"
	"github.com/sluicehq/sluice/kernel/plugin"
)

func bodyOf(size int, of facts) *body {
	return &body{facts: of, Rendered: plugin.Rendered{Body: []byte(strings.Repeat("a", size))}}
}

// One differing fact is another body.
func TestFacts(t *testing.T) {
	base := func() facts {
		return facts{revision: 1, inbounds: []int64{1, 2}, status: domain.StatusActive, snapshot: 3, plugins: 4, maker: "a"}
	}
	for name, change := range map[string]func(*facts){
		"revision": func(f *facts) { f.revision++ }, "inbounds": func(f *facts) { f.inbounds = []int64{1} },
		"status": func(f *facts) { f.status = domain.StatusLimited }, "snapshot": func(f *facts) { f.snapshot++ },
		"plugins": func(f *facts) { f.plugins++ }, "maker": func(f *facts) { f.maker = "b" },
	} {
		t.Run(name, func(t *testing.T) {
			c := newBodies(0)
			at, kept := place{user: 1, format: "links"}, base()
			c.put(at, bodyOf(1, kept))
			if c.get(at, &kept) == nil {
				t.Fatal("it is not kept")
			}
			other := base()
			change(&other)
			if c.get(at, &other) != nil {
				t.Error("it is taken for another")
			}
		})
	}
}

// Whoever differs in one part of a place has a body of its own.
func TestPlaces(t *testing.T) {
	c := newBodies(0)
	places := []place{
		{1, "links", "a", ""}, {2, "links", "a", ""}, {1, "clash", "a", ""}, {1, "links", "b", ""}, {1, "links", "a", "https://a"},
	}
	for i, at := range places {
		c.put(at, bodyOf(i, facts{}))
	}
	for i, at := range places {
		if b := c.get(at, &facts{}); b == nil || len(b.Body) != i {
			t.Errorf("%+v: %+v", at, b)
		}
	}
}

// Never more than the bytes that were set aside, and what was asked for last stays the longest.
func TestBodiesAreBounded(t *testing.T) {
	const limit = 64 << 10
	c := newBodies(limit)
	first := place{user: 1, format: "links"}
	c.put(first, bodyOf(500, facts{}))
	for user := int64(2); user < 1000; user++ {
		c.put(place{user: user, format: "links"}, bodyOf(500, facts{}))
		if c.used > limit {
			t.Fatalf("%d bytes after %d users", c.used, user)
		}
		if c.get(first, &facts{}) == nil {
			t.Fatalf("what is in use is gone after %d users", user)
		}
	}
	if c.get(place{user: 2, format: "links"}, &facts{}) != nil {
		t.Error("the second is still there")
	}
	if n := c.list.Len(); n < 20 || c.used < limit*9/10 {
		t.Errorf("%d bodies of %d bytes are kept", n, c.used)
	}
	for range 100 { // in its own place nothing adds up
		c.put(first, bodyOf(600, facts{revision: 1}))
	}
	sum := 0
	for _, at := range c.list.Keys() {
		b, _ := c.list.Peek(at)
		sum += b.size(&at)
	}
	if sum != c.used {
		t.Errorf("%d bytes are counted, there are %d", c.used, sum)
	}
}

func TestBodiesThatAreTooLarge(t *testing.T) {
	c := newBodies(64 << 10)
	at := place{user: 1}
	c.put(at, bodyOf(5<<10, facts{}))
	if c.get(at, &facts{}) != nil || c.used != 0 {
		t.Errorf("a sixteenth of all is kept, %d bytes", c.used)
	}
	none := newBodies(-1)
	if none.put(at, bodyOf(0, facts{})); none.get(at, &facts{}) != nil {
		t.Error("nothing was to be kept")
	}
}

func BenchmarkBodies(b *testing.B) {
	for _, n := range []int64{1000, 100_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			c := newBodies(1 << 30)
			for user := range n {
				c.put(place{user: user, format: "links"}, bodyOf(10, facts{}))
			}
			for i := int64(0); b.Loop(); i++ {
				if c.get(place{user: i % n, format: "links"}, &facts{}) == nil {
					b.Fatal("gone")
				}
			}
		})
	}
}
