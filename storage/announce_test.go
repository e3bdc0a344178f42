package storage_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/sluicehq/sluice/kernel/domain"
	"github.com/sluicehq/sluice/storage"
	"github.com/sluicehq/sluice/storage/storagetest"
)

// told returns what waits in the outbox as texts "subject type", in its order, and empties it.
func told(t testing.TB, db *storage.DB) []string {
	t.Helper()
	texts, ids := []string{}, []int64{}
	for _, d := range must(db.Deliveries(context.Background(), domain.DeliveryQuery{State: domain.DeliveryWaiting, Limit: 5000}))(t) {
		texts, ids = append(texts, d.Subject+" "+d.Type), append(ids, d.ID)
	}
	if len(ids) > 0 {
		must(db.DropDeliveries(context.Background(), ids))(t)
	}
	return texts
}

// payloadOf returns the payload of the only delivery that waits.
func payloadOf(t testing.TB, db *storage.DB) (payload struct {
	User  domain.UserFacts  `json:"user"`
	Reset domain.ResetFacts `json:"reset"`
},
) {
	t.Helper()
	all := must(db.Deliveries(context.Background(), domain.DeliveryQuery{State: domain.DeliveryWaiting, Limit: 2}))(t)
	if len(all) != 1 {
		t.Fatalf("%d deliveries", len(all))
	}
	if err := json.Unmarshal([]byte(all[0].Payload), &payload); err != nil {
		t.Fatal(err)
	}
	return payload
}

// Every write of a user is told by the transaction itself, whoever makes it: one step after the other.
func TestWritesOfUsersAreTold(t *testing.T) {
	each(t, func(t *testing.T, db *storage.DB) {
		ctx := context.Background()
		root, heir := addAdmin(t, db, "root").ID, addAdmin(t, db, "heir").ID
		in, group, plan := addInbound(t, db, "in").ID, addGroup(t, db, "g").ID, addTemplate(t, db, "t").ID
		handle(t, db, "p/h", "*")
		var u domain.User
		for _, step := range []struct {
			name string
			do   func(tx *storage.Tx) error
			want []string
		}{
			{"create", func(tx *storage.Tx) error { u = newUser(root, "u"); return tx.InsertUser(ctx, &u, nil) }, []string{"user.created"}},
			{"write what is there", func(tx *storage.Tx) error { return tx.UpdateUser(ctx, &u) }, []string{}},
			{"disable", func(tx *storage.Tx) error { u.Enabled = false; return tx.UpdateUser(ctx, &u) }, []string{"user.disabled"}},
			{"enable and annotate, in two writes", func(tx *storage.Tx) error {
				u.Enabled = true
				first := tx.UpdateUser(ctx, &u)
				u.Note = "n"
				return errors.Join(first, tx.UpdateUser(ctx, &u))
			}, []string{"user.enabled", "user.updated"}},
			{"there and back", func(tx *storage.Tx) error {
				u.Note = "other"
				first := tx.UpdateUser(ctx, &u)
				u.Note = "n"
				return errors.Join(first, tx.UpdateUser(ctx, &u))
			}, []string{}},
			{"use up", func(tx *storage.Tx) error { u.Status = domain.StatusLimited; return tx.UpdateUser(ctx, &u) }, []string{"user.limited"}},
			{"reset", func(tx *storage.Tx) error {
				_, err := tx.ResetTraffic(ctx, u.ID, domain.ResetByOperator)
				return err
			}, []string{"user.usage_reset"}},
			{"set usage", func(tx *storage.Tx) error { return tx.SetTraffic(ctx, u.ID, 1, 2) }, []string{"user.updated"}},
			{"attach", func(tx *storage.Tx) error {
				return tx.ReplaceInbounds(ctx, []domain.Account{{User: domain.User{ID: u.ID}, Direct: []int64{in}}})
			}, []string{"user.updated"}},
			{"attach again", func(tx *storage.Tx) error {
				return tx.ReplaceInbounds(ctx, []domain.Account{{User: domain.User{ID: u.ID}, Direct: []int64{in}}})
			}, []string{}},
			{"join", func(tx *storage.Tx) error {
				return tx.ReplaceGroups(ctx, []domain.Account{{User: domain.User{ID: u.ID}, Groups: []int64{group}}})
			}, []string{"user.updated"}},
			{"move", func(tx *storage.Tx) error { _, err := tx.MoveUsers(ctx, root, heir); return err }, []string{"user.updated"}},
			{"plan", func(tx *storage.Tx) (err error) {
				if u, err = tx.UserByID(ctx, u.ID); err != nil {
					return err
				}
				u.NextPlan = domain.NextPlan{HasNextPlan: true, NextTemplate: &plan}
				return tx.UpdateUser(ctx, &u)
			}, []string{"user.updated"}},
			{"end of the plan", func(tx *storage.Tx) error { _, err := tx.DeleteTemplate(ctx, plan); return err }, []string{"template.deleted", "user.updated"}},
			{"delete", func(tx *storage.Tx) error { return tx.DeleteUser(ctx, u.ID) }, []string{"user.deleted"}},
		} {
			write(t, db, step.do)
			got := told(t, db)
			for i, text := range got {
				_, got[i], _ = strings.Cut(text, " ")
			}
			equal(t, step.name, got, step.want)
		}
	})
}

