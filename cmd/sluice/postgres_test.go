//go:build integration

package main

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/sluicehq/sluice/kernel/core/coretest"
	"github.com/sluicehq/sluice/storage/storagetest"
)

// TestFirstFiveMinutesOnPostgres is the same story with the data in PostgreSQL.
func TestFirstFiveMinutesOnPostgres(t *testing.T) {
	firstFiveMinutes(t, "--database", storagetest.Postgres(t))
}

// TestLifeOfAUserOnPostgres are the same stories with the data in PostgreSQL.
func TestLifeOfAUserOnPostgres(t *testing.T) {
	lifeOfAUser(t, "--database", storagetest.Postgres(t))
}

// TestBulkOnPostgres is what bulk operations do to the connections of six protocols, with the data in PostgreSQL.
func TestBulkOnPostgres(t *testing.T) {
	bulk(t, "--database", storagetest.Postgres(t))
}

// TestTemplatesOnPostgres are the scenarios of templates, with the data in PostgreSQL.
func TestTemplatesOnPostgres(t *testing.T) {
	templates(t, "--database", storagetest.Postgres(t))
}

// TestTwoServersShareOneDatabase has two processes do what is due for the same users: each thing is done once, and a
// change that was made on one is followed by the other.
func TestTwoServersShareOneDatabase(t *testing.T) {
	const users = 50
	dsn := storagetest.Postgres(t)
	one := start(t, t.TempDir(), "--database", dsn)
	one.login()
	inbound := fmt.Sprintf(`{"listen":"127.0.0.1","port":%d,"protocol":"vless","enable":false,"settings":{"decryption":"none"}}`, coretest.FreePort(t))
	one.panel(http.MethodPost, "/inbounds/add", inbound, nil)
	two := start(t, t.TempDir(), "--database", dsn)
	two.token = one.token
	due := time.Now().Add(8 * time.Second).UnixMilli() // when both know them
	for i := range users {
		one.panel(http.MethodPost, "/clients/add", fmt.Sprintf(
			`{"client":{"email":"user%d","expiryTime":%d,"reset":1,"autoDeleteInDays":0},"inboundIds":[1]}`, i, due), nil)
	}
	for i := range users {
		var c shownClient
		coretest.Eventually(t, "the subscription is renewed", func() bool {
			two.panel(http.MethodGet, fmt.Sprintf("/clients/get/user%d", i), "", &c)
			return c.Client.ResetCount > 0
		})
		if c.Client.ResetCount != 1 || c.Client.ExpiryTime != due+24*3600_000 || c.Client.Status != "active" {
			t.Errorf("user%d: %+v", i, c.Client)
		}
	}
	for name, s := range map[string]*server{"one": one, "two": two} {
		coretest.Eventually(t, name+" knows every user", func() bool {
			var last map[string]int64
			s.panel(http.MethodPost, "/clients/lastOnline", "", &last)
			return len(last) == users
		})
	}
	one.panel(http.MethodPost, "/clients/del/user0", "", nil)
	coretest.Eventually(t, "the other server forgets a deleted user", func() bool {
		var last map[string]int64
		two.panel(http.MethodPost, "/clients/lastOnline", "", &last)
		return len(last) == users-1
	})
}
