package storage_test

import (
	"context"
	"strings"
	"testing"

	"github.com/sluicehq/sluice/kernel/domain"
	"github.com/sluicehq/sluice/storage"
)

func TestExternalLinks(t *testing.T) {
	each(t, func(t *testing.T, db *storage.DB) {
		ctx := context.Background()
		users := addUsers(t, db, addAdmin(t, db, "root").ID, 3)
		last := must(db.LastChange(ctx))(t)
		first := []domain.ExternalLink{
			{Kind: domain.ExternalSubscription, Value: "https://provider.example/?a='b'", NamePrefix: "p ", ExpireAt: ptr(int64(5))},
			{Kind: domain.ExternalShareLink, Value: "vless://a", Remark: "r", Enabled: true, CreatedAt: 6},
		}
		third := []domain.ExternalLink{{Kind: domain.ExternalShareLink, Value: "ss://b"}}
		write(t, db, func(tx *storage.Tx) error {
			if err := tx.SetExternalLinks(ctx, users[2].ID, third); err != nil {
				return err
			}
			return tx.SetExternalLinks(ctx, users[0].ID, first)
		})
		equal(t, "created", []int64{first[0].CreatedAt, first[1].CreatedAt}, []int64{noon, 6})
		equal(t, "positions", []int{first[0].Position, first[1].Position}, []int{0, 1})
		equal(t, "of all", must(db.ExternalLinks(ctx, 3, 2, 1, 99))(t), append(first[:2:2], third...))
		equal(t, "of nobody", must(db.ExternalLinks(ctx))(t), []domain.ExternalLink{})
		equal(t, "revision", must(db.UserByID(ctx, users[0].ID))(t).Revision, last+2)
		equal(t, "the other's revision", must(db.UserByID(ctx, users[1].ID))(t).Revision, users[1].Revision)

		// What stays keeps its id, in another place too.
		changed := []domain.ExternalLink{{Kind: domain.ExternalShareLink, Value: "new"}, first[0]}
		write(t, db, func(tx *storage.Tx) error { return tx.SetExternalLinks(ctx, users[0].ID, changed) })
		equal(t, "id", changed[1].ID, first[0].ID)
		equal(t, "new id", changed[0].ID > third[0].ID, true)
		equal(t, "changed", must(db.ExternalLinks(ctx, users[0].ID))(t), changed)

		write(t, db, func(tx *storage.Tx) error { return tx.SetExternalLinks(ctx, users[0].ID, nil) })
		equal(t, "cleared", must(db.ExternalLinks(ctx, users[0].ID))(t), []domain.ExternalLink{})
		write(t, db, func(tx *storage.Tx) error { return tx.DeleteUser(ctx, users[2].ID) })
		equal(t, "rows", must(db.Count(ctx, "SELECT count(*) FROM external_links"))(t), int64(0))
		err := db.Write(ctx, func(tx *storage.Tx) error { return tx.SetExternalLinks(ctx, 99, third) })
		fails(t, err, domain.NotFound("client not found"))
	})
}

func TestExternalContents(t *testing.T) {
	const long = "https://provider.example/"
	url := long + strings.Repeat("%C3%A9?x='", 800) // longer than an index takes
	each(t, func(t *testing.T, db *storage.DB) {
		ctx := context.Background()
		equal(t, "none", must(db.ExternalContents(ctx, []string{url}))(t), []domain.ExternalContent{})
		for _, test := range []struct {
			name       string
			save, want domain.ExternalContent
		}{
			{
				"first fetch failed",
				domain.ExternalContent{TriedAt: 5, Error: "timeout"},
				domain.ExternalContent{Links: []string{}, TriedAt: 5, Error: "timeout"},
			},
			{
				"fetched",
				domain.ExternalContent{Links: []string{"a", "it's b"}, FetchedAt: 7, TriedAt: 7},
				domain.ExternalContent{Links: []string{"a", "it's b"}, FetchedAt: 7, TriedAt: 7},
			},
			{
				"failed since",
				domain.ExternalContent{Links: []string{"x"}, TriedAt: 8, Error: "404"},
				domain.ExternalContent{Links: []string{"a", "it's b"}, FetchedAt: 7, TriedAt: 8, Error: "404"},
			},
			{
				"older than the stored one",
				domain.ExternalContent{Links: []string{"x"}, FetchedAt: 6, TriedAt: 9},
				domain.ExternalContent{Links: []string{"a", "it's b"}, FetchedAt: 7, TriedAt: 9},
			},
			{
				"empty now",
				domain.ExternalContent{FetchedAt: 10, TriedAt: 10},
				domain.ExternalContent{Links: []string{}, FetchedAt: 10, TriedAt: 10},
			},
			{
				"by a clock that was ahead",
				domain.ExternalContent{Links: []string{"late"}, FetchedAt: 90_000, TriedAt: 90_000},
				domain.ExternalContent{Links: []string{"late"}, FetchedAt: 90_000, TriedAt: 90_000},
			},
			{
				"by the same clock, put right",
				domain.ExternalContent{Links: []string{"new"}, FetchedAt: 20, TriedAt: 20},
				domain.ExternalContent{Links: []string{"new"}, FetchedAt: 20, TriedAt: 20},
			},
		} {
			test.save.URL, test.want.URL = url, url
			if err := db.SaveExternalContent(ctx, test.save); err != nil {
				t.Fatal(err)
			}
			equal(t, test.name, must(db.ExternalContents(ctx, []string{url, "https://other.example"}))(t), []domain.ExternalContent{test.want})
		}
		other := domain.ExternalContent{URL: long, Links: []string{"b"}, FetchedAt: 1, TriedAt: 1}
		if err := db.SaveExternalContent(ctx, other); err != nil {
			t.Fatal(err)
		}
		all := must(db.ExternalContents(ctx, []string{url, long, url}))(t)
		equal(t, "in the order of texts", []string{all[0].URL, all[1].URL}, []string{long, url})
		equal(t, "both", len(all), 2)
		equal(t, "of none", must(db.ExternalContents(ctx, nil))(t), []domain.ExternalContent{})
		equal(t, "changes", must(db.LastChange(ctx))(t), int64(0))
	})
}
