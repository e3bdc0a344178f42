package storage_test

import (
	"context"
	"testing"

	"github.com/sluicehq/sluice/kernel/domain"
	"github.com/sluicehq/sluice/storage"
)

func TestSettings(t *testing.T) {
	each(t, func(t *testing.T, db *storage.DB) {
		ctx := context.Background()
		equal(t, "default", must(db.Settings(ctx))(t), domain.Settings{})
		for _, s := range []domain.Settings{
			{PublicHosts: []string{"a.example", "b.example"}, PublicURL: "https://a.example/?x='1'"},
			{
				PublicHosts: []string{"c.example"},
				TimeZone:    "Europe/Berlin", FlushSeconds: 1, IPGraceSeconds: 2, AutoDeleteLimited: true,
				ExpireDiffDays: 7, TrafficDiffGB: 8,
				ProfileTitle: "{USERNAME} ✅", SupportURL: "tg://resolve?domain=a", UpdateHours: 3, Announcement: "it's ⌛",
				StatusEntry: true, AgentRules: []domain.AgentRule{{Agent: `/^a\d'"/`, Format: "clash"}, {Agent: "b", Format: "links"}},
			},
			{AgentRules: []domain.AgentRule{}}, // none at all is not the same as those that come with Sluice
			{},
		} {
			write(t, db, func(tx *storage.Tx) error { return tx.SaveSettings(ctx, s) })
			equal(t, "saved", must(db.Settings(ctx))(t), s)
		}
		equal(t, "changes", must(db.Changes(ctx, 0, 2))(t), []domain.Change{
			{Seq: 1, Kind: domain.KindSetting, At: noon}, {Seq: 2, Kind: domain.KindSetting, At: noon},
		})
	})
}
