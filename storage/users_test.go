package storage_test

import (
	"context"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/sluicehq/sluice/kernel/domain"
	"github.com/sluicehq/sluice/storage"
)

// fullUser has another value in every field, so that no column can be mistaken for another.
func fullUser(admin, template int64) domain.User {
	return domain.User{
		Username: "Ålice", SubID: "sub",
		Credentials: domain.Credentials{
			VLESSID: "vless", VMessID: "vmess", TrojanPassword: "trojan", ShadowsocksPassword: "ss",
			HysteriaAuth: "hy", Flow: "flow", VMessSecurity: "security", Method: ptr("method"),
		},
		Enabled: true, HoldSince: ptr(int64(25)), HoldDuration: 2, HoldTimeout: ptr(int64(3)),
		ExpireAt: ptr(int64(4)), Quota: ptr(int64(5)),
		ResetPolicy: "policy", ResetParams: `{"a":"it's \"6\" ?"}`, ResetAnchor: 7,
		NextResetAt: ptr(int64(8)), ResetRetryAt: ptr(int64(9)),
		RenewDays: 10, RenewDay: 11, RenewMax: 12, RenewCount: 13,
		LimitIP: 14, Note: "line\nمرحبا\x1f", TgID: -15, LimitHWID: 21, Reverse: `{"tag":"r"}`, AdTag: "ad", Secret: "secret", AdminID: admin, AutoDelete: ptr(16),
		NextPlan: domain.NextPlan{
			HasNextPlan: true, NextTemplate: &template, NextQuota: ptr(int64(22)), NextDuration: 23, NextCarriesOver: true,
		},
		Status: domain.StatusLimited, StatusSince: 20,
		CreatedAt: 17, UpdatedAt: 18, SubFetchAt: 19, SubAgent: "agent/1",
	}
}

func TestUserKeepsEveryField(t *testing.T) {
	each(t, func(t *testing.T, db *storage.DB) {
		ctx := context.Background()
		admin := addAdmin(t, db, "root")
		for _, u := range []domain.User{fullUser(admin.ID, addTemplate(t, db, "t").ID), newUser(admin.ID, "none")} {
			write(t, db, func(tx *storage.Tx) error { return tx.InsertUser(ctx, &u, nil) })
			equal(t, "by id", must(db.UserByID(ctx, u.ID))(t), u)
			equal(t, "by name", must(db.UserByName(ctx, u.Username))(t), u)
			equal(t, "by sub id", must(db.UserBySubID(ctx, u.SubID))(t), u)
			equal(t, "account", must(db.Account(ctx, u.ID))(t), domain.Account{
				User: u, Traffic: domain.Traffic{UserID: u.ID}, Inbounds: []int64{}, Direct: []int64{}, Groups: []int64{},
			})
		}
	})
}

func TestFullUserIsFull(t *testing.T) {
	u := fullUser(1, 1)
	u.ID, u.UsernameKey, u.Revision = 1, "key", 1 // what storage fills
	for _, v := range []reflect.Value{reflect.ValueOf(u), reflect.ValueOf(u.Credentials), reflect.ValueOf(u.NextPlan)} {
		for i := range v.NumField() {
			if v.Field(i).IsZero() {
				t.Errorf("%s is zero: the suite would not miss its column", v.Type().Field(i).Name)
			}
		}
	}
}

func TestInsertUserFills(t *testing.T) {
	each(t, func(t *testing.T, db *storage.DB) {
		admin := addAdmin(t, db, "root") // change 1
		u := addUser(t, db, admin.ID, "ALICE@Example.com")
		equal(t, "id", u.ID, int64(1))
		equal(t, "key", u.UsernameKey, "alice@example.com")
		equal(t, "revision", u.Revision, int64(2))
		equal(t, "created", u.CreatedAt, noon)
		equal(t, "updated", u.UpdatedAt, noon)
		equal(t, "traffic", must(db.Traffic(context.Background(), u.ID))(t), domain.Traffic{UserID: u.ID})
	})
}

