package main

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// BenchmarkSubscriptionHTTP is what fetching a subscription costs the server in CPU, among 1,000 and 100,000 users: whole
// HTTP requests over one connection, to a process of its own for each. A cold body is made for this request, because the
// title has changed since the last one; the page is made for each request. Beside that, how many requests a second four
// connections get out of the machine that both sides run on.
func BenchmarkSubscriptionHTTP(b *testing.B) {
	panels := []*panel{openPanel(b, 1000, nil), openPanel(b, 100_000, nil)}
	costs := subscriptionCosts()
	for _, p := range panels {
		p.tidy = (*panel).forgetBodies
		for _, c := range costs {
			p.measure(c) // what is built when it is first asked for is built now
		}
	}
	table := append([]string{fmt.Sprintf("%-22s %10s %10s %8s", "CPU per request, µs", "1k", "100k", "100k/1k")}, compare(b, panels, costs)...)
	tag := panels[1].fetch(oneUser, "links-base64", "") // and it is cached
	for _, c := range []struct{ name, tag string }{{"cached", ""}, {"304", tag}} {
		rate := panels[1].rate(c.tag)
		b.ReportMetric(rate, "req/s-"+c.name)
		table = append(table, fmt.Sprintf("%-22s %10s %10.0f %8s  requests a second", c.name, "", rate, ""))
	}
	fmt.Println("\n" + strings.Join(table, "\n")) // of what a benchmark logs, ten lines are kept
}

// oneUser is whose subscription is fetched when it does not matter whose.
const oneUser = 7

// subscriptionCosts are the kinds of fetches. Not more cold ones follow each other than there are users.
func subscriptionCosts() []cost {
	tags := map[*panel]string{}
	unchanged := func(p *panel) {
		p.b.Helper()
		if tag := p.fetch(oneUser, "links-base64", tags[p]); tag != "" {
			tags[p] = tag
		}
	}
	most := [3]time.Duration{100 * time.Microsecond, 100 * time.Microsecond}
	return []cost{
		{"cold links-base64", 500, fetchAny("links-base64"), flat, [3]time.Duration{}},
		{"cold clash", 500, fetchAny("clash"), flat, [3]time.Duration{}},
		{"cold sing-box", 500, fetchAny("sing-box"), flat, [3]time.Duration{}},
		{"html", 200, fetchAny("html"), flat, [3]time.Duration{}},
		{"cached", 2000, func(p *panel) { p.fetch(oneUser, "links-base64", "") }, flat, most},
		{"304", 2000, unchanged, flat, most},
	}
}

// fetchAny fetches the subscription of another user each time.
func fetchAny(format string) func(*panel) {
	return func(p *panel) {
		p.next++
		p.fetch(p.user(), format, "")
	}
}

// fetch gets a user's subscription, which must be a body, or unchanged if a tag is given. It returns the tag.
func (p *panel) fetch(user int, format, tag string) string {
	p.b.Helper()
	url := fmt.Sprintf("http://%s/sub/sub%08d/%s", p.server.api, user, format)
	got, err := fetchSubscription(p.client, url, tag)
	if err != nil {
		p.b.Fatal(err)
	}
	return got
}

// fetchSubscription is panel.fetch for many at once.
func fetchSubscription(client *http.Client, url, tag string) (string, error) {
	req, err := http.NewRequest(http.MethodGet, url, nil)
	if err != nil {
		return "", err
	}
	want := http.StatusOK
	if tag != "" {
		req.Header.Set("If-None-Match", tag)
		want = http.StatusNotModified
	}
	resp, err := client.Do(req)
	if err != nil {
		return "", err
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err == nil && (resp.StatusCode != want || (tag == "") != (len(body) > 0)) {
		err = fmt.Errorf("%s answers %d with %d bytes, want %d", url, resp.StatusCode, len(body), want)
	}
	return resp.Header.Get("ETag"), err
}

// forgetBodies makes the server render every subscription anew.
func (p *panel) forgetBodies() {
	p.b.Helper()
	p.send(http.MethodPut, "../../api/settings", object{"profile_title": fmt.Sprint("title ", p.next)})
}

// rate is how many requests a second four connections get answered, with a tag if there is one.
func (p *panel) rate(tag string) float64 {
	p.b.Helper()
	const each = 5000
	url, began := fmt.Sprintf("http://%s/sub/sub%08d/links-base64", p.server.api, oneUser), time.Now()
	var callers sync.WaitGroup
	for range 4 {
		callers.Go(func() {
			client := &http.Client{Timeout: patience, Transport: &http.Transport{}}
			defer client.CloseIdleConnections()
			for range each {
				if _, err := fetchSubscription(client, url, tag); err != nil {
					p.b.Error(err)
					return
				}
			}
		})
	}
	callers.Wait()
	return 4 * each / time.Since(began).Seconds()
}

// BenchmarkReload60s replaces a plugin in Go every second for a minute while four callers fetch what it renders. Not one of
// their calls may fail; what a reload costs them is compared with the same callers in 15 s without any.
func BenchmarkReload60s(b *testing.B) {
	p, g := openPanel(b, 1000, nil), newMarkedGuest(b)
	p.upload(g.version(1))
	path := "/sub/sub00000007/marked"
	version := 1
	for b.Loop() {
		calm := newSubscriberLoad("http://"+p.server.api, g, path, path, int64(version))
		<-time.After(15 * time.Second)
		calm.stop()
		busy := newSubscriberLoad("http://"+p.server.api, g, path, path, int64(version))
		every := time.NewTicker(time.Second)
		for range 60 {
			<-every.C
			version++
			p.upload(g.version(version))
		}
		every.Stop()
		busy.stop()
		if failures := slices.Concat(calm.failures, busy.failures); len(failures) > 0 {
			b.Fatal(strings.Join(failures, "\n"))
		}
		if seen := busy.seen[0].Load(); seen < int64(version-1) {
			b.Fatalf("a caller gets version %d, the last one is %d", seen, version)
		}
		b.ReportMetric(0, "failed-calls")
		b.ReportMetric(float64(busy.calls.Load()), "calls")
		b.ReportMetric(busy.p99().Seconds()*1000, "ms-p99")
		b.ReportMetric(busy.p99().Seconds()/calm.p99().Seconds(), "ratio-p99-reloading/calm")
		b.ReportMetric(busy.longest().Seconds()*1000, "ms-longest")
	}
}

// upload installs a plugin over the API.
func (p *panel) upload(wasm []byte) {
	p.b.Helper()
	req, err := http.NewRequestWithContext(p.b.Context(), http.MethodPost, "http://"+p.server.api+"/api/plugins", bytes.NewReader(wasm))
	if err != nil {
		p.b.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+p.token)
	resp, err := p.client.Do(req)
	if err != nil {
		p.b.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	if body, err := io.ReadAll(resp.Body); err != nil || resp.StatusCode != http.StatusCreated {
		p.b.Fatalf("the upload answers %d %.300s, %v", resp.StatusCode, body, err)
	}
}

// sorted are the times of all calls.
func (l *subscriberLoad) sorted() []time.Duration {
	all := slices.Concat(l.took[:]...)
	slices.Sort(all)
	return all
}

func (l *subscriberLoad) p99() time.Duration {
	all := l.sorted()
	return all[len(all)*99/100]
}

func (l *subscriberLoad) longest() time.Duration {
	all := l.sorted()
	return all[len(all)-1]
}
