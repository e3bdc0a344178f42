package storage_test

import (
	"context"
	"testing"

	"github.com/sluicehq/sluice/kernel/domain"
	"github.com/sluicehq/sluice/storage"
)

func TestPluginPolicies(t *testing.T) {
	each(t, func(t *testing.T, db *storage.DB) {
		ctx := context.Background()
		equal(t, "none", must(db.PluginPolicies(ctx))(t), []domain.PluginPolicy{})
		hook := domain.PluginPolicy{
			Name: "hook", Disabled: true, Settings: `{"a":"it's ?"}`, Replaces: true,
			Grants: []domain.PluginGrant{{Name: "kv"}, {Name: "http", Hosts: []string{"a.example", "*.b.example"}}},
			Trust:  domain.TrustHash, Trusted: "00ff", Secret: "whsec_x",
		}
		short := domain.PluginPolicy{Name: "a"}
		for _, p := range []*domain.PluginPolicy{&hook, &short} {
			write(t, db, func(tx *storage.Tx) error { return tx.SavePluginPolicy(ctx, p) })
		}
		equal(t, "revisions", []int64{hook.Revision, short.Revision}, []int64{1, 2})
		equal(t, "all", must(db.PluginPolicies(ctx))(t), []domain.PluginPolicy{short, hook})
		equal(t, "one", must(db.PluginPolicy(ctx, "hook"))(t), hook)

		hook = domain.PluginPolicy{Name: "hook", Trust: domain.TrustSigner}
		write(t, db, func(tx *storage.Tx) error { return tx.SavePluginPolicy(ctx, &hook) })
		equal(t, "replaced", must(db.PluginPolicy(ctx, "hook"))(t), hook)
		equal(t, "revision", hook.Revision, int64(3))
		write(t, db, func(tx *storage.Tx) error { return tx.DeletePluginPolicy(ctx, "hook") })
		equal(t, "left", must(db.PluginPolicies(ctx))(t), []domain.PluginPolicy{short})
		equal(t, "changes", must(db.Changes(ctx, 2, 9))(t), []domain.Change{
			{Seq: 3, Kind: domain.KindPlugin, At: noon}, {Seq: 4, Kind: domain.KindPlugin, At: noon},
		})
	})
}

func TestUnknownPluginPolicies(t *testing.T) {
	each(t, func(t *testing.T, db *storage.DB) {
		ctx := context.Background()
		for _, name := range []string{"none", "", "\x00"} {
			_, err := db.PluginPolicy(ctx, name)
			fails(t, err, domain.NotFound("plugin not found"))
			err = db.Write(ctx, func(tx *storage.Tx) error { return tx.DeletePluginPolicy(ctx, name) })
			fails(t, err, domain.NotFound("plugin not found"))
		}
		err := db.Write(ctx, func(tx *storage.Tx) error {
			return tx.SavePluginPolicy(ctx, &domain.PluginPolicy{Name: "p", Settings: "\x00"})
		})
		fails(t, err, domain.Invalid("", "a text contains characters that can not be stored"))
		equal(t, "changes", must(db.LastChange(ctx))(t), int64(0))
	})
}