func TestNamesAreFoundInAnySpelling(t *testing.T) {
	each(t, func(t *testing.T, db *storage.DB) {
		ctx := context.Background()
		admin := addAdmin(t, db, "root")
		for stored, asked := range map[string]string{
			"Alice":      "aLICE",
			"МАРИЯ":      "мария",
			"Ångström":   "A\u030angstro\u0308m", // decomposed
			"semi;'--?x": "SEMI;'--?X",
		} {
			u := addUser(t, db, admin.ID, stored)
			equal(t, asked, must(db.UserByName(ctx, asked))(t), u)
			again := newUser(admin.ID, asked)
			again.SubID, again.Credentials = "other-sub", newUser(0, "other").Credentials
			err := db.Write(ctx, func(tx *storage.Tx) error { return tx.InsertUser(ctx, &again, nil) })
			fails(t, err, domain.Conflict("username_key", "is already in use"))
		}
	})
}

func TestEachCredentialIsUnique(t *testing.T) {
	tests := []struct {
		field string
		take  func(u *domain.User, from domain.User)
	}{
		{"username_key", func(u *domain.User, f domain.User) { u.Username = f.Username }},
		{"sub_id", func(u *domain.User, f domain.User) { u.SubID = f.SubID }},
		{"vless_id", func(u *domain.User, f domain.User) { u.VLESSID = f.VLESSID }},
		{"vmess_id", func(u *domain.User, f domain.User) { u.VMessID = f.VMessID }},
		{"trojan_password", func(u *domain.User, f domain.User) { u.TrojanPassword = f.TrojanPassword }},
		{"shadowsocks_password", func(u *domain.User, f domain.User) { u.ShadowsocksPassword = f.ShadowsocksPassword }},
		{"hysteria_auth", func(u *domain.User, f domain.User) { u.HysteriaAuth = f.HysteriaAuth }},
	}
	each(t, func(t *testing.T, db *storage.DB) {
		ctx := context.Background()
		admin := addAdmin(t, db, "root")
		first, second := addUser(t, db, admin.ID, "first"), addUser(t, db, admin.ID, "second")
		for _, test := range tests {
			t.Run(test.field, func(t *testing.T) {
				want := domain.Conflict(test.field, "is already in use")
				third := newUser(admin.ID, "third")
				test.take(&third, first)
				err := db.Write(ctx, func(tx *storage.Tx) error { return tx.InsertUser(ctx, &third, nil) })
				fails(t, err, want)
				if strings.Contains(err.Error(), "first") {
					t.Errorf("%q names the holder", err)
				}
				changed := second
				test.take(&changed, first)
				fails(t, db.Write(ctx, func(tx *storage.Tx) error { return tx.UpdateUser(ctx, &changed) }), want)
			})
		}
		equal(t, "second", must(db.UserByID(ctx, second.ID))(t), second)
	})
}

// Two vless ids that differ where the core does not look would be one user to it.
func TestVLESSIDsAreComparedAsTheCoreDoes(t *testing.T) {
	each(t, func(t *testing.T, db *storage.DB) {
		ctx := context.Background()
		admin := addAdmin(t, db, "root")
		insert := func(name, id string) error {
			u := newUser(admin.ID, name)
			u.VLESSID = id
			return db.Write(ctx, func(tx *storage.Tx) error { return tx.InsertUser(ctx, &u, nil) })
		}
		for _, test := range []struct {
			name, id string
			want     *domain.Error
		}{
			{"first", "a4a9d503-90ef-4e3b-8263-81d189134136", nil},
			{"bytes 6 and 7", "a4a9d503-90ef-ffff-8263-81d189134136", domain.Conflict("vless_id", "is already in use")},
			{"byte 5", "a4a9d503-90ee-4e3b-8263-81d189134136", nil},
			{"byte 8", "a4a9d503-90ef-4e3b-9263-81d189134136", nil},
		} {
			if err := insert(test.name, test.id); test.want == nil && err != nil {
				t.Errorf("%s: %v", test.name, err)
			} else if test.want != nil {
				fails(t, err, test.want)
			}
		}
	})
}

