-- Rows of a database of version 4, in tables that version 5 tells events of. The text is the same in both databases.
INSERT INTO admins (id, username, username_key, password_hash, sudo, enabled, revision, created_at, password_at)
  VALUES (1, 'root', 'root', 'hash', TRUE, TRUE, 1, 2, 2);
INSERT INTO groups (id, name, base_up, base_down, revision, created_at, updated_at) VALUES (1, 'g', 5, 6, 4, 7, 8);
INSERT INTO users (id, username, username_key, sub_id, vless_id, vmess_id, trojan_password, shadowsocks_password,
  hysteria_auth, flow, vmess_security, enabled, hold_duration, quota, reset_policy, reset_params, reset_anchor,
  renew_days, renew_day, renew_max, renew_count, limit_ip, note, tg_id, admin_id, revision, created_at, updated_at,
  sub_fetch_at, sub_agent, status, status_since) VALUES
  (1, 'Alice', 'alice', 's1', 'l1', 'm1', 't1', 'p1', 'h1', '', '', TRUE, 0, 5,
    '', '', 0, 0, 0, 0, 0, 0, 'note', 0, 1, 3, 15, 16, 0, '', 'active', 16);
INSERT INTO user_traffic (user_id, up, down, lifetime_up, lifetime_down, online_at) VALUES (1, 1, 2, 3, 4, 5);
INSERT INTO user_groups (user_id, group_id, position) VALUES (1, 1, 0);
