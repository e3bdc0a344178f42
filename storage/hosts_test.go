package storage_test

import (
	"context"
	"reflect"
	"testing"

	"github.com/sluicehq/sluice/kernel/domain"
	"github.com/sluicehq/sluice/storage"
)

// fullHost has another value in every field.
func fullHost(inbound int64) domain.Host {
	return domain.Host{
		InboundID: inbound, Remark: "{USERNAME}'s ?", Priority: 9, Addresses: []string{"a.example", `"'?\`}, Port: 8443,
		SNI: []string{"sni"}, HostNames: []string{"h1", "h2"}, Path: "/path", Security: "tls", ALPN: []string{"h2"},
		Fingerprint: "chrome", AllowInsecure: true, SNIAsHost: true, Disabled: true,
		Statuses: []domain.Status{domain.StatusActive, domain.StatusLimited}, Extra: `{"a":"?"}`, CreatedAt: 4, UpdatedAt: 5,
	}
}

func TestFullHostIsFull(t *testing.T) {
	h := fullHost(1)
	h.ID, h.Revision = 1, 1 // what storage fills
	v := reflect.ValueOf(h)
	for i := range v.NumField() {
		if v.Field(i).IsZero() {
			t.Errorf("%s is zero: the suite would not miss its column", v.Type().Field(i).Name)
		}
	}
}

func TestHosts(t *testing.T) {
	each(t, func(t *testing.T, db *storage.DB) {
		ctx := context.Background()
		equal(t, "none", must(db.Hosts(ctx))(t), []domain.Host{})
		a, b := addInbound(t, db, "a").ID, addInbound(t, db, "b").ID
		full := fullHost(a)
		plain, third := domain.Host{InboundID: a, Priority: 1}, domain.Host{InboundID: b, Priority: 1}
		last := must(db.LastChange(ctx))(t)
		for _, h := range []*domain.Host{&full, &plain, &third} {
			write(t, db, func(tx *storage.Tx) error { return tx.InsertHost(ctx, h) })
		}
		equal(t, "filled", plain, domain.Host{
			ID: full.ID + 1, InboundID: a, Priority: 1, Revision: full.Revision + 1, CreatedAt: noon, UpdatedAt: noon,
		})
		equal(t, "by priority", must(db.Hosts(ctx))(t), []domain.Host{plain, third, full})
		equal(t, "by id", must(db.Host(ctx, full.ID))(t), full)

		changed := domain.Host{ID: full.ID, InboundID: b, CreatedAt: 9, SNI: []string{}}
		write(t, db, func(tx *storage.Tx) error { return tx.UpdateHost(ctx, &changed) })
		equal(t, "cleared", must(db.Host(ctx, full.ID))(t), domain.Host{
			ID: full.ID, InboundID: b, SNI: []string{}, Revision: last + 4, CreatedAt: 4, UpdatedAt: noon,
		})
		equal(t, "filled by the update", []int64{changed.Revision, changed.UpdatedAt}, []int64{last + 4, noon})
		write(t, db, func(tx *storage.Tx) error { return tx.DeleteHost(ctx, full.ID) })
		equal(t, "changes", must(db.Changes(ctx, last+2, 9))(t), []domain.Change{
			{Seq: last + 3, Kind: domain.KindHost, ID: third.ID, At: noon},
			{Seq: last + 4, Kind: domain.KindHost, ID: full.ID, At: noon},
			{Seq: last + 5, Kind: domain.KindHost, ID: full.ID, At: noon},
		})
		write(t, db, func(tx *storage.Tx) error { _, err := tx.DeleteInbound(ctx, a); return err })
		equal(t, "without those of a deleted inbound", must(db.Hosts(ctx))(t), []domain.Host{third})
	})
}

func TestHostErrors(t *testing.T) {
	each(t, func(t *testing.T, db *storage.DB) {
		ctx := context.Background()
		h := domain.Host{InboundID: addInbound(t, db, "a").ID}
		write(t, db, func(tx *storage.Tx) error { return tx.InsertHost(ctx, &h) })
		none, inbound := domain.NotFound("host not found"), domain.NotFound("inbound not found")
		for _, test := range []struct {
			name string
			want *domain.Error
			do   func(tx *storage.Tx) error
		}{
			{"insert", inbound, func(tx *storage.Tx) error { return tx.InsertHost(ctx, &domain.Host{InboundID: 9}) }},
			{"move", inbound, func(tx *storage.Tx) error { return tx.UpdateHost(ctx, &domain.Host{ID: h.ID, InboundID: 9}) }},
			{"update", none, func(tx *storage.Tx) error { return tx.UpdateHost(ctx, &domain.Host{ID: 9, InboundID: 1}) }},
			{"delete", none, func(tx *storage.Tx) error { return tx.DeleteHost(ctx, 9) }},
			{"by id", none, func(tx *storage.Tx) error { _, err := tx.Host(ctx, 9); return err }},
		} {
			t.Run(test.name, func(t *testing.T) { fails(t, db.Write(ctx, test.do), test.want) })
		}
		equal(t, "all", must(db.Hosts(ctx))(t), []domain.Host{h})
	})
}
