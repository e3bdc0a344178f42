package storage_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/jonboulle/clockwork"

	"github.com/sluicehq/sluice/kernel/domain"
	"github.com/sluicehq/sluice/storage"
	"github.com/sluicehq/sluice/storage/storagetest"
)

// The suite runs every test on each database: SQLite, and PostgreSQL under the build tag integration.

func TestMain(m *testing.M) { os.Exit(storagetest.Main(m)) }

// noon is what the clock of the suite shows at first, in ms UTC.
const noon int64 = 1_790_000_000_000

// each runs fn on a fresh, open database of every kind.
func each(t *testing.T, fn func(t *testing.T, db *storage.DB)) {
	t.Helper()
	storagetest.Each(t, func(t *testing.T, dsn string) { fn(t, open(t, dsn, clockAt(noon))) })
}

func clockAt(ms int64) *clockwork.FakeClock { return clockwork.NewFakeClockAt(time.UnixMilli(ms)) }

func open(t testing.TB, dsn string, clock clockwork.Clock) *storage.DB {
	t.Helper()
	return storagetest.Open(t, storage.Options{DSN: dsn, Clock: clock})
}

// processes opens the database n times, as n processes would. An SQLite file belongs to one process: there it is the
// same DB n times, used by n goroutines.
func processes(t testing.TB, dsn string, n int) []*storage.DB {
	t.Helper()
	dbs := []*storage.DB{open(t, dsn, nil)}
	for len(dbs) < n {
		db := dbs[0]
		if strings.HasPrefix(dsn, "postgres://") {
			db = open(t, dsn, nil)
		}
		dbs = append(dbs, db)
	}
	return dbs
}

// write runs fn in a transaction that must succeed.
func write(t testing.TB, db *storage.DB, fn func(tx *storage.Tx) error) {
	t.Helper()
	if err := db.Write(context.Background(), fn); err != nil {
		t.Fatal(err)
	}
}

// equal compares whole values, through pointers too.
func equal(t testing.TB, what string, got, want any) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%s:\n got %+v\nwant %+v", what, got, want)
	}
}

// fails checks that err carries exactly this domain error.
func fails(t testing.TB, err error, want *domain.Error) {
	t.Helper()
	var got *domain.Error
	if !errors.As(err, &got) {
		t.Fatalf("got %v, want %s: %s", err, want.Code, want.Message)
	}
	if got.Code != want.Code || got.Field != want.Field || got.Message != want.Message {
		t.Errorf("got %s %q %q, want %s %q %q", got.Code, got.Field, got.Message, want.Code, want.Field, want.Message)
	}
}

// must returns v of a call that must succeed.
func must[T any](v T, err error) func(t testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// chunk is what FlushTraffic takes, without inbounds.
func chunk(node string, seq int64, ds ...domain.TrafficDelta) domain.Chunk {
	return domain.Chunk{Node: node, Seq: seq, Users: ds}
}

// flush stores a chunk, which must succeed.
func flush(t testing.TB, db *storage.DB, c domain.Chunk) {
	t.Helper()
	if err := db.FlushTraffic(context.Background(), c); err != nil {
		t.Fatal(err)
	}
}

func ptr[T any](v T) *T { return &v }

// newUser is a user of which every unique value follows from its name.
func newUser(admin int64, name string) domain.User {
	return domain.User{
		Username: name, SubID: "sub-" + name, AdminID: admin, Enabled: true,
		Credentials: domain.Credentials{
			VLESSID: "vless-" + name, VMessID: "vmess-" + name, TrojanPassword: "trojan-" + name,
			ShadowsocksPassword: "ss-" + name, HysteriaAuth: "hy-" + name,
		},
	}
}

func addAdmin(t testing.TB, db *storage.DB, name string) domain.Admin {
	t.Helper()
	a := domain.Admin{Username: name, PasswordHash: "hash of " + name, Sudo: true, Enabled: true}
	write(t, db, func(tx *storage.Tx) error { return tx.InsertAdmin(context.Background(), &a) })
	return a
}

func addInbound(t testing.TB, db *storage.DB, tag string) domain.Inbound {
	t.Helper()
	in := domain.Inbound{Tag: tag, Protocol: domain.VLESS, Port: 443, Enabled: true, Settings: "{}"}
	write(t, db, func(tx *storage.Tx) error { return tx.InsertInbound(context.Background(), &in) })
	return in
}

func addUser(t testing.TB, db *storage.DB, admin int64, name string, inbounds ...int64) domain.User {
	t.Helper()
	u := newUser(admin, name)
	write(t, db, func(tx *storage.Tx) error { return tx.InsertUser(context.Background(), &u, inbounds) })
	return u
}

func addGroup(t testing.TB, db *storage.DB, name string, inbounds ...int64) domain.Group {
	t.Helper()
	g := domain.Group{Name: name, Inbounds: inbounds}
	write(t, db, func(tx *storage.Tx) error { return tx.InsertGroup(context.Background(), &g) })
	return g
}

func addTemplate(t testing.TB, db *storage.DB, name string, groups ...int64) domain.Template {
	t.Helper()
	p := domain.Template{Name: name, Groups: groups}
	write(t, db, func(tx *storage.Tx) error { return tx.InsertTemplate(context.Background(), &p) })
	return p
}

// names are n users, u0 and so on.
func names(admin int64, n int) []domain.User {
	users := make([]domain.User, n)
	for i := range users {
		users[i] = newUser(admin, fmt.Sprint("u", i))
	}
	return users
}

// addUsers writes n users at once, u0 and so on.
func addUsers(t testing.TB, db *storage.DB, admin int64, n int) []domain.User {
	t.Helper()
	rows, users := make([]*storage.NewUser, n), make([]domain.User, n)
	for i, u := range names(admin, n) {
		rows[i] = &storage.NewUser{User: u}
	}
	write(t, db, func(tx *storage.Tx) error { return tx.InsertUsers(context.Background(), rows) })
	for i, row := range rows {
		users[i] = row.User
	}
	return users
}