func TestUpdateUser(t *testing.T) {
	each(t, func(t *testing.T, db *storage.DB) {
		ctx := context.Background()
		admin := addAdmin(t, db, "root")
		template := addTemplate(t, db, "t")
		old := addUser(t, db, admin.ID, "old")
		if err := db.NoteFetches(ctx, []domain.Fetch{{UserID: old.ID, At: 77, Agent: "client/2"}}); err != nil {
			t.Fatal(err)
		}
		u := fullUser(admin.ID, template.ID)
		u.ID = old.ID
		write(t, db, func(tx *storage.Tx) error { return tx.UpdateUser(ctx, &u) })
		equal(t, "revision", u.Revision, old.Revision+1)

		want := u
		want.UsernameKey = "ålice"
		want.CreatedAt, want.SubFetchAt, want.SubAgent = old.CreatedAt, 77, "client/2"
		equal(t, "stored", must(db.UserByID(ctx, old.ID))(t), want)
	})
}

func TestUpdateUsers(t *testing.T) {
	const n = 600 // more than one statement takes
	each(t, func(t *testing.T, db *storage.DB) {
		ctx := context.Background()
		admin := addAdmin(t, db, "root")
		users := make([]*domain.User, n)
		write(t, db, func(tx *storage.Tx) error {
			for i := range users {
				users[i] = ptr(newUser(admin.ID, fmt.Sprint("u", i)))
				if err := tx.InsertUser(ctx, users[i], nil); err != nil {
					return err
				}
			}
			return nil
		})
		untouched := *users[0]
		last := must(db.LastChange(ctx))(t)
		write(t, db, func(tx *storage.Tx) error {
			users[2].Note = "written before"
			if err := tx.UpdateUser(ctx, users[2]); err != nil {
				return err
			}
			for i, u := range users {
				u.NextResetAt, u.Status, u.StatusSince = ptr(int64(i)), domain.StatusExpired, int64(i)
			}
			users[1].Username, users[1].TrojanPassword = "RENAMED", "other"
			return tx.UpdateUsers(ctx, users[1:])
		})
		equal(t, "untouched", must(db.UserByID(ctx, untouched.ID))(t), untouched)
		revisions := map[int64]bool{}
		for _, u := range users[1:] {
			equal(t, "stored", must(db.UserByID(ctx, u.ID))(t), *u)
			revisions[u.Revision] = true
		}
		equal(t, "key", users[1].UsernameKey, "renamed")
		changes := must(db.Changes(ctx, last, 2*n))(t)
		equal(t, "changes", len(changes), n-1)
		for _, c := range changes {
			equal(t, "a revision", revisions[c.Seq], true)
		}
		write(t, db, func(tx *storage.Tx) error { return tx.UpdateUsers(ctx, nil) })
	})
}

func TestUpdateUsersIsAllOrNothing(t *testing.T) {
	each(t, func(t *testing.T, db *storage.DB) {
		ctx := context.Background()
		admin := addAdmin(t, db, "root")
		first, second := addUser(t, db, admin.ID, "first"), addUser(t, db, admin.ID, "second")
		noted, gone, taken := first, newUser(admin.ID, "gone"), second
		noted.Note, gone.ID, taken.SubID = "noted", 99, first.SubID
		fails(t, db.Write(ctx, func(tx *storage.Tx) error { return tx.UpdateUsers(ctx, []*domain.User{&noted, &gone}) }),
			domain.NotFound("client not found"))
		fails(t, db.Write(ctx, func(tx *storage.Tx) error { return tx.UpdateUsers(ctx, []*domain.User{&noted, &taken}) }),
			domain.Conflict("sub_id", "is already in use"))
		equal(t, "first", must(db.UserByID(ctx, first.ID))(t), first)
		equal(t, "last change", must(db.LastChange(ctx))(t), second.Revision)
	})
}

