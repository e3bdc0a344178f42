package storagetest

import (
	"context"
	"testing"

	"github.com/sluicehq/sluice/kernel/domain"
	"github.com/sluicehq/sluice/storage"
	"github.com/sluicehq/sluice/storage/internal/backdoor"
)

// fillPortion bounds a transaction of Fill, and with it the log that it leaves beside the file.
const fillPortion = 100_000

// The same text runs on both databases. Credentials are decimal digits with leading zeros, which a uuid may consist of.
const (
	fillUsers = `INSERT INTO users (username, username_key, sub_id, vless_id, vmess_id, trojan_password,
		shadowsocks_password, hysteria_auth, flow, vmess_security, enabled, hold_duration, reset_policy, reset_params,
		reset_anchor, renew_days, renew_day, renew_max, renew_count, limit_ip, note, tg_id, admin_id, status,
		status_since, revision, created_at, updated_at, sub_fetch_at, sub_agent)
	WITH RECURSIVE n(i) AS (SELECT $1 + 1 UNION ALL SELECT i + 1 FROM n WHERE i < $2),
		digits(d) AS (SELECT substr(CAST(100000000 + i AS TEXT), 2) FROM n)
	SELECT 'user' || substr(d, 2), 'user' || substr(d, 2), 'sub' || d,
		d || '-0000-4000-8000-000000000000', d || '-0000-4000-8000-000000000000', 'trojan' || d,
		'shadowsocks' || d, 'hysteria' || d, '', '', TRUE, 0, '', '',
		$3, 0, 0, 0, 0, 0, '', 0, 1, 'active',
		$3, 1, $3, $3, 0, '' FROM digits ORDER BY d`
	fillTraffic = `INSERT INTO user_traffic (user_id, up, down, lifetime_up, lifetime_down, online_at)
		SELECT id, 0, 0, 0, 0, 0 FROM users WHERE id > $1 ORDER BY id`
	fillInbounds = `INSERT INTO user_inbounds (user_id, inbound_id) SELECT id, 1 FROM users WHERE id > $1 ORDER BY id`
)

// fillTime is when everything that Fill writes was made, in ms UTC.
const fillTime int64 = 1_700_000_000_000

// Fill writes n users (at most 9,999,999) into an empty database, some 40,000 in a second: user0000001 with the id 1
// and so on, active, without quota, expiry or reset, with valid credentials of their own, attached to inbound 1, a
// vless inbound without transport settings, and owned by admin 1, "root", who can not log in.
func Fill(t testing.TB, db *storage.DB, n int) {
	t.Helper()
	ctx := context.Background()
	err := db.Write(ctx, func(tx *storage.Tx) error {
		admin := domain.Admin{Username: "root", Sudo: true, Enabled: true, CreatedAt: fillTime}
		if err := tx.InsertAdmin(ctx, &admin); err != nil {
			return err
		}
		return tx.InsertInbound(ctx, &domain.Inbound{
			Tag: "in-443-tcp", Protocol: domain.VLESS, Port: 443, Enabled: true,
			Settings: `{"decryption":"none"}`, CreatedAt: fillTime, UpdatedAt: fillTime,
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	for start := 0; start < n; start += fillPortion {
		fillFrom(t, db, start, min(start+fillPortion, n))
	}
}

// fillFrom writes the users with ids above start, up to end.
func fillFrom(t testing.TB, db *storage.DB, start, end int) {
	t.Helper()
	tx, err := backdoor.Writer(db).DB.Begin()
	if err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct {
		query string
		args  []any
	}{
		{fillUsers, []any{start, end, fillTime}}, {fillTraffic, []any{start}}, {fillInbounds, []any{start}},
	} {
		if _, err := tx.Exec(step.query, step.args...); err != nil {
			_ = tx.Rollback() // err is the one to tell
			t.Fatal(err)
		}
	}
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
}
