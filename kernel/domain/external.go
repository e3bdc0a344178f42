package domain

// ExternalKind says what an external link's value is.
type ExternalKind string

// The kinds of external links.
const (
	ExternalShareLink    ExternalKind = "link"         // one share link, handed on as it is
	ExternalSubscription ExternalKind = "subscription" // the URL of a provider's subscription
)

// ExternalLink is what a user gets in its subscription besides the inbounds.
type ExternalLink struct {
	ID         int64        `bun:"id,pk,autoincrement"`
	UserID     int64        `bun:"user_id"`
	Position   int          `bun:"position"` // its place among the user's, from 0
	Kind       ExternalKind `bun:"kind"`
	Value      string       `bun:"value"`       // a share link, or an http(s) URL
	Remark     string       `bun:"remark"`      // the name that an app shows for a share link, "" = the link's own
	NamePrefix string       `bun:"name_prefix"` // put before the names of a subscription's links
	Enabled    bool         `bun:"enabled"`
	ExpireAt   *int64       `bun:"expire_at"`  // ms UTC from which on it is left out, nil = never
	CreatedAt  int64        `bun:"created_at"` // ms UTC
}

// ServesAt says whether the link is handed out at now (ms UTC).
func (l *ExternalLink) ServesAt(now int64) bool {
	return l.Enabled && (l.ExpireAt == nil || *l.ExpireAt > now)
}

// ExternalContent is what a provider's subscription held when it was fetched last.
type ExternalContent struct {
	URL       string   `bun:"url,pk"`
	Links     []string `bun:"links"`      // share links; those of the last fetch that succeeded
	FetchedAt int64    `bun:"fetched_at"` // ms UTC of the last fetch that succeeded, 0 = none did
	TriedAt   int64    `bun:"tried_at"`   // ms UTC of the last fetch
	Error     string   `bun:"error"`      // why the last fetch failed, "" = it did not
}