func TestWhatIsNotThere(t *testing.T) {
	each(t, func(t *testing.T, db *storage.DB) {
		ctx := context.Background()
		admin := addAdmin(t, db, "root")
		u := addUser(t, db, admin.ID, "u")
		client, inbound := domain.NotFound("client not found"), domain.NotFound("inbound not found")
		for _, test := range []struct {
			name string
			want *domain.Error
			do   func(tx *storage.Tx) error
		}{
			{"update", client, func(tx *storage.Tx) error { return tx.UpdateUser(ctx, ptr(newUser(admin.ID, "x"))) }},
			{"delete some", client, func(tx *storage.Tx) error { return tx.DeleteUsers(ctx, []int64{u.ID, 99}) }},
			{"delete", client, func(tx *storage.Tx) error { return tx.DeleteUser(ctx, 99) }},
			{"attach unknown user", client, func(tx *storage.Tx) error {
				return tx.ReplaceInbounds(ctx, []domain.Account{{User: domain.User{ID: 99}, Direct: nil}})
			}},
			{"attach unknown inbound", inbound, func(tx *storage.Tx) error {
				return tx.ReplaceInbounds(ctx, []domain.Account{{User: domain.User{ID: u.ID}, Direct: []int64{9}}})
			}},
			{"insert with unknown inbound", inbound, func(tx *storage.Tx) error {
				return tx.InsertUser(ctx, ptr(newUser(admin.ID, "x")), []int64{9})
			}},
			{
				"insert with unknown admin", domain.NotFound("this refers to something that does not exist"),
				func(tx *storage.Tx) error { return tx.InsertUser(ctx, ptr(newUser(9, "x")), nil) },
			},
			{
				"insert with unknown next template", domain.NotFound("this refers to something that does not exist"),
				func(tx *storage.Tx) error {
					u := newUser(admin.ID, "x")
					u.NextTemplate = ptr(int64(9))
					return tx.InsertUser(ctx, &u, nil)
				},
			},
			{"by id", client, func(tx *storage.Tx) error { _, err := tx.UserByID(ctx, 99); return err }},
			{"by name", client, func(tx *storage.Tx) error { _, err := tx.UserByName(ctx, "x"); return err }},
			{"by sub id", client, func(tx *storage.Tx) error { _, err := tx.UserBySubID(ctx, "SUB-U"); return err }},
			{"traffic", client, func(tx *storage.Tx) error { _, err := tx.Traffic(ctx, 99); return err }},
			{"account", client, func(tx *storage.Tx) error { _, err := tx.Account(ctx, 99); return err }},
		} {
			t.Run(test.name, func(t *testing.T) { fails(t, db.Write(ctx, test.do), test.want) })
		}
		equal(t, "last change", must(db.LastChange(ctx))(t), u.Revision)
	})
}

func TestUserIDs(t *testing.T) {
	each(t, func(t *testing.T, db *storage.DB) {
		admin := addAdmin(t, db, "root").ID
		for _, name := range []string{"Renée", "it's ?", "other"} {
			addUser(t, db, admin, name)
		}
		got := must(db.UserIDs(context.Background(), []string{"RENE\u0301E", "it's ?", "nobody", "", "it's ?", "a\x00b", "\xff"}))(t)
		equal(t, "ids", got, map[string]int64{"renée": 1, "it's ?": 2})
		equal(t, "of nobody", must(db.UserIDs(context.Background(), nil))(t), map[string]int64{})
		for _, text := range []string{"a\x00b", "\xff"} { // what no text of a database can be
			_, err := db.UserByName(context.Background(), text)
			equal(t, "by name", domain.CodeOf(err), domain.CodeNotFound)
			_, err = db.UserBySubID(context.Background(), text)
			equal(t, "by sub id", domain.CodeOf(err), domain.CodeNotFound)
		}
	})
}

