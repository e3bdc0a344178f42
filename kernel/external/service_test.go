package external

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/sluicehq/sluice/kernel/domain"
	"github.com/sluicehq/sluice/kernel/guard"
)

func TestLinks(t *testing.T) {
	b := newBench(t)
	p := newProvider(t, link("one"), "# a comment", link("two"))
	q := newProvider(t, link("three"))
	past, future := start, start+1
	b.set(
		domain.ExternalLink{Kind: domain.ExternalSubscription, Value: p.URL, NamePrefix: "A ", Enabled: true},
		domain.ExternalLink{Kind: domain.ExternalShareLink, Value: link("own"), Enabled: true},
		domain.ExternalLink{Kind: domain.ExternalShareLink, Value: link("disabled")},
		domain.ExternalLink{Kind: domain.ExternalShareLink, Value: link("expired"), Enabled: true, ExpireAt: &past},
		domain.ExternalLink{Kind: domain.ExternalShareLink, Value: link("own"), Remark: "given name", Enabled: true, ExpireAt: &future},
		domain.ExternalLink{Kind: domain.ExternalSubscription, Value: q.URL, Remark: "not a name", Enabled: true},
		domain.ExternalLink{Kind: domain.ExternalSubscription, Value: p.URL, Enabled: true},
	)
	b.want(link("A%20one"), link("A%20two"), link("own"), link("given%20name"), link("three"), link("one"), link("two"))
	p.wantAsked(t, 1)
	q.wantAsked(t, 1)
	if links, err := b.Links(t.Context(), &domain.User{ID: b.user.ID + 1}); err != nil || len(links) != 0 {
		t.Errorf("somebody else gets %q, %v", links, err)
	}
}

// Nobody is asked for what would not be handed out.
func TestProvidersOfLinksThatDoNotServeAreLeftAlone(t *testing.T) {
	b := newBench(t)
	p := newProvider(t, link("one"))
	b.set(domain.ExternalLink{Kind: domain.ExternalSubscription, Value: p.URL})
	b.want()
	p.wantAsked(t, 0)
}

// For five minutes the provider is not asked; then what is known is used at once, and what is new from the next call on.
func TestFreshness(t *testing.T) {
	b := newBench(t)
	p := newProvider(t, link("old"))
	b.subscribe(p.URL)
	b.want(link("old"))
	b.stored()
	b.clock.Advance(freshFor - time.Millisecond)
	b.want(link("old"))
	p.wantAsked(t, 1)

	let := p.hold(link("new"))
	b.clock.Advance(time.Millisecond)
	b.want(link("old"))
	b.want(link("old"))
	b.timers(1) // the fetch's, nobody waits
	let()
	if c := b.stored(); c.FetchedAt != start+300_000 || c.TriedAt != c.FetchedAt || c.Error != "" {
		t.Errorf("stored %+v", c)
	}
	b.want(link("new"))
	p.wantAsked(t, 2)
}

// What is hours old is waited for again: an app that asks twice a day would always be half a day behind.
func TestOldContentIsWaitedFor(t *testing.T) {
	b := newBench(t)
	p := newProvider(t, link("old"))
	b.subscribe(p.URL)
	b.want(link("old"))
	b.stored()
	b.clock.Advance(oldAfter)
	p.serve(link("new"))
	b.want(link("new"))
	b.stored()

	b.clock.Advance(oldAfter)
	p.hold()
	result := b.begin()
	b.timers(2)
	b.clock.Advance(budget)
	if got := await(t, result); len(got) != 1 || got[0] != link("new") {
		t.Errorf("from a provider that has become slow: %q", got)
	}
}

// A provider that never answers costs two seconds, once, and nothing of the others.
func TestDeadProvider(t *testing.T) {
	b := newBench(t)
	url, _ := dead(t)
	p := newProvider(t, link("alive"))
	b.subscribe(url, p.URL)
	result := b.begin()
	if c := await(t, b.db.saved); c.URL != p.URL {
		t.Fatalf("stored %+v", c)
	}
	b.landed(p.URL)
	b.timers(2)
	b.clock.Advance(budget - time.Millisecond)
	select {
	case got := <-result:
		t.Fatalf("%q before the time was over", got)
	default:
	}
	b.clock.Advance(time.Millisecond)
	if got := await(t, result); len(got) != 1 || got[0] != link("alive") {
		t.Errorf("got %q", got)
	}
	b.timers(1)
	b.clock.Advance(timeout - budget)
	if c := b.stored(); c.URL != url || c.Error != "127.0.0.1 did not answer in time" || c.FetchedAt != 0 || c.TriedAt != start+6000 {
		t.Errorf("stored %+v", c)
	}
	b.want(link("alive")) // without waiting: the clock stands still
	if n := b.logs.FilterMessage("a provider's subscription could not be refreshed, what it held before stays").Len(); n != 1 {
		t.Errorf("%d such lines in the log: %+v", n, b.logs.All())
	}
}

// What comes too late for one call is there for the next.
func TestSlowProvider(t *testing.T) {
	b := newBench(t)
	p := newProvider(t)
	let := p.hold(link("late"))
	b.subscribe(p.URL)
	result := b.begin()
	b.timers(2)
	b.clock.Advance(budget)
	if got := await(t, result); len(got) != 0 {
		t.Errorf("got %q", got)
	}
	b.clock.Advance(timeout - budget - time.Millisecond)
	let()
	b.stored()
	b.want(link("late"))
	p.wantAsked(t, 1)
}

