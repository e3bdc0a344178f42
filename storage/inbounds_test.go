package storage_test

import (
	"context"
	"testing"

	"github.com/sluicehq/sluice/kernel/domain"
	"github.com/sluicehq/sluice/storage"
)

func TestInboundKeepsEveryField(t *testing.T) {
	each(t, func(t *testing.T, db *storage.DB) {
		ctx := context.Background()
		equal(t, "none", must(db.Inbounds(ctx))(t), []domain.Inbound{})
		equal(t, "no ids", must(db.InboundIDs(ctx))(t), []int64{})
		in := domain.Inbound{
			Tag: "in-1", Remark: "r'e", Protocol: domain.Trojan, Listen: "::1", Port: 8443, Enabled: true, Anonymous: true,
			ShareAddress: "example.com", Settings: `{"a":"?"}`, StreamSettings: `{"b":1}`, Sniffing: `{"c":1}`,
			Quota: ptr(int64(1)), ExpireAt: ptr(int64(2)), Up: 3, Down: 4,
			CreatedAt: 5, UpdatedAt: 6,
		}
		write(t, db, func(tx *storage.Tx) error { return tx.InsertInbound(ctx, &in) })
		equal(t, "stored", must(db.Inbound(ctx, in.ID))(t), in)
		equal(t, "revision", in.Revision, int64(1))

		second := addInbound(t, db, "in-2")
		equal(t, "created", second.CreatedAt, noon)
		equal(t, "all", must(db.Inbounds(ctx))(t), []domain.Inbound{in, second})
		equal(t, "ids", must(db.InboundIDs(ctx))(t), []int64{in.ID, second.ID})

		changed := second
		changed.Port, changed.Enabled, changed.CreatedAt = 1, false, 1
		write(t, db, func(tx *storage.Tx) error { return tx.UpdateInbound(ctx, &changed) })
		equal(t, "revision of the update", changed.Revision, int64(3))
		changed.CreatedAt = second.CreatedAt
		equal(t, "changed", must(db.Inbound(ctx, second.ID))(t), changed)
	})
}

func TestInboundErrors(t *testing.T) {
	each(t, func(t *testing.T, db *storage.DB) {
		ctx := context.Background()
		first, second := addInbound(t, db, "first"), addInbound(t, db, "second")
		missing, taken := domain.NotFound("inbound not found"), domain.Conflict("tag", "is already in use")
		for _, test := range []struct {
			name string
			want *domain.Error
			do   func(tx *storage.Tx) error
		}{
			{"insert a tag in use", taken, func(tx *storage.Tx) error {
				return tx.InsertInbound(ctx, &domain.Inbound{Tag: "first"})
			}},
			{"update to a tag in use", taken, func(tx *storage.Tx) error {
				return tx.UpdateInbound(ctx, &domain.Inbound{ID: second.ID, Tag: first.Tag})
			}},
			{"update", missing, func(tx *storage.Tx) error { return tx.UpdateInbound(ctx, &domain.Inbound{ID: 9}) }},
			{"reset", missing, func(tx *storage.Tx) error { return tx.ResetInbound(ctx, 9) }},
			{"delete", missing, func(tx *storage.Tx) error { _, err := tx.DeleteInbound(ctx, 9); return err }},
			{"read", missing, func(tx *storage.Tx) error { _, err := tx.Inbound(ctx, 9); return err }},
		} {
			t.Run(test.name, func(t *testing.T) { fails(t, db.Write(ctx, test.do), test.want) })
		}
		equal(t, "all", must(db.Inbounds(ctx))(t), []domain.Inbound{first, second})
	})
}

func TestDeleteInboundDetachesUsers(t *testing.T) {
	each(t, func(t *testing.T, db *storage.DB) {
		ctx := context.Background()
		admin := addAdmin(t, db, "root")
		gone, stays := addInbound(t, db, "gone").ID, addInbound(t, db, "stays").ID
		both := addUser(t, db, admin.ID, "both", gone, stays).ID
		addUser(t, db, admin.ID, "other", stays)
		one := addUser(t, db, admin.ID, "one", gone).ID

		var attached []int64
		write(t, db, func(tx *storage.Tx) (err error) {
			attached, err = tx.DeleteInbound(ctx, gone)
			return err
		})
		equal(t, "attached", attached, []int64{both, one})
		equal(t, "inbounds of both", must(db.UserInbounds(ctx, both))(t), []int64{stays})
		equal(t, "inbounds of one", must(db.UserInbounds(ctx, one))(t), []int64{})
		equal(t, "next id", addInbound(t, db, "gone").ID, stays+1)
	})
}

// Bytes come in while an operator edits: an edit must not take the counters back to what it read.
func TestInboundCounters(t *testing.T) {
	each(t, func(t *testing.T, db *storage.DB) {
		ctx := context.Background()
		a, b := addInbound(t, db, "a"), addInbound(t, db, "b")
		c := domain.Chunk{Node: "n", Seq: 1, Inbounds: []domain.InboundDelta{
			{InboundID: b.ID, Up: 1, Down: 2}, {InboundID: 99, Up: 1}, {InboundID: a.ID, Up: 10, Down: 20},
		}}
		flush(t, db, c)
		flush(t, db, c)
		c.Seq = 2
		flush(t, db, c)
		write(t, db, func(tx *storage.Tx) error { return tx.UpdateInbound(ctx, &a) })
		counted := func(in domain.Inbound) []int64 { return []int64{in.Up, in.Down, in.Revision} }
		equal(t, "a", counted(must(db.Inbound(ctx, a.ID))(t)), []int64{20, 40, 3})
		equal(t, "b", counted(must(db.Inbound(ctx, b.ID))(t)), []int64{2, 4, 2})

		write(t, db, func(tx *storage.Tx) error {
			if err := tx.ResetInbound(ctx, a.ID); err != nil {
				return err
			}
			return tx.AddTraffic(ctx, domain.Chunk{Node: "n", Seq: 3, Inbounds: []domain.InboundDelta{{InboundID: a.ID, Up: 5}}})
		})
		equal(t, "a after its reset", counted(must(db.Inbound(ctx, a.ID))(t)), []int64{5, 0, 4})
		equal(t, "b after a's reset", counted(must(db.Inbound(ctx, b.ID))(t)), []int64{2, 4, 2})
	})
}