func TestUsersByCredential(t *testing.T) {
	each(t, func(t *testing.T, db *storage.DB) {
		ctx := context.Background()
		users := addUsers(t, db, addAdmin(t, db, "root").ID, 3)
		u := users[1]
		u.VLESSID = "11111111-2222-4333-8444-555555555555"
		write(t, db, func(tx *storage.Tx) error { return tx.UpdateUser(ctx, &u) })
		for _, credential := range []string{u.VLESSID, u.VMessID, u.TrojanPassword, u.ShadowsocksPassword, u.HysteriaAuth} {
			equal(t, credential, must(db.UsersByCredential(ctx, credential))(t), []int64{u.ID})
		}
		alike := u.VLESSID[:14] + "ffff" + u.VLESSID[18:] // the index has one key for both
		for _, other := range []string{"", "x", "x\x00", u.SubID, alike} {
			equal(t, "of "+other, len(must(db.UsersByCredential(ctx, other))(t)), 0)
		}
	})
}

func TestUsersByTgID(t *testing.T) {
	each(t, func(t *testing.T, db *storage.DB) {
		ctx := context.Background()
		admin := addAdmin(t, db, "root").ID
		rows := []*storage.NewUser{}
		for i, u := range names(admin, 4) {
			u.TgID = []int64{7, 0, -8, 7}[i]
			rows = append(rows, &storage.NewUser{User: u})
		}
		write(t, db, func(tx *storage.Tx) error { return tx.InsertUsers(ctx, rows) })
		for tgID, want := range map[int64][]int64{7: {1, 4}, -8: {3}, 0: {}, 9: {}} {
			equal(t, fmt.Sprint("with ", tgID), must(db.UsersByTgID(ctx, tgID))(t), want)
		}
		rows[0].User.TgID = 9
		write(t, db, func(tx *storage.Tx) error { return tx.UpdateUser(ctx, &rows[0].User) })
		equal(t, "after an update", must(db.UsersByTgID(ctx, 9))(t), []int64{1})
	})
}

func TestDeleteUsers(t *testing.T) {
	const n = 1500
	each(t, func(t *testing.T, db *storage.DB) {
		ctx := context.Background()
		users := addUsers(t, db, addAdmin(t, db, "root").ID, n+1)
		ids := make([]int64, n)
		for i := range ids {
			ids[i] = users[n-i].ID
		}
		last := must(db.LastChange(ctx))(t)
		write(t, db, func(tx *storage.Tx) error {
			if err := tx.DeleteUsers(ctx, nil); err != nil {
				return err
			}
			return tx.DeleteUsers(ctx, ids)
		})
		left := accounts(t, db)
		equal(t, "left", len(left), 1)
		equal(t, "the one left", left[0].User, users[0])
		equal(t, "traffic", must(db.Count(ctx, "SELECT count(*) FROM user_traffic"))(t), int64(1))
		changed := map[int64]bool{}
		for _, c := range must(db.Changes(ctx, last, 2*n))(t) {
			changed[c.ID] = true
		}
		equal(t, "changes", len(changed), n)
	})
}

func TestDeleteUserTakesItsRows(t *testing.T) {
	each(t, func(t *testing.T, db *storage.DB) {
		ctx := context.Background()
		admin, in := addAdmin(t, db, "root"), addInbound(t, db, "a")
		gone, stays := addUser(t, db, admin.ID, "gone", in.ID), addUser(t, db, admin.ID, "stays", in.ID)
		write(t, db, func(tx *storage.Tx) error { return tx.DeleteUser(ctx, gone.ID) })

		_, err := db.Traffic(ctx, gone.ID)
		fails(t, err, domain.NotFound("client not found"))
		equal(t, "inbounds of gone", must(db.UserInbounds(ctx, gone.ID))(t), []int64{})
		equal(t, "inbounds of stays", must(db.UserInbounds(ctx, stays.ID))(t), []int64{in.ID})
		// Its name and credentials are free again, its id is not.
		back := addUser(t, db, admin.ID, "gone")
		equal(t, "new id", back.ID, stays.ID+1)
	})
}