func TestWritesOfOtherRowsAreTold(t *testing.T) {
	each(t, func(t *testing.T, db *storage.DB) {
		ctx := context.Background()
		handle(t, db, "p/h", "*")
		in, g, p := domain.Inbound{Tag: "a"}, domain.Group{Name: "g"}, domain.Template{Name: "t"}
		for _, step := range []struct {
			name string
			do   func(tx *storage.Tx) error
			want []string
		}{
			{"create", func(tx *storage.Tx) error {
				return errors.Join(tx.InsertInbound(ctx, &in), tx.InsertGroup(ctx, &g), tx.InsertTemplate(ctx, &p))
			}, []string{"inbound/1 inbound.created", "group/1 group.created", "template/1 template.created"}},
			{"change", func(tx *storage.Tx) error {
				in.Remark, g.Disabled, p.Disabled = "r", true, true
				return errors.Join(tx.UpdateTemplate(ctx, &p), tx.UpdateGroup(ctx, &g), tx.UpdateInbound(ctx, &in), tx.UpdateTemplate(ctx, &p))
			}, []string{"template/1 template.updated", "group/1 group.updated", "inbound/1 inbound.updated"}},
			{"reset", func(tx *storage.Tx) error { return tx.ResetInbound(ctx, in.ID) }, []string{"inbound/1 inbound.updated"}},
			{"delete", func(tx *storage.Tx) error {
				_, first := tx.DeleteInbound(ctx, in.ID)
				_, second := tx.DeleteTemplate(ctx, p.ID)
				return errors.Join(first, second, tx.DeleteGroup(ctx, g.ID))
			}, []string{"inbound/1 inbound.deleted", "template/1 template.deleted", "group/1 group.deleted"}},
			{"create and delete", func(tx *storage.Tx) error {
				g := domain.Group{Name: "short"}
				return errors.Join(tx.InsertGroup(ctx, &g), tx.DeleteGroup(ctx, g.ID))
			}, []string{}},
			{"what has no events", func(tx *storage.Tx) error {
				return errors.Join(tx.InsertAdmin(ctx, &domain.Admin{Username: "a"}), tx.SaveSettings(ctx, domain.Settings{}))
			}, []string{}},
		} {
			write(t, db, step.do)
			equal(t, step.name, told(t, db), step.want)
		}
	})
}

// The payload is what was committed, with what was counted until a reset and the last state of who is gone.
func TestPayloads(t *testing.T) {
	each(t, func(t *testing.T, db *storage.DB) {
		ctx := context.Background()
		root, group := addAdmin(t, db, "root").ID, addGroup(t, db, "g").ID
		handle(t, db, "p/h", "user.deleted", "user.usage_reset")
		u := addUser(t, db, root, "u")
		write(t, db, func(tx *storage.Tx) error {
			u.Quota, u.Status = ptr(int64(50)), domain.StatusActive
			return errors.Join(tx.SetTraffic(ctx, u.ID, 30, 12), tx.UpdateUser(ctx, &u),
				tx.ReplaceGroups(ctx, []domain.Account{{User: domain.User{ID: u.ID}, Groups: []int64{group}}}))
		})
		equal(t, "what nobody wants", told(t, db), []string{})

		write(t, db, func(tx *storage.Tx) error {
			_, err := tx.ResetTraffic(ctx, u.ID, domain.ResetByPeriod)
			u.Note = "later"
			return errors.Join(err, tx.UpdateUser(ctx, &u))
		})
		want := domain.UserFacts{
			ID: u.ID, Username: "u", Status: domain.StatusActive, Enabled: true, Quota: ptr(int64(50)), Note: "later",
			AdminID: root, Groups: []int64{group},
		}
		got := payloadOf(t, db)
		equal(t, "user", got.User, want)
		equal(t, "reset", got.Reset, domain.ResetFacts{Reason: domain.ResetByPeriod, Up: 30, Down: 12})
		told(t, db)

		write(t, db, func(tx *storage.Tx) error {
			u.Note = "too late" // nobody will have seen it
			return errors.Join(tx.SetTraffic(ctx, u.ID, 1, 1), tx.UpdateUser(ctx, &u), tx.DeleteUser(ctx, u.ID))
		})
		equal(t, "last state", payloadOf(t, db).User, want)
	})
}

