package external

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"testing"

	"github.com/sluicehq/sluice/kernel/domain"
)

// However many ask, a provider is asked once, and its answer is everybody's.
func TestOneFetchOfAURLAtATime(t *testing.T) {
	b := newBench(t)
	p := newProvider(t)
	let := p.hold(link("one"))
	b.subscribe(p.URL)
	const callers = 50
	var results []<-chan []string
	for range callers {
		results = append(results, b.begin())
	}
	b.timers(callers + 1)
	let()
	for _, r := range results {
		if got := await(t, r); len(got) != 1 || got[0] != link("one") {
			t.Errorf("got %q", got)
		}
	}
	p.wantAsked(t, 1)
}

// Providers that do not answer hold as many fetches as there may be; the others come after them.
func TestFetchesAtTheSameTimeAreBounded(t *testing.T) {
	b := newBench(t)
	var urls []string
	var taken []<-chan struct{}
	for range maxFetches / siteShare {
		silent, conns := dead(t)
		taken = append(taken, conns)
		for i := range siteShare {
			urls = append(urls, fmt.Sprintf("%s/%d", silent, i))
		}
	}
	last, lastTaken := dead(t)
	urls = append(urls, last)
	b.subscribe(urls[:maxFetches]...)
	first := b.begin()
	for _, conns := range taken {
		for range siteShare {
			await(t, conns)
		}
	}
	b.subscribe(urls...)
	result := b.begin()
	b.timers(maxFetches + 2)
	if len(lastTaken) != 0 {
		t.Error("there is one more")
	}
	b.clock.Advance(timeout)
	await(t, first)
	await(t, result)
	await(t, lastTaken) // in the place of one that failed
	b.timers(1)
	b.clock.Advance(timeout)
	for range urls {
		if c := await(t, b.db.saved); c.Error != "127.0.0.1 did not answer in time" {
			t.Errorf("stored %+v", c)
		}
	}
}

// A server that does not answer takes no more than its share: the providers on others are asked beside it.
func TestADeadServerHoldsUpNoOther(t *testing.T) {
	b := newBench(t)
	silent, taken := dead(t)
	for i := range siteQueue {
		if b.fetch(fmt.Sprintf("%s/%d", silent, i)) == nil {
			t.Fatalf("%d fetches fill the queue", i)
		}
	}
	if b.fetch(silent) != nil {
		t.Error("the queue of a server has no end")
	}
	for range siteShare {
		await(t, taken)
	}
	b.subscribe(newProvider(t, link("one")).URL)
	b.want(link("one"))
	if len(taken) != 0 {
		t.Error("a server has more than its share")
	}
}

// Close ends a fetch that would take longer, and takes no note of what was no failure.
func TestClose(t *testing.T) {
	b := newBench(t)
	p := newProvider(t, link("one"))
	b.subscribe(p.URL)
	b.want(link("one"))
	b.stored()
	b.clock.Advance(freshFor)
	arrived := make(chan struct{})
	p.answer(func(_ http.ResponseWriter, r *http.Request) { close(arrived); <-r.Context().Done() })
	b.want(link("one"))
	await(t, arrived)
	b.Close()
	select {
	case c := <-b.db.saved:
		t.Errorf("stored %+v", c)
	default:
	}
	b.want(link("one"))
	p.wantAsked(t, 2)
	if n := b.logs.Len(); n != 0 {
		t.Errorf("logged %+v", b.logs.All())
	}
}

// Close does not wait for those either that wait for a slot.
func TestCloseWithFetchesThatWait(t *testing.T) {
	b := newBench(t)
	for range maxFetches {
		b.slots <- struct{}{}
	}
	f := b.fetch("http://a.example")
	b.Close()
	if await(t, f.done); f.links != nil {
		t.Errorf("got %q", f.links)
	}
	if again := b.fetch("http://b.example"); again != nil {
		t.Error("a fetch starts after Close")
	}
}

// crash is a client that panics.
type crash struct{}

func (crash) Get(context.Context, string, int64) ([]byte, error) { panic("out of cheese") }

func TestPanicInAFetch(t *testing.T) {
	b := newBench(t)
	b.Client = crash{}
	b.subscribe("http://secret.example/token")
	b.want()
	b.settle()
	if n := b.Panics(); n != 1 {
		t.Errorf("%d panics counted", n)
	}
	entries := b.logs.FilterMessage("panic in a fetch").All()
	if len(entries) != 1 || entries[0].ContextMap()["panic"] != "out of cheese" || entries[0].ContextMap()["host"] != "secret.example" {
		t.Errorf("logged %+v", b.logs.All())
	}
	b.want() // it is left alone for a while
	b.settle()
	if n := b.Panics(); n != 1 {
		t.Errorf("%d panics counted after the second call", n)
	}
}

// odd is a client whose errors are not for everybody's eyes.
type odd struct{}

func (odd) Get(context.Context, string, int64) ([]byte, error) { return nil, errors.New("token 42") }

func TestErrorsThatAreNotSentencesStayInside(t *testing.T) {
	b := newBench(t)
	b.Client = odd{}
	b.subscribe("http://a.example")
	b.want()
	if c := b.stored(); c.Error != "the fetch failed" {
		t.Errorf("stored %+v", c)
	}
}

// Without room on the disk subscriptions have what was fetched this time, and providers are not asked by each of them.
func TestAnswerThatCanNotBeStored(t *testing.T) {
	b := newBench(t)
	p := newProvider(t, link("one"))
	b.db.fail = domain.Unavailable("the disk is full")
	b.subscribe(p.URL)
	b.want(link("one"))
	b.stored()
	b.want()
	p.wantAsked(t, 1)
	b.db.fail = nil
	b.clock.Advance(retryMin)
	b.want(link("one"))
	b.stored()
	b.want(link("one"))
	p.wantAsked(t, 2)
}

// Failing providers do not fill the memory, and do not keep others out.
func TestFailuresAreForgottenWhenThereAreTooMany(t *testing.T) {
	b := newBench(t)
	for i := range maxProviders {
		b.providers[fmt.Sprint(i)] = &provider{failures: 1, retryAt: b.clock.Now().Add(retryMax)}
	}
	p := newProvider(t, link("one"))
	b.subscribe(p.URL)
	b.want(link("one"))
	b.settle()
	if n := len(b.providers); n != maxProviders-1 {
		t.Errorf("%d providers are kept", n)
	}
	for _, p := range b.providers {
		p.fetch = &fetch{}
	}
	b.providers["one more"] = &provider{fetch: &fetch{}}
	if b.fetch("http://other.example") != nil {
		t.Error("one more fetch has room")
	}
}
