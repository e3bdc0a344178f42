package accounts_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/alexedwards/argon2id"

	"github.com/sluicehq/sluice/kernel/accounts"
	"github.com/sluicehq/sluice/kernel/domain"
	"github.com/sluicehq/sluice/storage"
)

const password = "a good password"

// operator makes an admin with that password.
func (b *bench) operator(name string, sudo bool) domain.Admin {
	b.t.Helper()
	admin, err := b.CreateAdmin(b.t.Context(), name, password, sudo)
	if err != nil {
		b.t.Fatal(err)
	}
	return admin
}

// login is a session of that admin.
func (b *bench) login(name string) string {
	b.t.Helper()
	session, err := b.Login(b.t.Context(), name, password, "127.0.0.1")
	if err != nil {
		b.t.Fatal(err)
	}
	return session
}

// disable keeps an admin out.
func (b *bench) disable(admin domain.Admin) {
	b.t.Helper()
	admin.Enabled = false
	b.write(func(tx *storage.Tx) error { return tx.UpdateAdmin(b.t.Context(), &admin) })
}

func TestLogin(t *testing.T) {
	b := newBench(t)
	mary := b.operator("Mary", false)
	who, err := b.Authenticate(t.Context(), b.login("MARY"))
	if err != nil || who.Admin.ID != mary.ID || who.Token != (domain.Token{Scope: domain.ScopeAdmin}) {
		t.Errorf("%+v, %v", who, err)
	}
}

// Whatever is wrong, the answer is the same; that an admin is disabled is told to who knows the password only.
func TestLoginRefuses(t *testing.T) {
	b := newBench(t)
	b.operator("mary", false)
	b.disable(b.operator("gone", false))
	for i, c := range []struct {
		name, username, password string
		want                     error
	}{
		{"another password", "mary", "a good passwore", accounts.ErrLogin},
		{"no password", "mary", "", accounts.ErrLogin},
		{"a longer one than there can be", "mary", strings.Repeat("a", 257), accounts.ErrLogin},
		{"an unknown name", "bob", password, accounts.ErrLogin},
		{"no name", "", password, accounts.ErrLogin},
		{"a longer name than there can be", strings.Repeat("a", 129), password, accounts.ErrLogin},
		{"a name that no database takes", "ma\x00ry", password, accounts.ErrLogin},
		{"disabled, another password", "gone", "a good passwore", accounts.ErrLogin},
		{"disabled", "gone", password, accounts.ErrDisabled},
	} {
		t.Run(c.name, func(t *testing.T) {
			session, err := b.Login(t.Context(), c.username, c.password, fmt.Sprintf("10.0.0.%d", i))
			if session != "" || err != c.want {
				t.Errorf("%q, %v; want %v", session, err, c.want)
			}
		})
	}
}

// A login costs one hash, whether there is such a name or not.
func TestLoginHashesOnce(t *testing.T) {
	b := newBench(t)
	b.operator("mary", false)
	b.disable(b.operator("gone", false))
	var hashed []string
	accounts.OnCompare(t, func(password, hash string) (bool, error) {
		params, _, _, err := argon2id.DecodeHash(hash)
		if err != nil || *params != accounts.Hashing {
			t.Errorf("hash %q with %+v, %v; want %+v", hash, params, err, accounts.Hashing)
		}
		hashed = append(hashed, password)
		return argon2id.ComparePasswordAndHash(password, hash)
	})
	for _, name := range []string{"mary", "gone", "bob"} {
		for _, tried := range []string{password, "wrong"} {
			hashed = nil
			_, _ = b.Login(t.Context(), name, tried, "127.0.0.1")
			if len(hashed) != 1 || hashed[0] != tried {
				t.Errorf("%s with %q: hashed %q", name, tried, hashed)
			}
		}
	}
}

// Nobody's password opens nothing, be it guessed: the name is what is missing.
func TestLoginAsNobody(t *testing.T) {
	b := newBench(t)
	accounts.OnCompare(t, func(string, string) (bool, error) { return true, nil })
	if _, err := b.Login(t.Context(), "bob", password, "127.0.0.1"); err != accounts.ErrLogin {
		t.Errorf("got %v", err)
	}
}

// A database that does not answer is no reason to say that a password is wrong.
func TestLoginWithoutDatabase(t *testing.T) {
	b := newBench(t)
	if err := b.db.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Login(t.Context(), "root", password, "127.0.0.1"); domain.CodeOf(err) != domain.CodeUnavailable {
		t.Errorf("got %v", err)
	}
}

// A hash that is none is an error of ours, and not of who logs in.
func TestLoginWithABrokenHash(t *testing.T) {
	b := newBench(t)
	_, err := b.Login(t.Context(), "root", password, "127.0.0.1")
	if !errors.Is(err, argon2id.ErrInvalidHash) {
		t.Errorf("got %v", err)
	}
}

// More logins at once than may wait are sent away, and count for nothing.
func TestLoginQueue(t *testing.T) {
	b := newBench(t)
	release := make(chan struct{})
	accounts.OnCompare(t, func(string, string) (bool, error) {
		<-release
		return false, nil
	})
	var waiting sync.WaitGroup
	defer waiting.Wait()
	defer close(release)
	for i := range accounts.LoginQueue {
		waiting.Go(func() {
			_, err := b.Login(t.Context(), fmt.Sprintf("user%d", i), password, fmt.Sprintf("10.0.0.%d", i))
			if err != accounts.ErrLogin {
				t.Errorf("login %d: %v", i, err)
			}
		})
	}
	until(t, func() bool { return accounts.LoginsFull(b.Service) })
	for range 20 { // twice as many as could fail from the address
		_, err := b.Login(t.Context(), "mary", password, "10.1.0.1")
		wantTooMany(t, err, time.Second)
	}
}

// Who goes away does not wait for a hash.
func TestLoginCanceled(t *testing.T) {
	b := newBench(t)
	release := make(chan struct{})
	accounts.OnCompare(t, func(string, string) (bool, error) {
		<-release
		return false, nil
	})
	var waiting sync.WaitGroup
	defer waiting.Wait()
	defer close(release)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 3)
	for i := range 3 { // two hash, one waits
		waiting.Go(func() {
			_, err := b.Login(ctx, "bob", password, fmt.Sprintf("10.0.0.%d", i))
			ended <- err
		})
	}
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func wantTooMany(t *testing.T, err error, wait time.Duration) {
	t.Helper()
	var e *accounts.TooManyLogins
	if !errors.As(err, &e) || e.Wait != wait {
		t.Fatalf("got %v, want a wait of %s", err, wait)
	}
}

// until waits for a condition that is bound to come true.
func until(t *testing.T, met func() bool) {
	t.Helper()
	deadline := time.After(time.Minute)
	for !met() {
		select {
		case <-deadline:
			t.Fatal("it has not come true within a minute")
		case <-time.After(time.Millisecond):
		}
	}
}
