package control_test

import (
	"context"
	"errors"
	"net"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/jonboulle/clockwork"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/sluicehq/sluice/httpapi/control"
	"github.com/sluicehq/sluice/kernel"
	"github.com/sluicehq/sluice/kernel/domain"
)

// start is the moment at which the clock of every test begins, in ms UTC.
const start = int64(1_790_000_000_000)

// each runs a test over the socket and in memory, each on data of its own.
func each(t *testing.T, test func(*testing.T, *control.Client)) {
	t.Run("socket", func(t *testing.T) {
		app := newApp(t, zap.NewNop())
		socket := listen(t, app)
		client, err := control.Dial(t.Context(), socket)
		if err != nil {
			t.Fatal(err)
		}
		test(t, client)
	})
	t.Run("local", func(t *testing.T) {
		client, stop := control.Local(newApp(t, zap.NewNop()))
		test(t, client)
		if err := stop(); err != nil {
			t.Error(err)
		}
	})
}

func newApp(t *testing.T, log *zap.Logger) *fiber.App {
	t.Helper()
	dir := kernel.DataDir(t.TempDir())
	lock, err := dir.Acquire()
	if err != nil {
		t.Fatal(err)
	}
	k, err := kernel.Open(t.Context(), kernel.Options{Dir: dir, Clock: clockwork.NewFakeClockAt(time.UnixMilli(start))})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(k.Stop(context.WithoutCancel(t.Context())), lock.Release()); err != nil {
			t.Error(err)
		}
	})
	return control.New(k.Accounts, log)
}

func listen(t *testing.T, app *fiber.App) string {
	t.Helper()
	socket := filepath.Join(t.TempDir(), "s.sock")
	l, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- app.Listener(l) }()
	t.Cleanup(func() {
		_ = l.Close() // ends Listener, whatever its clients do
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
	return socket
}

func wantError(t *testing.T, what string, err error, code domain.Code, sentence string) {
	t.Helper()
	var e *domain.Error
	if !errors.As(err, &e) || e.Code != code || e.Error() != sentence {
		t.Errorf("%s: got %v (%s), want %s: %s", what, err, domain.CodeOf(err), code, sentence)
	}
}

func TestTokens(t *testing.T) {
	each(t, func(t *testing.T, c *control.Client) {
		ctx := t.Context()
		_, err := c.CreateToken(ctx, control.NewToken{Name: "early", Scope: domain.ScopeAdmin})
		wantError(t, "without an admin", err, domain.CodeNotFound,
			"there is no sudo admin yet: start the server once, or create one with `sluice admin create --sudo`")
		if err := c.CreateAdmin(ctx, control.NewAdmin{Username: "root", Password: "a good password", Sudo: true}); err != nil {
			t.Fatal(err)
		}
		if list, err := c.Tokens(ctx); err != nil || list == nil || len(list) != 0 {
			t.Errorf("no tokens: %v, %v", list, err)
		}
		const name = "a/b ?#%é" // must survive the path
		expires := start + 5
		made, err := c.CreateToken(ctx, control.NewToken{Name: name, Scope: domain.ScopeReadonly, ExpiresAt: &expires})
		if err != nil || !strings.HasPrefix(made.Secret, "sluice_") {
			t.Fatalf("made %+v, %v", made, err)
		}
		want := control.Token{ID: 1, Name: name, Scope: domain.ScopeReadonly, Enabled: true, ExpiresAt: &expires, CreatedAt: start}
		if list, err := c.Tokens(ctx); err != nil || !reflect.DeepEqual(list, []control.Token{want}) {
			t.Errorf("list %+v, %v", list, err)
		}
		_, err = c.CreateToken(ctx, control.NewToken{Name: name, Scope: domain.ScopeAdmin})
		wantError(t, "name in use", err, domain.CodeConflict, "name already in use: "+name)
		_, err = c.CreateToken(ctx, control.NewToken{Name: "b", Scope: "root"})
		wantError(t, "unknown scope", err, domain.CodeInvalid, "scope must be admin or readonly")
		if err := c.RevokeToken(ctx, name); err != nil {
			t.Errorf("revoke: %v", err)
		}
		wantError(t, "revoke again", c.RevokeToken(ctx, name), domain.CodeNotFound, "token not found: "+name)
	})
}

func TestAdmins(t *testing.T) {
	each(t, func(t *testing.T, c *control.Client) {
		ctx := t.Context()
		root := control.NewAdmin{Username: "root", Password: "a good password"}
		if err := c.CreateAdmin(ctx, root); err != nil {
			t.Fatal(err)
		}
		wantError(t, "name in use", c.CreateAdmin(ctx, root), domain.CodeConflict, "username already in use: root")
		if err := c.SetPassword(ctx, "ROOT", "another password"); err != nil {
			t.Errorf("password: %v", err)
		}
		wantError(t, "short password", c.SetPassword(ctx, "root", "short"), domain.CodeInvalid, "password is shorter than 8 characters")
		wantError(t, "nobody's password", c.SetPassword(ctx, "nobody", "a good password"), domain.CodeNotFound, "admin not found")
	})
}

func TestCore(t *testing.T) {
	each(t, func(t *testing.T, c *control.Client) {
		ctx := t.Context()
		if config, err := c.CoreConfig(ctx); err != nil || !strings.Contains(string(config), `"outbounds"`) {
			t.Errorf("default %s, %v", config, err)
		}
		const config = `{"outbounds":[{"protocol":"freedom"}]}`
		if err := c.SetCoreConfig(ctx, []byte(config)); err != nil {
			t.Fatal(err)
		}
		for name, bad := range map[string]string{"no JSON": "{", "inbounds": `{"inbounds":[]}`} {
			if err := c.SetCoreConfig(ctx, []byte(bad)); domain.CodeOf(err) != domain.CodeInvalid {
				t.Errorf("%s: %v", name, err)
			}
		}
		if got, err := c.CoreConfig(ctx); err != nil || string(got) != config {
			t.Errorf("got %s, %v", got, err)
		}
	})
}

// Without a server there is no client, at once.
func TestDialNobody(t *testing.T) {
	if _, err := control.Dial(t.Context(), filepath.Join(t.TempDir(), "s.sock")); err == nil {
		t.Error("dialled")
	}
}

// A panic is a failed command, not the end of the server.
func TestPanic(t *testing.T) {
	observed, logs := observer.New(zap.ErrorLevel)
	client, err := control.Dial(t.Context(), listen(t, control.New(nil, zap.New(observed))))
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if _, err := client.Tokens(t.Context()); err == nil || !strings.Contains(err.Error(), "nil pointer") {
			t.Errorf("got %v", err)
		}
	}
	if logs.FilterMessage("command panicked").Len() != 2 {
		t.Errorf("logged %+v", logs.All())
	}
}

// A server that is gone is an error that says what was being done.
func TestServerIsGone(t *testing.T) {
	client, stop := control.Local(newApp(t, zap.NewNop()))
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	if _, err := client.Tokens(t.Context()); err == nil || !strings.HasPrefix(err.Error(), "ask the server: ") {
		t.Errorf("got %v", err)
	}
}
