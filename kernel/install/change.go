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
	SHA256   string               // of the file that grants and trust are for, "" = the newest
	Secret   bool                 // make a new secret for its calls
}

// Change stores what was said about a plugin, and makes it follow. Settings that the plugin does not take, and grants
// that it does not ask for, are refused and change nothing. What it may replace can be said before the upload that needs it.
func (s *Service) Change(ctx context.Context, name string, c Change) (plugin.Info, error) {
	s.changing.Lock()
	defer s.changing.Unlock()
	info, err := s.Find(name)
	if early := c.Replaces != nil && c.Settings == nil && c.Grants == nil && domain.PluginName(name); err != nil && !early {
		return info, err
	}
	switch {
	case info.Builtin:
		return info, domain.Invalid("name", "is the built-in plugin, about which nothing can be said")
	case info.File == name:
		return info, domain.Conflict("name", "is a file, about which nothing can be said: only about a plugin, by its own name")
	}
	policy := s.Policy(name)
	if err := s.edit(ctx, &policy, info, c); err != nil {
		return info, err
	}
	if err := s.DB.Write(ctx, func(tx *storage.Tx) error { return tx.SavePluginPolicy(ctx, &policy) }); err != nil {
		return info, err
	}
	s.keep(policy)
	ctx = context.WithoutCancel(ctx)
	s.apply(ctx, name)
	if c.Settings != nil && info.Name != "" && !info.Conflict && info.Waiting == nil {
		s.again(ctx, info)
	}
	s.settled(ctx)
	if info.Name == "" {
		return plugin.Info{Name: name, State: plugin.StateRefused, Reason: "there is no file of this plugin yet"}, nil
	}
	return s.Find(name)
}

// edit applies a change to the policy of the plugin, or says why it can not be.
func (s *Service) edit(ctx context.Context, policy *domain.PluginPolicy, info plugin.Info, c Change) error {
	if c.Enabled != nil {
		policy.Disabled = !*c.Enabled
	}
	if c.Replaces != nil {
		policy.Replaces = *c.Replaces
	}
	if c.Settings != nil && *c.Settings != policy.Settings {
		policy.Settings = *c.Settings
		if err := s.fit(ctx, *policy, info); err != nil {
			return under("settings", err)
		}
	}
	if c.Grants == nil && c.Trust == nil && !c.Secret {
		return nil
	}
	return grant(policy, info, c)
}

// fit says whether a plugin would take its settings. One that is refused is tried with them: those before may be why.
func (s *Service) fit(ctx context.Context, policy domain.PluginPolicy, info plugin.Info) error {
	if info.State != plugin.StateRefused || info.Conflict {
		return s.Host.CheckSettings(info.Name, policy.Settings)
	}
	wasm, err := readPlugin(filepath.Join(s.Dir, info.File))
	if err != nil {
		return domain.Unavailable("the plugin's file can not be read").Because(err)
	}
	trial, err := s.Host.Trial(ctx, info.File, wasm, func(string) domain.PluginPolicy { return policy })
	if err != nil {
		return err
	}
	return trial.Close(ctx)
}

// again loads a file that was refused: other settings may be what it needs. What it says now is in List.
func (s *Service) again(ctx context.Context, info plugin.Info) {
	wasm, err := readPlugin(filepath.Join(s.Dir, info.File))
	if err == nil && (info.State == plugin.StateRefused || digest(wasm) != info.SHA256) {
		_ = s.Host.Load(ctx, info.File, wasm)
	}
}

// grant applies what a change says about permissions, and makes the secret that calls are signed with.
func grant(policy *domain.PluginPolicy, info plugin.Info, c Change) error {
	sha256, signer, wanted := info.SHA256, info.Signer, info.Permissions
	if w := info.Waiting; w != nil && c.Grants != nil && c.SHA256 != info.SHA256 { // which is what they are for
		sha256, signer, wanted = w.SHA256, w.Signer, w.Permissions
	}
	switch {
	case c.SHA256 != "" && c.SHA256 != sha256:
		return domain.Conflict("sha256", "is not that of the file that is there: it has changed")
	case c.Grants != nil:
		if err := allAsked(c.Grants, wanted); err != nil {
			return err
		}
		policy.Grants = c.Grants
	case c.Trust != nil && len(policy.Grants) > 0 && len(info.Granted) == 0:
		return domain.Invalid("trust", "can not change without grants: those that there are were given to another file")
	}
	if c.Trust != nil {
		policy.Trust = *c.Trust
	}
	if c.Grants != nil || c.Trust != nil {
		if err := bind(policy, sha256, signer); err != nil {
			return err
		}
	}
	if c.Secret || policy.Secret == "" && slices.ContainsFunc(policy.Grants, func(g domain.PluginGrant) bool { return g.Name == wire.PermissionHTTP }) {
		policy.Secret = newSecret()
	}
	return nil
}

// bind says what the grants are for: this very file, or its signer.
func bind(policy *domain.PluginPolicy, sha256, signer string) error {
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
	return nil
}

// allAsked refuses to grant what the plugin does not ask for, and anything twice: the second would count alone.
func allAsked(grants []domain.PluginGrant, wanted []wire.Permission) error {
	seen := map[string]bool{}
	for i, g := range grants {
		err := asked(g, wanted)
		if err == nil && seen[g.Name] {
			err = domain.Invalid("name", "is "+g.Name+" again")
		}
		if err != nil {
			return under(fmt.Sprintf("grants[%d]", i), err)
		}
		seen[g.Name] = true
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
			case g.Name != wire.PermissionHTTP:
				return domain.Invalid("hosts", "is for http alone")
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
	if err != nil && s.Policy(name).Revision > 0 && !keep { // the file has gone before
		return s.forget(ctx, plugin.Info{Name: name})
	}
	if err != nil {
		return err
	}
	if info.Builtin {
		return domain.Invalid("name", "is the built-in plugin, which can not be deleted")
	}
	owner, _ := s.Find(info.Name) // whom what is stored under the name belongs to
	if err := os.Remove(filepath.Join(s.Dir, info.File)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return domain.Unavailable("the plugin's file can not be removed").Because(err)
	}
	if err := syncDir(s.Dir); err != nil {
		return domain.Unavailable("the removal of the plugin's file can not be stored").Because(err)
	}
	ctx = context.WithoutCancel(ctx)
	s.gone(ctx, info.File)
	s.settled(ctx)
	if keep || info.Name == "" || owner.File != info.File {
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
	s.apply(ctx, info.Name) // another file of that name, which has come in
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
