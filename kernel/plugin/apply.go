package plugin

import (
	"context"
	"encoding/base64"
	"errors"
	"strings"

	"go.uber.org/zap"

	"github.com/sluicehq/sluice/kernel/domain"
)

// maxSettings is the number of bytes that settings may have: a page of text, of which every instance keeps a copy.
const maxSettings = 64 << 10

// Apply makes the plugins of that name follow their policy, which is read anew: settings go to new instances while calls
// in flight end on the old ones, grants, the switch, and what they may replace. A version that waits is let in if it
// lacks nothing any more, one that serves waits if it does now. Settings or a secret that can not be used are an Invalid
// and change nothing. A name that nothing has is no error.
func (h *Host) Apply(ctx context.Context, name string) error {
	return h.change(ctx, "apply the policy of plugin "+name, func() error {
		var made []renewal
		for _, e := range h.registry.Load().entries {
			r := renewal{entry: e}
			for _, part := range []struct {
				old  *plugin
				next **plugin
			}{{e.plugin, &r.plugin}, {e.held, &r.held}} {
				if part.old == nil || part.old.name != name || part.old.builtin {
					continue
				}
				var err error
				if *part.next, err = part.old.again(h.o.Policy(name)); err != nil {
					for _, m := range append(made, r) {
						h.retire(m.plugin)
						h.retire(m.held)
					}
					return domain.Invalid("", "plugin "+name+" goes on as before: "+err.Error()).Because(err)
				}
			}
			if r.plugin != nil || r.held != nil {
				made = append(made, r)
			}
		}
		for _, r := range made {
			h.replace(r)
		}
		h.admit()
		return nil
	})
}

// renewal is an entry with its plugins under their new policy; nil = it keeps the one that it has.
type renewal struct {
	entry        *entry
	plugin, held *plugin
}

// replace puts the renewed plugins of an entry where they belong now.
func (h *Host) replace(r renewal) {
	g := h.registry.Load()
	if r.held != nil {
		if state, _ := g.obstacle(r.held); state == "" { // the new version enters at once, with no moment without one
			h.retire(r.plugin)
			h.publish(r.held)
			return
		}
	}
	next := *r.entry
	if r.held != nil {
		next.held = r.held
		next.state, next.why = g.obstacle(r.held)
	}
	if r.plugin != nil {
		next.plugin = r.plugin
		if state, why := g.obstacle(r.plugin); state != "" {
			next.plugin = nil
			if next.held == nil {
				next.held, next.state, next.why = r.plugin, state, why
			} else {
				h.retire(r.plugin)
			}
		}
	}
	h.registry.Store(g.with(&next))
	if next.held != nil {
		next.held.pool.empty()
		next.held.journal.say(zap.WarnLevel, "plugin is held", zap.String("file", next.file), zap.String("reason", next.why))
	}
	if r.plugin != nil {
		h.retire(r.entry.plugin)
		r.plugin.journal.say(zap.InfoLevel, "plugin follows its policy", zap.Bool("disabled", r.plugin.policy.Disabled))
		if state, _ := r.entry.plugin.breaker.state(); state == StateFailed {
			h.notices = append(h.notices, r.plugin.notice(NoticeRecovered, ""))
		}
	}
	if r.held != nil {
		h.retire(r.entry.held)
	}
}

// CheckSettings says whether a plugin would take settings, a JSON object, "" = none: they are held against its
// settings_schema, and a new instance is configured with them. The error's Field is the path of what is at fault, as with
// CheckParams. A name that nothing has is a NotFound.
func (h *Host) CheckSettings(name, settings string) error {
	return h.change(context.Background(), "check settings", func() error {
		p := h.registry.Load().named(name)
		if p == nil {
			return domain.NotFound("there is no plugin " + plain(name, 100))
		}
		if err := p.checkSettings(settings); err != nil {
			return err
		}
		policy := p.policy
		policy.Settings, policy.Disabled = settings, false
		tried, err := p.again(policy)
		if err != nil {
			var unfit *domain.Error
			if errors.As(err, &unfit) {
				return unfit
			}
			return err
		}
		h.retire(tried)
		return nil
	})
}

// checkSettings holds settings against the schema. "" always fits: then the plugin is not configured at all.
func (m *module) checkSettings(settings string) error {
	if settings == "" {
		return nil
	}
	return fit(m.settings, settings, maxSettings)
}

// refusal says why an instance could not be configured; the sentence goes on after "settings". The cause is left out: at
// this place it is not the plugin that is broken.
func refusal(err error) *domain.Error {
	var reported *PluginError
	if errors.As(err, &reported) {
		return domain.Invalid("", "can not be used: "+reported.Message)
	}
	return domain.Invalid("", "can not be used: the plugin "+err.Error())
}

// signingKey decodes the secret of a policy, nil when there is none.
func signingKey(secret string) ([]byte, error) {
	if secret == "" {
		return nil, nil
	}
	text, prefixed := strings.CutPrefix(secret, "whsec_")
	key, err := base64.StdEncoding.DecodeString(text)
	if err != nil || !prefixed || len(key) == 0 {
		return nil, errors.New("its secret is not whsec_ and base64")
	}
	return key, nil
}