// Events of rows and those that a caller announces come in the order in which they came up.
func TestEventsComeInOrder(t *testing.T) {
	each(t, func(t *testing.T, db *storage.DB) {
		ctx := context.Background()
		root := addAdmin(t, db, "root")
		handle(t, db, "p/h", "*")
		write(t, db, func(tx *storage.Tx) error {
			tx.Announce(domain.AdminEvent(domain.EventAdminLogin, &root))
			u, in := newUser(root.ID, "u"), domain.Inbound{Tag: "a"}
			first := errors.Join(tx.InsertUser(ctx, &u, nil), tx.InsertInbound(ctx, &in))
			tx.Announce(domain.PluginEvent(domain.EventPluginLoaded, "p", "1", ""))
			u.Note = "n"
			return errors.Join(first, tx.UpdateUser(ctx, &u))
		})
		equal(t, "events", told(t, db), []string{
			"admin/1 admin.login", "user/1 user.created", "inbound/1 inbound.created", "plugin/p plugin.loaded",
		})
	})
}

// What is rolled back was never told, whatever rolled it back.
func TestRollbackTellsNothing(t *testing.T) {
	each(t, func(t *testing.T, db *storage.DB) {
		ctx := context.Background()
		u := addUser(t, db, addAdmin(t, db, "root").ID, "u")
		handle(t, db, "p/h", "*")
		db.OnDeliveries(func() { t.Error("woken") })
		own := errors.New("own")
		for _, fn := range []func(tx *storage.Tx) error{
			func(tx *storage.Tx) error { return errors.Join(tx.DeleteUser(ctx, u.ID), own) },
			func(tx *storage.Tx) error { _ = tx.DeleteUser(ctx, 99); return tx.DeleteUser(ctx, u.ID) },
		} {
			if db.Write(ctx, fn) == nil {
				t.Fatal("no error")
			}
		}
		equal(t, "events", told(t, db), []string{})
	})
}

// If the events can not be stored, what they tell of has not happened.
func TestNoChangeWithoutItsEvents(t *testing.T) {
	db := storagetest.SQLite(t) // what fails there is not the same SQL on both
	ctx := context.Background()
	root := addAdmin(t, db, "root").ID
	handle(t, db, "p/h", "*")
	if err := db.ExecOnWriter(ctx, "CREATE TRIGGER t BEFORE INSERT ON outbox BEGIN SELECT RAISE(ABORT, 'no'); END"); err != nil {
		t.Fatal(err)
	}
	u := newUser(root, "u")
	err := db.Write(ctx, func(tx *storage.Tx) error { return tx.InsertUser(ctx, &u, nil) })
	fails(t, err, domain.Unavailable("the database could not do this"))
	_, err = db.UserByName(ctx, "u")
	fails(t, err, domain.NotFound("client not found"))
}

// More users than are read at once, of whom each is told of once, in their order.
func TestManyUsersAreTold(t *testing.T) {
	const n = 2100
	each(t, func(t *testing.T, db *storage.DB) {
		ctx := context.Background()
		root, heir := addAdmin(t, db, "root").ID, addAdmin(t, db, "heir").ID
		handle(t, db, "p/h", "*")
		users := addUsers(t, db, root, n)
		want := make([]string, n)
		for i, u := range users {
			want[i] = fmt.Sprintf("user/%d user.created", u.ID)
		}
		equal(t, "created", told(t, db), want)
		write(t, db, func(tx *storage.Tx) error { _, err := tx.MoveUsers(ctx, root, heir); return err })
		for i, u := range users {
			want[i] = fmt.Sprintf("user/%d user.updated", u.ID)
		}
		equal(t, "moved", told(t, db), want)
	})
}

