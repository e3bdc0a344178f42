package accounts_test

import (
	"context"
	"errors"
	"testing"

	"github.com/sluicehq/sluice/kernel/core"
	"github.com/sluicehq/sluice/kernel/domain"
)

const direct = `{"outbounds":[{"tag":"direct","protocol":"freedom"}]}`

func (b *bench) wantConfig(want string) {
	b.t.Helper()
	if got, err := b.CoreConfig(b.t.Context()); err != nil || got != want {
		b.t.Errorf("configuration %s, %v\nwant %s", got, err, want)
	}
}

func TestSetCoreConfig(t *testing.T) {
	b := newBench(t)
	b.wantConfig(core.DefaultConfig())
	if err := b.SetCoreConfig(t.Context(), direct); err != nil {
		t.Fatal(err)
	}
	b.wantConfig(direct)
	b.core.wantTold(t, "config "+direct)
}

// What can not be built is neither stored nor shown to the running core.
func TestSetCoreConfigThatCanNotBeBuilt(t *testing.T) {
	b := newBench(t)
	for name, config := range map[string]string{
		"no JSON":           `{"outbounds":`,
		"a list":            `[]`,
		"unknown protocol":  `{"outbounds":[{"protocol":"gopher"}]}`,
		"inbounds":          `{"inbounds":[]}`,
		"file out of reach": `{"outbounds":[{"protocol":"freedom","streamSettings":{"security":"tls","tlsSettings":{"certificates":[{"certificateFile":"/etc/passwd","keyFile":"/etc/passwd"}]}}}]}`,
	} {
		t.Run(name, func(t *testing.T) {
			if err := b.SetCoreConfig(t.Context(), config); domain.CodeOf(err) != domain.CodeInvalid {
				t.Errorf("got %v", err)
			}
		})
	}
	b.core.wantTold(t)
	b.wantConfig(core.DefaultConfig())
}

// A core that does not start with the new document runs on with the former, and so does the database.
func TestSetCoreConfigThatTheCoreRefuses(t *testing.T) {
	b := newBench(t)
	const former = `{"outbounds":[{"tag":"former","protocol":"freedom"}]}`
	for _, before := range []string{"", former} {
		if before != "" {
			if err := b.SetCoreConfig(t.Context(), before); err != nil {
				t.Fatal(err)
			}
		}
		b.core.configs = func(string) error { return domain.Invalid("", "the address is taken") }
		err := b.SetCoreConfig(t.Context(), direct)
		wantError(t, err, domain.CodeInvalid, "config",
			"config is refused by the core, which runs on with the former one: the address is taken")
		b.core.configs = nil
	}
	b.wantConfig(former)
	b.core.wantTold(t, "config "+former)
}

// With a core that is down the document is kept: it may be what the next start needs.
func TestSetCoreConfigWhileTheCoreIsDown(t *testing.T) {
	b := newBench(t)
	b.core.configs = func(string) error { return domain.Unavailable("the core is not running") }
	err := b.SetCoreConfig(t.Context(), direct)
	wantError(t, err, domain.CodeUnavailable, "", "the configuration is stored, but the core is not running: start Sluice again")
	b.wantConfig(direct)
}

// Without a core, as on the command line while no server runs, the document is stored for the next start.
func TestSetCoreConfigWithoutACore(t *testing.T) {
	b := newBench(t)
	b.Core = nil
	if err := b.SetCoreConfig(t.Context(), direct); err != nil {
		t.Fatal(err)
	}
	b.wantConfig(direct)
}

// A rollback that fails as well is no sentence for callers.
func TestSetCoreConfigThatCanNotBePutBack(t *testing.T) {
	b := newBench(t)
	b.core.configs = func(string) error {
		if err := b.db.Close(); err != nil {
			t.Error(err)
		}
		return errors.New("refused")
	}
	if err := b.SetCoreConfig(context.WithoutCancel(t.Context()), direct); err == nil || domain.CodeOf(err) == domain.CodeInvalid {
		t.Errorf("got %v", err)
	}
}
