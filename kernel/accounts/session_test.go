package accounts_test

import (
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/sluicehq/sluice/kernel/accounts"
	"github.com/sluicehq/sluice/kernel/domain"
	"github.com/sluicehq/sluice/storage"
)

// claimsOf are the claims of a JWT as they are written.
func claimsOf(t *testing.T, session string) string {
	t.Helper()
	text, err := base64.RawURLEncoding.DecodeString(strings.Split(session, ".")[1])
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestSessionClaims(t *testing.T) {
	b := newBench(t)
	mary, boss := b.operator("Mary", false), b.operator("boss", true)
	b.clock.Advance(999 * time.Millisecond)
	const claims = `{"sub":%q,"exp":1790086400,"iat":1790000000,"access":%q,"aid":%d,"pwd":1790000000000}`
	if got, want := claimsOf(t, b.login("mary")), fmt.Sprintf(claims, "Mary", "admin", mary.ID); got != want {
		t.Errorf("claims %s\nwant %s", got, want)
	}
	if got, want := claimsOf(t, b.login("boss")), fmt.Sprintf(claims, "boss", "sudo", boss.ID); got != want {
		t.Errorf("claims %s\nwant %s", got, want)
	}
	key, err := b.db.Secret(t.Context(), "session_key")
	if err != nil || len(key) != 64 {
		t.Errorf("key %q, %v", key, err)
	}
}

// wantOpen checks what a session opens.
func (b *bench) wantOpen(what, session string, open bool) {
	b.t.Helper()
	who, err := b.Authenticate(b.t.Context(), session)
	if (err == nil) != open || (who.Admin.ID != 0) != open || err != nil && domain.CodeOf(err) != domain.CodeForbidden {
		b.t.Errorf("%s: it opens %+v, %v; want %v", what, who, err, open)
	}
}

// A session ends after a day, plus what clocks may differ.
func TestSessionExpires(t *testing.T) {
	b := newBench(t)
	b.operator("mary", false)
	session := b.login("mary")
	b.clock.Advance(24*time.Hour + 5*time.Second - time.Millisecond)
	b.wantOpen("in its last millisecond", session, true)
	b.clock.Advance(time.Millisecond)
	b.wantOpen("after it", session, false)
}

// A new password ends the sessions from before it, also those of the same millisecond, and none from after it.
func TestSessionEndsWithThePassword(t *testing.T) {
	b := newBench(t)
	b.operator("mary", false)
	b.operator("bob", false)
	before, others := b.login("mary"), b.login("bob")
	for range 3 {
		if err := b.SetPassword(t.Context(), "mary", password); err != nil {
			t.Fatal(err)
		}
		after := b.login("mary")
		b.wantOpen("before", before, false)
		b.wantOpen("after", after, true)
		before = after
	}
	b.wantOpen("another admin's", others, true)
}

// A disabled admin's session says why it opens nothing, and opens everything again when the admin is enabled.
func TestSessionOfADisabledAdmin(t *testing.T) {
	b := newBench(t)
	mary := b.operator("mary", false)
	session := b.login("mary")
	b.disable(mary)
	_, err := b.Authenticate(t.Context(), session)
	if !errors.Is(err, accounts.ErrDisabled) {
		t.Errorf("got %v", err)
	}
	wantError(t, err, domain.CodeForbidden, "", "the API token is missing, unknown, expired or disabled")
	b.write(func(tx *storage.Tx) error { return tx.UpdateAdmin(t.Context(), &mary) })
	b.wantOpen("enabled", session, true)
}

// A session is not that of another admin who has the name later.
func TestSessionOfADeletedAdmin(t *testing.T) {
	b := newBench(t)
	b.operator("mary", false)
	session := b.login("mary")
	if err := b.DeleteAdmin(t.Context(), accounts.Principal{Admin: b.admin}, "mary"); err != nil {
		t.Fatal(err)
	}
	b.wantOpen("deleted", session, false)
	b.operator("mary", false)
	b.wantOpen("made again", session, false)
}

// A session is no longer one when its admin has another name.
func TestSessionOfARenamedAdmin(t *testing.T) {
	b := newBench(t)
	mary := b.operator("mary", false)
	session := b.login("mary")
	mary.Username = "MARY"
	b.write(func(tx *storage.Tx) error { return tx.UpdateAdmin(t.Context(), &mary) })
	b.wantOpen("in another case", session, true)
	mary.Username = "maria"
	b.write(func(tx *storage.Tx) error { return tx.UpdateAdmin(t.Context(), &mary) })
	b.wantOpen("renamed", session, false)
}

// Every process on a database takes the sessions of the others, also those that were started before there was a key.
func TestSessionsOfProcesses(t *testing.T) {
	b := newBench(t)
	b.operator("mary", false)
	var sessions []string
	services := make([]*accounts.Service, 3)
	for i := range services {
		services[i] = accounts.New(accounts.Options{DB: b.db, Clock: b.clock})
		if _, err := services[i].Authenticate(t.Context(), "a.b.c"); domain.CodeOf(err) != domain.CodeForbidden {
			t.Errorf("without a key: %v", err)
		}
	}
	for _, s := range services {
		session, err := s.Login(t.Context(), "mary", password, "127.0.0.1")
		if err != nil {
			t.Fatal(err)
		}
		sessions = append(sessions, session)
	}
	for i, s := range services {
		for j, session := range sessions {
			if who, err := s.Authenticate(t.Context(), session); err != nil || who.Admin.Username != "mary" {
				t.Errorf("process %d and the session of %d: %+v, %v", i, j, who, err)
			}
		}
	}
}

// Nothing but what a login has given opens anything.
func TestForgedSessions(t *testing.T) {
	b := newBench(t)
	mary, boss := b.operator("mary", false), b.operator("boss", true)
	genuine := b.login("mary")
	text, err := b.db.Secret(t.Context(), "session_key")
	if err != nil {
		t.Fatal(err)
	}
	key := []byte(text)
	_, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	claims := func(change func(jwt.MapClaims)) jwt.MapClaims {
		m := jwt.MapClaims{}
		if err := json.Unmarshal([]byte(claimsOf(t, genuine)), &m); err != nil {
			t.Fatal(err)
		}
		if change != nil {
			change(m)
		}
		return m
	}
	with := func(name string, value any) jwt.MapClaims {
		return claims(func(m jwt.MapClaims) { m[name] = value })
	}
	without := func(name string) jwt.MapClaims { return claims(func(m jwt.MapClaims) { delete(m, name) }) }
	sign := func(method jwt.SigningMethod, key any, c jwt.MapClaims) string {
		signed, err := jwt.NewWithClaims(method, c).SignedString(key)
		if err != nil {
			t.Fatal(err)
		}
		return signed
	}
	hs256 := func(c jwt.MapClaims) string { return sign(jwt.SigningMethodHS256, key, c) }
	b.wantOpen("the genuine one", genuine, true)
	b.wantOpen("one that is signed in the same way", hs256(claims(nil)), true)
	parts := strings.Split(genuine, ".")
	now := b.clock.Now()
	for _, c := range []struct{ name, session string }{
		{"no algorithm", sign(jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, claims(nil))},
		{"no algorithm, the signature", strings.TrimSuffix(sign(jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, claims(nil)), ".") + "." + parts[2]},
		{"HS384", sign(jwt.SigningMethodHS384, key, claims(nil))},
		{"HS512", sign(jwt.SigningMethodHS512, key, claims(nil))},
		{"EdDSA", sign(jwt.SigningMethodEdDSA, private, claims(nil))},
		{"another key", sign(jwt.SigningMethodHS256, []byte(strings.Repeat("0", 64)), claims(nil))},
		{"an empty key", sign(jwt.SigningMethodHS256, []byte{}, claims(nil))},
		{"no signature", parts[0] + "." + parts[1] + "."},
		{"half a signature", parts[0] + "." + parts[1] + "." + parts[2][:20]},
		{"another signature's claims", parts[0] + "." + strings.Split(hs256(with("aid", boss.ID)), ".")[1] + "." + parts[2]},
		{"no header", "." + parts[1] + "." + parts[2]},
		{"no claims", parts[0] + ".." + parts[2]},
		{"no base64", parts[0] + ".!!." + parts[2]},
		{"dots", ".."},
		{"four parts", genuine + ".x"},
		{"expired", hs256(with("exp", now.Add(-5*time.Second).Unix()))},
		{"without an end", hs256(without("exp"))},
		{"the end as text", hs256(with("exp", "tomorrow"))},
		{"from the future", hs256(with("iat", now.Add(6*time.Second).Unix()))},
		{"not before later", hs256(with("nbf", now.Add(6*time.Second).Unix()))},
		{"nobody's", hs256(with("aid", 99))},
		{"without an admin", hs256(without("aid"))},
		{"the admin as text", hs256(with("aid", fmt.Sprint(mary.ID)))},
		{"another admin's name", hs256(with("sub", "boss"))},
		{"without a name", hs256(without("sub"))},
		{"another admin's id", hs256(with("aid", boss.ID))},
		{"another password", hs256(with("pwd", start-1))},
		{"without a password", hs256(without("pwd"))},
	} {
		t.Run(c.name, func(t *testing.T) {
			b.t = t
			b.refused(domain.CodeForbidden, "", "the API token is missing, unknown, expired or disabled", func(ctx context.Context) error {
				_, err := b.Authenticate(ctx, c.session)
				return err
			})
		})
	}
}

// What a session says of its rights does not count: they are looked up.
func TestSessionRights(t *testing.T) {
	b := newBench(t)
	mary := b.operator("mary", false)
	session := b.login("mary")
	mary.Sudo = true
	b.write(func(tx *storage.Tx) error { return tx.UpdateAdmin(t.Context(), &mary) })
	if who, err := b.Authenticate(t.Context(), session); err != nil || !who.Admin.Sudo {
		t.Errorf("%+v, %v", who, err)
	}
}