// What nobody wants costs nothing: the transaction runs exactly the statements that it ran before there were events.
func TestNobodyListens(t *testing.T) {
	db := storagetest.SQLite(t) // the other database prepares nothing that could be looked at
	ctx := context.Background()
	root := addAdmin(t, db, "root").ID
	u := addUser(t, db, root, "u")
	ran := func() (texts []string) {
		u.LimitIP++
		write(t, db, func(tx *storage.Tx) error {
			err := errors.Join(tx.UpdateUser(ctx, &u), tx.AddTraffic(ctx, chunk("n", int64(u.LimitIP), moved(u.ID, noon, 1, 1))))
			tx.Announce(domain.Event{Type: "plugin.loaded"})
			texts = tx.Ran()
			return err
		})
		return texts
	}
	quiet := ran()
	for _, types := range [][]string{{}, {"inbound.created", "admin.login", "user"}} {
		handle(t, db, "p/h", types...)
		equal(t, fmt.Sprint("statements with ", types), ran(), quiet)
	}
	commits := storagetest.Commits(db)
	if err := db.Announce(ctx, domain.Event{Type: "plugin.loaded"}, domain.Event{Type: "x"}); err != nil {
		t.Fatal(err)
	}
	equal(t, "commits", storagetest.Commits(db), commits)

	handle(t, db, "p/h", "user.updated")
	if loud := ran(); slices.Equal(loud, quiet) {
		t.Error("the statements show nothing")
	}
	equal(t, "told", told(t, db), []string{"user/1 user.updated"})
}

func TestAnnounceAlone(t *testing.T) {
	each(t, func(t *testing.T, db *storage.DB) {
		handle(t, db, "p/h", "plugin.loaded")
		err := db.Announce(context.Background(),
			domain.PluginEvent(domain.EventPluginRefused, "p", "1", "r"), domain.PluginEvent(domain.EventPluginLoaded, "p", "2", ""))
		if err != nil {
			t.Fatal(err)
		}
		equal(t, "told", told(t, db), []string{"plugin/p plugin.loaded"})
	})
}

// A user comes online with the first byte after five minutes without one.
func TestUsersComeOnline(t *testing.T) {
	each(t, func(t *testing.T, db *storage.DB) {
		root := addAdmin(t, db, "root").ID
		u, v := addUser(t, db, root, "u").ID, addUser(t, db, root, "v").ID
		handle(t, db, "p/h", domain.EventUserOnline)
		for i, test := range []struct {
			name string
			ds   []domain.TrafficDelta
			want []string
		}{
			{"for the first time", []domain.TrafficDelta{moved(v, noon, 1, 1), moved(u, noon, 1, 1)}, []string{"user/1 user.online", "user/2 user.online"}},
			{"still", []domain.TrafficDelta{moved(u, noon+1, 1, 1)}, []string{}},
			{"after a break of less", []domain.TrafficDelta{moved(u, noon+domain.OnlineAfter, 1, 1)}, []string{}},
			{"after a break", []domain.TrafficDelta{moved(u, noon+2*domain.OnlineAfter, 1, 1)}, []string{"user/1 user.online"}},
			{"late news", []domain.TrafficDelta{moved(u, noon, 1, 1)}, []string{}},
			{"somebody who is gone", []domain.TrafficDelta{moved(99, noon, 1, 1)}, []string{}},
			{"nobody", nil, []string{}},
		} {
			flush(t, db, chunk("n", int64(i+1), test.ds...))
			equal(t, test.name, told(t, db), test.want)
			flush(t, db, chunk("n", int64(i+1), test.ds...)) // once more, which adds nothing
			equal(t, test.name+", again", told(t, db), []string{})
		}
		write(t, db, func(tx *storage.Tx) error {
			return tx.AddTraffic(context.Background(), chunk("n", 99, moved(v, noon+domain.OnlineAfter, 1, 1)))
		})
		equal(t, "in a transaction", told(t, db), []string{"user/2 user.online"})
		handle(t, db, "p/h", domain.EventUserUpdated)
		flush(t, db, chunk("n", 100, moved(u, 2*noon, 1, 1)))
		equal(t, "unwanted", told(t, db), []string{})
	})
}
