package plugin

import (
	"bytes"
	"cmp"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/net/http/httpguts"

	"github.com/sluicehq/sluice/kernel/domain"
	"github.com/sluicehq/sluice/sdk/wire"
)

// Doer makes one HTTP exchange, without following redirects: the next host has to be looked at before. Its errors are
// sentences that name the host and nothing else of the URL.
type Doer interface {
	Do(*http.Request) (*http.Response, error)
}

// maxRedirects is how many redirects one call follows.
const maxRedirects = 3

// userAgent is sent by calls that do not name their own.
const userAgent = "Sluice"

var httpMethods = []string{
	http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete,
}

// reservedHeaders are those that belong to the connection, and to the host. So do all that begin with webhook-.
var reservedHeaders = []string{
	"connection", "content-length", "host", "keep-alive", "proxy-authenticate", "proxy-authorization", "proxy-connection",
	"te", "trailer", "transfer-encoding", "upgrade",
}

var httpFunction = hostFunction{
	name:   wire.ImportHTTP,
	budget: func(s *spending, l *Limits) (*budget, Budget) { return &s.http, l.HTTP },
	refuse: func(e wire.Error) message { return &wire.HTTPReply{Error: e} },
	work: func(in *instance, request []byte, patience time.Duration) message {
		reply, err := in.http(request, patience)
		if err != nil {
			return &wire.HTTPReply{Error: in.hostError("sluice.http", err)}
		}
		return reply
	},
}

// http makes the request of a guest.
func (in *instance) http(request []byte, patience time.Duration) (*wire.HTTPReply, error) {
	var wanted wire.HTTPRequest
	if err := in.decodeRequest(request, &wanted); err != nil {
		return nil, domain.Invalid("", err.Error())
	}
	if wanted.Timeout > 0 && wanted.Timeout < patience.Milliseconds() {
		patience = time.Duration(wanted.Timeout) * time.Millisecond
	}
	ctx, cancel := context.WithTimeout(in.spending.ctx, patience)
	defer cancel()
	req, err := in.httpRequest(ctx, &wanted)
	if err != nil {
		return nil, err
	}
	p := in.plugin
	if p.host.o.HTTP == nil {
		return nil, domain.Unavailable("there is no HTTP here")
	}
	client := http.Client{Transport: roundTripper{p.host.o.HTTP}, CheckRedirect: p.granted.checkRedirect}
	resp, err := client.Do(req)
	if err != nil {
		return nil, httpFailure(req.URL.Hostname(), err)
	}
	defer func() { _ = resp.Body.Close() }() // it was read as far as it matters
	reply := &wire.HTTPReply{Status: uint32(resp.StatusCode), Headers: headerPairs(resp.Header)}
	room := p.host.limits.Request - len(reply.Append(nil)) - 16 // which begin the body
	if p.json {
		room = room / 4 * 3
	}
	if reply.Body, err = io.ReadAll(io.LimitReader(resp.Body, int64(max(room, 0)))); err != nil {
		return nil, httpFailure(resp.Request.URL.Hostname(), err)
	}
	return reply, nil
}

// httpRequest checks what a guest wants to send and signs it.
func (in *instance) httpRequest(ctx context.Context, wanted *wire.HTTPRequest) (*http.Request, error) {
	method := cmp.Or(wanted.Method, http.MethodGet)
	if !slices.Contains(httpMethods, method) {
		return nil, domain.Invalid("method", "must be one of "+strings.Join(httpMethods, ", "))
	}
	u, err := url.Parse(wanted.URL)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || u.User != nil {
		return nil, domain.Invalid("url", "must be an absolute http or https URL without a user")
	}
	granted := &in.plugin.granted
	if !granted.http {
		return nil, domain.Invalid("", "the permission http was not granted")
	}
	if !granted.reaches(u) {
		return nil, domain.Invalid("url", notGranted(u))
	}
	req, err := http.NewRequestWithContext(ctx, method, u.String(), bytes.NewReader(wanted.Body))
	if err != nil {
		return nil, domain.Invalid("url", "can not be used").Because(err)
	}
	req.Header.Set("User-Agent", userAgent)
	seen := map[string]bool{}
	for _, h := range wanted.Headers {
		name := strings.ToLower(h.Name)
		if slices.Contains(reservedHeaders, name) || strings.HasPrefix(name, "webhook-") {
			return nil, domain.Invalid("headers", "can not have "+plain(name, 100)+", which is the host's")
		}
		if !httpguts.ValidHeaderFieldName(h.Name) || !httpguts.ValidHeaderFieldValue(h.Value) {
			return nil, domain.Invalid("headers", fmt.Sprintf("can not have %q: it is not a header of HTTP", plain(h.Name, 100)))
		}
		if !seen[name] {
			req.Header.Del(h.Name)
		}
		seen[name] = true
		req.Header.Add(h.Name, h.Value)
	}
	in.sign(req, wanted.Body)
	return req, nil
}

