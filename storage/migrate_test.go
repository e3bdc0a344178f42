package storage_test

import (
	"context"
	"io/fs"
	"os"
	"sync"
	"testing"
	"testing/fstest"

	"github.com/sluicehq/sluice/kernel/domain"
	"github.com/sluicehq/sluice/storage"
	"github.com/sluicehq/sluice/storage/storagetest"
)

// migrations is how many this version has.
const migrations int64 = 5

// only returns the real migrations whose name begins with what fits the pattern.
func only(t *testing.T, pattern string) fstest.MapFS {
	t.Helper()
	files := fstest.MapFS{}
	for _, path := range must(fs.Glob(storage.MigrationFiles, "migrations/"+pattern+"*"))(t) {
		files[path] = &fstest.MapFile{Data: must(storage.MigrationFiles.ReadFile(path))(t)}
	}
	return files
}

// with returns the real migrations and one more.
func with(t *testing.T, name, text string) fstest.MapFS {
	t.Helper()
	files := only(t, "")
	files[name] = &fstest.MapFile{Data: []byte(text)}
	return files
}

func TestMigrationIsAllOrNothing(t *testing.T) {
	each(t, func(t *testing.T, db *storage.DB) {
		ctx := context.Background()
		const create = "CREATE TABLE later (id {{.Int}}){{.Table}};\n"
		err := db.MigrateWith(ctx, with(t, "9999_later.tx.up.sql", create+"INSERT INTO nowhere VALUES (1);"))
		if err == nil {
			t.Fatal("a broken migration succeeded")
		}
		equal(t, "applied", must(db.Count(ctx, "SELECT count(*) FROM bun_migrations"))(t), migrations)
		if _, err := db.Count(ctx, "SELECT count(*) FROM later"); err == nil {
			t.Error("the broken migration left its table")
		}
		// Mended, it runs, and only once.
		for range 2 {
			if err := db.MigrateWith(ctx, with(t, "9999_later.tx.up.sql", create)); err != nil {
				t.Fatal(err)
			}
		}
		equal(t, "applied", must(db.Count(ctx, "SELECT count(*) FROM bun_migrations"))(t), migrations+1)
		equal(t, "rows", must(db.Count(ctx, "SELECT count(*) FROM later"))(t), int64(0))
	})
}

// The mark of a step is in the step's own transaction: whatever fails after that, the step does not run again. What
// fails here is bun's second mark.
func TestMigrationRunsOnce(t *testing.T) {
	db := storagetest.SQLite(t) // what is tested is the same code on both, a failing mark is not the same SQL
	ctx := context.Background()
	files := with(t, "9999_later.tx.up.sql", "CREATE TABLE later (id {{.Int}}){{.Table}};")
	for _, query := range []string{
		"CREATE TRIGGER t BEFORE UPDATE ON bun_migrations BEGIN SELECT RAISE(ABORT, 'no second mark'); END",
		"DROP TRIGGER t",
	} {
		if err := db.ExecOnWriter(ctx, query); err != nil {
			t.Fatal(err)
		}
		err := db.MigrateWith(ctx, files)
		equal(t, "error after "+query[:4], err != nil, query[:4] == "CREA")
		equal(t, "applied", must(db.Count(ctx, "SELECT count(*) FROM bun_migrations"))(t), migrations+1)
		equal(t, "rows", must(db.Count(ctx, "SELECT count(*) FROM later"))(t), int64(0))
	}
}

// makeOld makes a database of an older version, with the migrations whose name fits the pattern and the rows in a file.
func makeOld(t *testing.T, dsn, pattern, rows string) {
	t.Helper()
	ctx := context.Background()
	old := must(storage.Connect(ctx, storage.Options{DSN: dsn, Clock: clockAt(1)}))(t)
	if err := old.MigrateWith(ctx, only(t, pattern)); err != nil {
		t.Fatal(err)
	}
	if err := old.ExecOnWriter(ctx, string(must(os.ReadFile(rows))(t))); err != nil {
		t.Fatal(err)
	}
	if err := old.Close(); err != nil {
		t.Fatal(err)
	}
}

// A database of version 1, with a user in each state at noon, becomes one of today.
func TestMigrateFromVersion1(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, dsn string) {
		ctx := context.Background()
		makeOld(t, dsn, "0001", "testdata/version1.sql")
		db := open(t, dsn, clockAt(noon))
		want := map[string]domain.Status{
			"free": domain.StatusActive, "used": domain.StatusActive, "late": domain.StatusActive,
			"off": domain.StatusDisabled, "held": domain.StatusOnHold, "over": domain.StatusExpired, "full": domain.StatusLimited,
		}
		all := accounts(t, db)
		equal(t, "users", len(all), len(want))
		for _, a := range all {
			equal(t, a.User.Username, a.User.Status, want[a.User.Username])
			equal(t, a.User.Username+" by its facts", a.User.StatusAt(noon, a.Traffic.Used()), want[a.User.Username])
			equal(t, a.User.Username+" since", a.User.StatusSince, a.User.UpdatedAt)
		}
		in := must(db.Inbound(ctx, 1))(t)
		equal(t, "inbound", in, domain.Inbound{
			ID: 1, Tag: "in-443", Remark: "r", Protocol: domain.VLESS, Port: 443, Enabled: true,
			Settings: "{}", Revision: 2, CreatedAt: 10, UpdatedAt: 11,
		})
		for _, table := range []string{"usage_hourly", "usage_resets", "user_ips"} {
			equal(t, table, must(db.Count(ctx, "SELECT count(*) FROM "+table))(t), int64(0))
		}
	})
}

