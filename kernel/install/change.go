package install

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/sluicehq/sluice/kernel/domain"
	"github.com/sluicehq/sluice/kernel/plugin"
	"github.com/sluicehq/sluice/sdk/wire"
	"github.com/sluicehq/sluice/storage"
)

// Change is what an operator says about a plugin. A nil field leaves what was said.
type Change struct {
	Enabled  *bool
	Settings *string              // JSON object, "" = none
	Replaces *bool                // it may take the place of built-in items
	Grants   []domain.PluginGrant // all of them, empty = none are granted any more
	Trust    *string              // domain.TrustHash or domain.TrustSigner
	Secret   bool                 // make a new secret for its calls
}

// Change stores what was said about a plugin, and makes it follow. Settings that the plugin does not take, and grants
// that it does not ask for, are refused and change nothing.
func (s *Service) Change(ctx context.Context, name string, c Change) (plugin.Info, error) {
	s.changing.Lock()
	defer s.changing.Unlock()
	info, err := s.Find(name)
	if err != nil && (c.Replaces == nil || !domain.PluginName(name)) { // said before the upload that needs it
		return info, err
	}
	if info.Builtin {
		return info, domain.Invalid("name", "is the built-in plugin, about which nothing can be said")
	}
	policy := s.Policy(name)
	if err := s.edit(&policy, info, c); err != nil {
		return info, err
	}
	if err := s.DB.Write(ctx, func(tx *storage.Tx) error { return tx.SavePluginPolicy(ctx, &policy) }); err != nil {
		return info, err
	}
	s.keep(policy)
	ctx = context.WithoutCancel(ctx)
	s.apply(ctx, name)
	s.settled(ctx)
	if info.Name == "" {
		return plugin.Info{Name: name}, nil
	}
	return s.Find(name)
}

// edit applies a change to the policy of the plugin, or says why it can not be.
func (s *Service) edit(policy *domain.PluginPolicy, info plugin.Info, c Change) error {
	if c.Enabled != nil {
		policy.Disabled = !*c.Enabled
	}
	if c.Replaces != nil {
		policy.Replaces = *c.Replaces
	}
	if c.Settings != nil && *c.Settings != policy.Settings {
		if err := s.Host.CheckSettings(info.Name, *c.Settings); err != nil {
			return under("settings", err)
		}
		policy.Settings = *c.Settings
	}
	if c.Grants == nil && c.Trust == nil && !c.Secret {
		return nil
	}
	return grant(policy, info, c)
}

// grant applies what a change says about permissions. They are given to the version that waits for them, if there is one,
// and bound to its file or its signer.
func grant(policy *domain.PluginPolicy, info plugin.Info, c Change) error {
	wanted, sha256, signer := info.Permissions, info.SHA256, info.Signer
	if info.Waiting != nil {
		wanted, sha256, signer = info.Waiting.Permissions, info.Waiting.SHA256, info.Waiting.Signer
	}
	if c.Grants != nil {
		for i, g := range c.Grants {
			if err := asked(g, wanted); err != nil {
				return under(fmt.Sprintf("grants[%d]", i), err)
			}
		}
		policy.Grants = c.Grants
	}
	if c.Trust != nil {
		policy.Trust = *c.Trust
	}
	switch policy.Trust {
	case "", domain.TrustHash:
		policy.Trust, policy.Trusted = domain.TrustHash, sha256
	case domain.TrustSigner:
		if signer == "" {
			return domain.Invalid("trust", "can not be signer: the plugin is not signed")
		}
		policy.Trusted = signer
	default:
		return domain.Invalid("trust", "must be hash or signer")
	}
	if c.Secret || policy.Secret == "" && slices.ContainsFunc(policy.Grants, func(g domain.PluginGrant) bool { return g.Name == wire.PermissionHTTP }) {
		policy.Secret = newSecret()
	}
	return nil
}

// asked refuses to grant what the plugin does not ask for.
func asked(g domain.PluginGrant, wanted []wire.Permission) error {
	for _, p := range wanted {
		if p.Name != g.Name {
			continue
		}
		anyone := slices.Contains(p.Hosts, wire.AnyHost)
		for _, host := range g.Hosts {
			switch {
			case slices.Contains(p.Hosts, host) && host != wire.AnyHost:
			case !anyone:
				return domain.Invalid("hosts", fmt.Sprintf("has %s, which the plugin does not ask for; it asks for %s", host, strings.Join(p.Hosts, ", ")))
			case !plugin.HostName(host):
				return domain.Invalid("hosts", fmt.Sprintf("has %q; it takes host names in lower case, with a port or without", host))
			}
		}
		if g.Name == wire.PermissionHTTP && len(g.Hosts) == 0 {
			return domain.Invalid("hosts", "can not be empty; the plugin asks for "+plugin.HostList(p.Hosts))
		}
		return nil
	}
	return domain.Invalid("name", fmt.Sprintf("is %q, which the plugin does not ask for", g.Name))
}

// newSecret is one in the form of Standard Webhooks.
func newSecret() string {
	key := make([]byte, 32)
	_, _ = rand.Read(key) // never fails
	return "whsec_" + base64.StdEncoding.EncodeToString(key)
}

// under puts the field of an error below another.
func under(field string, err error) error {
	var e *domain.Error
	if !errors.As(err, &e) {
		return err
	}
	deeper := *e
	if deeper.Field = field; e.Field != "" {
		deeper.Field += "." + e.Field
	}
	return &deeper
}

// Delete removes a plugin: its file, and, unless keep is set, what was said about it, what it has stored, and the events
// that wait for it.
func (s *Service) Delete(ctx context.Context, name string, keep bool) error {
	s.changing.Lock()
	defer s.changing.Unlock()
	info, err := s.Find(name)
	if err != nil {
		return err
	}
	if info.Builtin {
		return domain.Invalid("name", "is the built-in plugin, which can not be deleted")
	}
	if err := os.Remove(filepath.Join(s.Dir, info.File)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return domain.Unavailable("the plugin's file can not be removed").Because(err)
	}
	if err := syncDir(s.Dir); err != nil {
		return domain.Unavailable("the removal of the plugin's file can not be stored").Because(err)
	}
	ctx = context.WithoutCancel(ctx)
	s.gone(ctx, info.File)
	s.settled(ctx)
	if keep || info.Name == "" {
		return nil
	}
	return s.forget(ctx, info)
}

// forget removes everything that is stored about a plugin.
func (s *Service) forget(ctx context.Context, info plugin.Info) error {
	err := s.DB.Write(ctx, func(tx *storage.Tx) error { return tx.DeletePluginPolicy(ctx, info.Name) })
	if err != nil && domain.CodeOf(err) != domain.CodeNotFound {
		return err
	}
	s.keep(domain.PluginPolicy{Name: info.Name})
	for _, item := range info.Provides {
		if item.Kind == wire.KindEvent {
			if err := s.DB.DropHandler(ctx, Handler(info.Name, item.ID)); err != nil {
				return err
			}
		}
	}
	return s.DB.DropPluginKV(ctx, info.Name)
}

// Handler is what an event item is called in the outbox.
func Handler(plugin, item string) string { return plugin + "/" + item }
