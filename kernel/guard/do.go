package guard

import "net/http"

// Do makes one exchange with what req names, and follows no redirect: the reply is the redirect. The request's context
// bounds it, and so do 30 s; what is sent is the caller's matter, User-Agent too. The caller closes the reply's body, whose
// size nobody has looked at. Every error is a domain.Error whose sentence names the host and nothing else of the URL.
func (c *Client) Do(req *http.Request) (*http.Response, error) {
	if !isHTTP(req.URL) {
		return nil, errURL
	}
	once := c.http
	once.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	resp, err := once.Do(req)
	if err != nil {
		return nil, explain(req.Context(), req.URL.Hostname(), err)
	}
	return resp, nil
}