// A database of version 2 keeps what it has, and everything that is new is empty and can be used.
func TestMigrateFromVersion2(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, dsn string) {
		ctx := context.Background()
		makeOld(t, dsn, "000[12]", "testdata/version2.sql")
		db := open(t, dsn, clockAt(noon))
		alice := domain.User{
			ID: 1, Username: "Alice", UsernameKey: "alice", SubID: "s1",
			Credentials: domain.Credentials{
				VLESSID: "l1", VMessID: "m1", TrojanPassword: "t1", ShadowsocksPassword: "p1", HysteriaAuth: "h1",
				Flow: "f", VMessSecurity: "x", Method: ptr("y"),
			},
			Enabled: true, HoldSince: ptr(int64(1)), HoldDuration: 2, HoldTimeout: ptr(int64(3)),
			ExpireAt: ptr(int64(4)), Quota: ptr(int64(5)),
			ResetPolicy: "day", ResetParams: "{}", ResetAnchor: 6, NextResetAt: ptr(int64(7)), ResetRetryAt: ptr(int64(8)),
			RenewDays: 9, RenewDay: 10, RenewMax: 11, RenewCount: 12, LimitIP: 13, Note: "note", TgID: 77, AdminID: 1,
			AutoDelete: ptr(14), Status: domain.StatusOnHold, StatusSince: 18,
			Revision: 3, CreatedAt: 15, UpdatedAt: 16, SubFetchAt: 17, SubAgent: "agent",
		}
		all := accounts(t, db)
		equal(t, "users", len(all), 2)
		equal(t, "alice", all[0], domain.Account{
			User: alice, Inbounds: []int64{1}, Direct: []int64{1}, Groups: []int64{},
			Traffic: domain.Traffic{UserID: 1, Up: 1, Down: 2, LifetimeUp: 3, LifetimeDown: 4, OnlineAt: 5},
		})
		equal(t, "by Telegram id", must(db.UsersByTgID(ctx, 77))(t), []int64{1})
		for _, table := range []string{
			"groups", "user_groups", "external_links", "external_contents", "kept_traffic", "answers",
		} {
			equal(t, table, must(db.Count(ctx, "SELECT count(*) FROM "+table))(t), int64(0))
		}
		group := addGroup(t, db, "g")
		write(t, db, func(tx *storage.Tx) error {
			if err := tx.SaveAnswer(ctx, storage.Answer{Caller: 1, Route: "r", Key: "k"}); err != nil {
				return err
			}
			if err := tx.KeepTraffic(ctx, []int64{1}); err != nil {
				return err
			}
			if err := tx.SetExternalLinks(ctx, 1, []domain.ExternalLink{{Value: "v"}}); err != nil {
				return err
			}
			return tx.ReplaceGroups(ctx, []domain.Account{{User: alice, Groups: []int64{group.ID}}})
		})
		equal(t, "groups", must(db.Account(ctx, 1))(t).Groups, []int64{group.ID})
	})
}

// A database of version 3 keeps what it has: nobody gains or loses anything by a group or an admin's new fields.
func TestMigrateFromVersion3(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, dsn string) {
		ctx := context.Background()
		makeOld(t, dsn, "000[123]", "testdata/version3.sql")
		db := open(t, dsn, clockAt(noon))
		admin := domain.Admin{
			ID: 1, Username: "root", UsernameKey: "root", PasswordHash: "hash", Sudo: true, Enabled: true,
			PasswordAt: 2, Revision: 1, CreatedAt: 2,
		}
		equal(t, "admins", must(db.Admins(ctx))(t), []domain.Admin{admin})
		group := domain.Group{ID: 1, Name: "g", BaseUp: 5, BaseDown: 6, Revision: 4, CreatedAt: 7, UpdatedAt: 8, Inbounds: []int64{}}
		equal(t, "groups", must(db.Groups(ctx))(t), []domain.Group{group})
		all := accounts(t, db)
		equal(t, "users", len(all), 2)
		for i, want := range []domain.Account{
			{Inbounds: []int64{1}, Direct: []int64{1}, Groups: []int64{1}}, {Inbounds: []int64{}, Direct: []int64{}, Groups: []int64{}},
		} {
			equal(t, "inbounds", all[i].Inbounds, want.Inbounds)
			equal(t, "direct", all[i].Direct, want.Direct)
			equal(t, "groups", all[i].Groups, want.Groups)
			equal(t, "next plan", all[i].User.NextPlan, domain.NextPlan{})
		}
		equal(t, "a field of each former version", []int64{all[0].User.Revision, all[0].User.StatusSince, int64(all[0].User.LimitHWID)}, []int64{3, 18, 19})
		for _, table := range []string{"templates", "template_groups", "group_inbounds", "hosts", "sub_fetches", "secrets"} {
			equal(t, table, must(db.Count(ctx, "SELECT count(*) FROM "+table))(t), int64(0))
		}
		group.Inbounds, group.Disabled = []int64{2}, true
		all[1].User.NextPlan = domain.NextPlan{HasNextPlan: true, NextTemplate: ptr(addTemplate(t, db, "t", 1).ID)}
		write(t, db, func(tx *storage.Tx) error {
			if err := tx.UpdateGroup(ctx, &group); err != nil {
				return err
			}
			return tx.UpdateUser(ctx, &all[1].User)
		})
		equal(t, "group", must(db.Group(ctx, 1))(t), group)
		equal(t, "user", must(db.UserByID(ctx, 2))(t), all[1].User)
	})
}

