package storage

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/sluicehq/sluice/kernel/domain"
)

const (
	policyColumns = "name, disabled, settings, replaces, grants, trust, trusted, secret, revision"
	readPolicies  = "SELECT " + policyColumns + " FROM plugins "
	savePolicy    = "INSERT INTO plugins (" + policyColumns + ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) " +
		"ON CONFLICT (name) DO UPDATE SET disabled = EXCLUDED.disabled, settings = EXCLUDED.settings, " +
		"replaces = EXCLUDED.replaces, grants = EXCLUDED.grants, trust = EXCLUDED.trust, trusted = EXCLUDED.trusted, " +
		"secret = EXCLUDED.secret, revision = EXCLUDED.revision"
)

// PluginPolicies returns what was said about plugins, in the order of their names.
func (r *Reader) PluginPolicies(ctx context.Context) ([]domain.PluginPolicy, error) {
	return r.policies(ctx, "ORDER BY name")
}

// PluginPolicy returns what was said about the plugin of a name; nothing is not_found.
func (r *Reader) PluginPolicy(ctx context.Context, name string) (domain.PluginPolicy, error) {
	if !isStorable(name) {
		return domain.PluginPolicy{}, notFound(domain.KindPlugin, nil)
	}
	all, err := r.policies(ctx, "WHERE name = $1", name)
	return only(ctx, r, domain.KindPlugin, all, err)
}

func (r *Reader) policies(ctx context.Context, where string, args ...any) ([]domain.PluginPolicy, error) {
	all := []domain.PluginPolicy{}
	var (
		p      domain.PluginPolicy
		grants string
		unread error
	)
	fields := []any{&p.Name, &p.Disabled, &p.Settings, &p.Replaces, &grants, &p.Trust, &p.Trusted, &p.Secret, &p.Revision}
	err := r.scan(ctx, fields, func() {
		p.Grants = nil
		if err := json.Unmarshal([]byte(grants), &p.Grants); err != nil {
			unread = fmt.Errorf("grants of %s: %w", p.Name, err)
		}
		all = append(all, p)
	}, readPolicies+where, args...)
	return all, fail(ctx, r.engine, "read plugin policies", errors.Join(err, unread))
}

// SavePluginPolicy writes what is said about a plugin in place of what was said before, and fills Revision.
func (tx *Tx) SavePluginPolicy(ctx context.Context, p *domain.PluginPolicy) error {
	grants, err := json.Marshal(p.Grants)
	if err != nil {
		return tx.fail(ctx, "save plugin policy", err)
	}
	if p.Revision, err = tx.record(ctx, domain.KindPlugin, 0); err != nil {
		return err
	}
	for _, text := range []string{p.Name, p.Settings, p.Trust, p.Trusted, p.Secret} {
		if !isStorable(text) {
			return tx.fail(ctx, "save plugin policy", failures[classText])
		}
	}
	_, err = tx.raw.exec(ctx, savePolicy,
		p.Name, p.Disabled, p.Settings, p.Replaces, string(grants), p.Trust, p.Trusted, p.Secret, p.Revision)
	return tx.fail(ctx, "save plugin policy", err)
}

// DeletePluginPolicy forgets what was said about a plugin; nothing is not_found.
func (tx *Tx) DeletePluginPolicy(ctx context.Context, name string) error {
	if _, err := tx.PluginPolicy(ctx, name); err != nil {
		return err
	}
	if _, err := tx.record(ctx, domain.KindPlugin, 0); err != nil {
		return err
	}
	res, err := tx.raw.exec(ctx, "DELETE FROM plugins WHERE name = $1", name)
	return tx.wrote(ctx, domain.KindPlugin, res, err)
}