// sign adds the headers of Standard Webhooks. The id is the same when the event comes again and another for each request
// of one event; it follows from where the request goes, so that one that is left out the second time moves no other.
func (in *instance) sign(req *http.Request, body []byte) {
	s := in.spending
	target := req.Method + " " + req.URL.String()
	if s.sent == nil {
		s.sent = map[string]int{}
	}
	s.sent[target]++
	sum := sha256.Sum256([]byte(target))
	id := fmt.Sprintf("evt_%d_%s", s.event, hex.EncodeToString(sum[:4]))
	if n := s.sent[target]; n > 1 {
		id += "_" + strconv.Itoa(n)
	}
	at := strconv.FormatInt(in.plugin.host.clock.Now().Unix(), 10)
	req.Header.Set("webhook-id", id)
	req.Header.Set("webhook-timestamp", at)
	if in.plugin.secret == nil {
		return
	}
	mac := hmac.New(sha256.New, in.plugin.secret)
	mac.Write([]byte(id + "." + at + "."))
	mac.Write(body)
	req.Header.Set("webhook-signature", "v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil)))
}

// roundTripper makes a Doer what http.Client takes.
type roundTripper struct{ Doer }

// RoundTrip makes one exchange.
func (r roundTripper) RoundTrip(req *http.Request) (*http.Response, error) { return r.Do(req) }

// checkRedirect follows a few redirects to granted hosts.
func (g *grants) checkRedirect(next *http.Request, before []*http.Request) error {
	from := before[len(before)-1].URL.Hostname()
	switch {
	case len(before) > maxRedirects:
		return domain.Unavailable(fmt.Sprintf("%s redirects more than %d times", before[0].URL.Hostname(), maxRedirects))
	case next.URL.Scheme != "http" && next.URL.Scheme != "https" || next.URL.User != nil:
		return domain.Unavailable(from + " redirects to what is not an http or https URL")
	case !g.reaches(next.URL):
		return domain.Unavailable(from + " redirects to another host: the URL " + notGranted(next.URL))
	}
	next.Header.Del("Referer") // the URL before may be a secret
	return nil
}

// notGranted goes on after "url".
func notGranted(u *url.URL) string {
	return "leads to " + plain(u.Host, 200) + ", which was not granted"
}

// httpFailure takes away what http.Client puts around an error: the URL, which may be a secret.
func httpFailure(host string, err error) error {
	var said *domain.Error
	var late interface{ Timeout() bool }
	switch {
	case errors.As(err, &said):
		return said
	case errors.Is(err, context.Canceled), errors.As(err, &late) && late.Timeout():
		return domain.Unavailable(host + " did not answer in time")
	}
	return domain.Unavailable(host + " can not be reached")
}

// headerPairs lists the first wire.MaxHeaders headers of a reply, sorted, names in lower case.
func headerPairs(h http.Header) (pairs []wire.Pair) {
	for name, values := range h {
		for _, v := range values {
			pairs = append(pairs, wire.Pair{Name: strings.ToLower(name), Value: v})
		}
	}
	slices.SortStableFunc(pairs, func(a, b wire.Pair) int { return strings.Compare(a.Name, b.Name) })
	return pairs[:min(len(pairs), wire.MaxHeaders)]
}