// A database of version 4 keeps what it has and tells of what happens to it from then on.
func TestMigrateFromVersion4(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, dsn string) {
		ctx := context.Background()
		makeOld(t, dsn, "000[1234]", "testdata/version4.sql")
		db := open(t, dsn, clockAt(noon))
		for _, table := range []string{"outbox", "event_handlers", "plugins", "plugin_kv", "plugin_kv_totals"} {
			equal(t, table, must(db.Count(ctx, "SELECT count(*) FROM "+table))(t), int64(0))
		}
		handle(t, db, "p/h", "*")
		alice := must(db.UserByID(ctx, 1))(t)
		alice.Enabled, alice.Status = false, domain.StatusDisabled
		write(t, db, func(tx *storage.Tx) error { return tx.UpdateUser(ctx, &alice) })
		equal(t, "told", payloadOf(t, db).User, domain.UserFacts{
			ID: 1, Username: "Alice", Status: domain.StatusDisabled, Quota: ptr(int64(5)), Used: 3, Note: "note",
			AdminID: 1, Groups: []int64{1},
		})
		equal(t, "kept", set(t, db.PluginKV("p"), "k", []byte("v")), false)
		policy := domain.PluginPolicy{Name: "p"}
		write(t, db, func(tx *storage.Tx) error { return tx.SavePluginPolicy(ctx, &policy) })
		equal(t, "policies", must(db.PluginPolicies(ctx))(t), []domain.PluginPolicy{policy})
	})
}

func TestNewerDatabaseIsRefused(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, dsn string) {
		ctx := context.Background()
		db := open(t, dsn, nil)
		if err := db.ExecOnWriter(ctx, "INSERT INTO bun_migrations (name, group_id) VALUES ('9999', 2)"); err != nil {
			t.Fatal(err)
		}
		_, err := storage.Open(ctx, storage.Options{DSN: dsn})
		fails(t, err, domain.Invalid("database", "was changed by a newer version of Sluice; run that one"))
	})
}

// Whoever only looks changes nothing, also when a server of an older version has the database.
func TestAsIsDoesNotMigrate(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, dsn string) {
		ctx := context.Background()
		makeOld(t, dsn, "000[1234]", "testdata/version4.sql")
		_, err := storage.Open(ctx, storage.Options{DSN: dsn, AsIs: true})
		fails(t, err, domain.Invalid("database", "is of an older version of Sluice; start this version on it first"))
		old := must(storage.Connect(ctx, storage.Options{DSN: dsn}))(t)
		equal(t, "applied", must(old.Count(ctx, "SELECT count(*) FROM bun_migrations"))(t), migrations-1)
		if err := old.Close(); err != nil {
			t.Fatal(err)
		}

		open(t, dsn, nil) // migrates
		now := must(storage.Open(ctx, storage.Options{DSN: dsn, AsIs: true}))(t)
		equal(t, "user", must(now.UserByID(ctx, 1))(t).Username, "Alice")
		if err := now.ExecOnWriter(ctx, "INSERT INTO bun_migrations (name, group_id) VALUES ('9999', 2)"); err != nil {
			t.Fatal(err)
		}
		if err := now.Close(); err != nil {
			t.Fatal(err)
		}
		_, err = storage.Open(ctx, storage.Options{DSN: dsn, AsIs: true})
		fails(t, err, domain.Invalid("database", "was changed by a newer version of Sluice; run that one"))
	})
}

func TestOpensAtTheSameTimeMigrateOnce(t *testing.T) {
	const opens = 8
	storagetest.Each(t, func(t *testing.T, dsn string) {
		var wg sync.WaitGroup
		for range opens {
			wg.Go(func() {
				db, err := storage.Open(context.Background(), storage.Options{DSN: dsn})
				if err != nil {
					t.Error(err)
					return
				}
				if err := db.Close(); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		db := open(t, dsn, nil)
		equal(t, "applied", must(db.Count(context.Background(), "SELECT count(*) FROM bun_migrations"))(t), migrations)
	})
}