// A caller that goes away does not wait.
func TestCallerThatGoesAway(t *testing.T) {
	b := newBench(t)
	url, taken := dead(t)
	b.subscribe(url)
	result := b.begin()
	await(t, taken)
	b.timers(2)
	b.Close()
	if got := await(t, result); len(got) != 0 {
		t.Errorf("got %q", got)
	}
}

// Links that are known outlive the provider's failures, and a restart.
func TestProviderThatFailsAndComesBack(t *testing.T) {
	b := newBench(t)
	p := newProvider(t, link("one"))
	b.subscribe(p.URL)
	b.want(link("one"))
	b.stored()

	p.fail()
	b.clock.Advance(freshFor)
	b.want(link("one"))
	if c := b.stored(); c.Error != "127.0.0.1 answers with status 502" {
		t.Errorf("stored %+v", c)
	}
	b.clock.Advance(retryMin - time.Millisecond)
	b.want(link("one"))
	p.wantAsked(t, 2)

	b.Close()
	b.open(b.Options)
	b.want(link("one"))
	p.wantAsked(t, 2)

	p.serve(link("two"))
	b.clock.Advance(time.Millisecond)
	b.want(link("one"))
	b.stored()
	b.want(link("two"))
	p.wantAsked(t, 3)
}

// The longer a provider fails, the less it is asked: after 1, 2, 4, 8, 16 and then every 30 minutes.
func TestBackOff(t *testing.T) {
	b := newBench(t)
	p := newProvider(t)
	p.fail()
	b.subscribe(p.URL)
	b.want()
	b.stored()
	for i, minutes := range []int{1, 2, 4, 8, 16, 30, 30} {
		b.clock.Advance(time.Duration(minutes)*time.Minute - time.Millisecond)
		b.want()
		p.wantAsked(t, i+1)
		b.clock.Advance(time.Millisecond)
		b.want()
		b.stored()
		p.wantAsked(t, i+2)
	}
	p.serve(link("back"))
	b.clock.Advance(retryMax)
	b.want(link("back"))
	b.stored()
	if len(b.providers) != 0 {
		t.Errorf("kept of a provider that answers: %v", b.providers)
	}
	if got := backOff(1 << 40); got != retryMax {
		t.Errorf("after very many failures %s", got)
	}
}

// A clock that was ahead must not keep a provider from being asked.
func TestContentOfTheFuture(t *testing.T) {
	b := newBench(t)
	p := newProvider(t, link("one"))
	b.subscribe(p.URL)
	b.want(link("one"))
	b.stored()
	p.serve(link("two"))
	b.clock.Advance(-24 * time.Hour)
	b.want(link("two"))
}

// What is wrong with an answer is said in a sentence, and nothing of it is handed on.
func TestWrongAnswers(t *testing.T) {
	for name, c := range map[string]struct {
		answer http.HandlerFunc
		want   string
	}{
		"status":    {http.NotFound, "127.0.0.1 answers with status 404"},
		"too large": {func(w http.ResponseWriter, _ *http.Request) { fill(w, link("one")+"\n", maxBody+1) }, "127.0.0.1 answers with more than 2097152 bytes"},
		"no links":  {func(w http.ResponseWriter, _ *http.Request) { _, _ = fmt.Fprint(w, "<html>") }, "the answer is not a list of share links"},
		"redirect":  {http.RedirectHandler("http://10.0.0.1/", http.StatusFound).ServeHTTP, "the address of 10.0.0.1 is not public"},
		"broken":    {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, "127.0.0.1 can not be reached"},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			p := newProvider(t)
			p.answer(c.answer)
			b.subscribe(p.URL)
			b.want()
			if got := b.stored(); got.TriedAt != start || got.FetchedAt != 0 || got.Error != c.want {
				t.Errorf("stored %+v, want the error %q", got, c.want)
			}
		})
	}
}

// fill writes text until there are n bytes.
func fill(w http.ResponseWriter, text string, n int) {
	_, _ = w.Write([]byte(strings.Repeat(text, n/len(text)+1)[:n]))
}

// An address inside is not reached, although a user named it.
func TestProviderInside(t *testing.T) {
	b := newBench(t)
	b.Client = guard.New(guard.Options{})
	p := newProvider(t, link("secret"))
	b.subscribe(p.URL)
	b.want()
	if c := b.stored(); c.Error != "the address of 127.0.0.1 is not public" {
		t.Errorf("stored %+v", c)
	}
	p.wantAsked(t, 0)
}

// Many providers together can not make a subscription that no plugin renders.
func TestLinksAreBounded(t *testing.T) {
	b := newBench(t)
	long := link(strings.Repeat("x", maxValue-len(link(""))))
	links := make([]domain.ExternalLink, 100)
	for i := range links {
		links[i] = domain.ExternalLink{Kind: domain.ExternalShareLink, Value: long}
	}
	b.give(links...)
	got, err := b.Links(t.Context(), b.user)
	if want := maxTotal / maxValue; err != nil || len(got) != want {
		t.Errorf("%d links, %v, want %d", len(got), err, want)
	}
}

func TestWithoutDatabase(t *testing.T) {
	b := newBench(t)
	b.give(domain.ExternalLink{Kind: domain.ExternalShareLink, Value: link("one")})
	if err := b.db.Close(); err != nil {
		t.Fatal(err)
	}
	if links, err := b.Links(t.Context(), b.user); err == nil {
		t.Errorf("links %q", links)
	}
}
