package storage

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/uptrace/bun"

	"github.com/sluicehq/sluice/kernel/domain"
)

// setting is one row of settings: a value as JSON, so that a new setting needs no migration.
type setting struct {
	bun.BaseModel `bun:"table:settings"`

	Key   string `bun:"key,pk"`
	Value string `bun:"value"`
}

// settingFields says under which key each setting is stored.
func settingFields(s *domain.Settings) map[string]any {
	return map[string]any{
		"public_hosts":        &s.PublicHosts,
		"public_url":          &s.PublicURL,
		"time_zone":           &s.TimeZone,
		"flush_seconds":       &s.FlushSeconds,
		"ip_grace_seconds":    &s.IPGraceSeconds,
		"auto_delete_limited": &s.AutoDeleteLimited,
		"expire_diff_days":    &s.ExpireDiffDays,
		"traffic_diff_gb":     &s.TrafficDiffGB,
		"profile_title":       &s.ProfileTitle,
		"support_url":         &s.SupportURL,
		"update_hours":        &s.UpdateHours,
		"announcement":        &s.Announcement,
		"status_entry":        &s.StatusEntry,
		"user_agent_rules":    &s.AgentRules,
	}
}

// Settings returns the settings; what was never saved has its zero value, the default.
func (r *Reader) Settings(ctx context.Context) (domain.Settings, error) {
	var s domain.Settings
	rows, err := selectAll[setting](ctx, r, "read settings", func(*bun.SelectQuery) {})
	if err != nil {
		return s, err
	}
	fields := settingFields(&s)
	for _, row := range rows {
		field, ok := fields[row.Key]
		if !ok { // of a newer version
			continue
		}
		if err := json.Unmarshal([]byte(row.Value), field); err != nil {
			return s, fail(ctx, r.engine, "read settings", fmt.Errorf("%s: %w", row.Key, err))
		}
	}
	return s, nil
}

// SaveSettings writes every setting.
func (tx *Tx) SaveSettings(ctx context.Context, s domain.Settings) error {
	if _, err := tx.record(ctx, domain.KindSetting, 0); err != nil {
		return err
	}
	rows := []setting{}
	for key, field := range settingFields(&s) {
		value, err := json.Marshal(field)
		if err != nil {
			return tx.fail(ctx, "save settings", fmt.Errorf("%s: %w", key, err))
		}
		rows = append(rows, setting{Key: key, Value: string(value)})
	}
	_, err := tx.tx.NewInsert().Model(&rows).On("CONFLICT (key) DO UPDATE").Set("value = EXCLUDED.value").Exec(ctx)
	return tx.fail(ctx, "save settings", err)
}
