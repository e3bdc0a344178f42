package storage

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"

	"github.com/sluicehq/sluice/kernel/domain"
)

const externalLinks = "SELECT id, user_id, position, kind, value, remark, name_prefix, enabled, expire_at, created_at " +
	"FROM external_links WHERE user_id " + isListed + " ORDER BY user_id, position"

// ExternalLinks returns the external links of users (at most 5,000), by user id and then by position.
func (r *Reader) ExternalLinks(ctx context.Context, userIDs ...int64) ([]domain.ExternalLink, error) {
	all := []domain.ExternalLink{}
	var l domain.ExternalLink
	err := r.scan(ctx, []any{
		&l.ID, &l.UserID, &l.Position, &l.Kind, &l.Value, &l.Remark, &l.NamePrefix, &l.Enabled, &l.ExpireAt, &l.CreatedAt,
	}, func() { all = append(all, l) }, externalLinks, r.engine.list(userIDs))
	return all, fail(ctx, r.engine, "read external links", err)
}

// SetExternalLinks makes links the external links of a user, in this order, and gives the user a new revision as
// ReplaceInbounds does. It fills UserID and Position, and ID and CreatedAt where they are 0; another ID must be one that
// the user's links have now. An unknown user is not_found.
func (tx *Tx) SetExternalLinks(ctx context.Context, userID int64, links []domain.ExternalLink) error {
	if err := tx.revise(ctx, []int64{userID}); err != nil {
		return err
	}
	_, err := tx.raw.exec(ctx, "DELETE FROM external_links WHERE user_id = $1", userID)
	if err != nil {
		return tx.fail(ctx, "remove external links", err)
	}
	for i := range links {
		l := &links[i]
		l.UserID, l.Position, l.CreatedAt = userID, i, cmp.Or(l.CreatedAt, tx.now)
		if _, err := tx.tx.NewInsert().Model(l).Exec(ctx); err != nil {
			return tx.fail(ctx, "insert external link", err)
		}
	}
	return nil
}

// urlKey is the primary key of what a URL held.
func urlKey(url string) string {
	sum := sha256.Sum256([]byte(url))
	return hex.EncodeToString(sum[:])
}

// ExternalContents returns what the subscriptions at these URLs (at most 5,000) held last, in the order of the URLs as
// texts. Those that were never fetched are left out.
func (r *Reader) ExternalContents(ctx context.Context, urls []string) ([]domain.ExternalContent, error) {
	all := []domain.ExternalContent{}
	keys := make([]string, len(urls))
	for i, url := range urls {
		keys[i] = urlKey(url)
	}
	var c domain.ExternalContent
	var links string
	keep := func() {
		c.Links = strings.FieldsFunc(links, func(r rune) bool { return r == '\n' })
		all = append(all, c)
	}
	err := r.scan(ctx, []any{&c.URL, &links, &c.FetchedAt, &c.TriedAt, &c.Error}, keep,
		"SELECT url, links, fetched_at, tried_at, error FROM external_contents WHERE url_key "+isListed, r.engine.list(keys))
	slices.SortFunc(all, func(a, b domain.ExternalContent) int { return cmp.Compare(a.URL, b.URL) })
	return all, fail(ctx, r.engine, "read external contents", err)
}

// newer says that what was fetched is not older than what is stored. Two processes that fetch at once are seconds apart; what
// is stored from more than a minute later is of a clock that was wrong.
const newer = "(EXCLUDED.fetched_at >= c.fetched_at OR c.fetched_at > EXCLUDED.fetched_at + 60000)"

// saveContent keeps the links of the last fetch that succeeded.
const saveContent = `INSERT INTO external_contents AS c (url_key, url, links, fetched_at, tried_at, error)
	VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (url_key) DO UPDATE SET
	links = CASE WHEN EXCLUDED.error = '' AND ` + newer + ` THEN EXCLUDED.links ELSE c.links END,
	fetched_at = CASE WHEN EXCLUDED.error = '' AND ` + newer + ` THEN EXCLUDED.fetched_at ELSE c.fetched_at END,
	tried_at = EXCLUDED.tried_at, error = EXCLUDED.error`

// SaveExternalContent stores how a fetch of a provider's subscription ended. If it failed, or is older than the one
// stored, Links and FetchedAt stay as they are stored. A link must not have a line break. It is no change.
func (db *DB) SaveExternalContent(ctx context.Context, c domain.ExternalContent) error {
	return db.transact(ctx, "save external content", true, func(tx *Tx) error {
		_, err := tx.raw.exec(ctx, saveContent,
			urlKey(c.URL), c.URL, strings.Join(c.Links, "\n"), c.FetchedAt, c.TriedAt, c.Error)
		return err
	})
}
