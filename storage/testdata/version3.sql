-- Rows of a database of version 3, in every table that version 4 touches or refers to. The text is the same in both
-- databases.
INSERT INTO admins (id, username, username_key, password_hash, sudo, enabled, revision, created_at)
  VALUES (1, 'root', 'root', 'hash', TRUE, TRUE, 1, 2);
INSERT INTO inbounds (id, tag, remark, protocol, listen, port, enabled, anonymous, share_address, settings,
  stream_settings, sniffing, revision, created_at, updated_at) VALUES
  (1, 'in-443', 'r', 'vless', '', 443, TRUE, FALSE, '', '{}', '', '', 2, 10, 11),
  (2, 'in-444', 'r', 'vless', '', 444, TRUE, FALSE, '', '{}', '', '', 2, 10, 11);
INSERT INTO users (id, username, username_key, sub_id, vless_id, vmess_id, trojan_password, shadowsocks_password,
  hysteria_auth, flow, vmess_security, method, enabled, hold_since, hold_duration, hold_timeout, expire_at, quota,
  reset_policy, reset_params, reset_anchor, next_reset_at, reset_retry_at, renew_days, renew_day, renew_max, renew_count,
  limit_ip, note, tg_id, admin_id, auto_delete, revision, created_at, updated_at, sub_fetch_at, sub_agent, status,
  status_since, limit_hwid, reverse, ad_tag, secret) VALUES
  (1, 'Alice', 'alice', 's1', 'l1', 'm1', 't1', 'p1', 'h1', 'f', 'x', 'y', TRUE, 1, 2, 3, 4, 5,
    'day', '{}', 6, 7, 8, 9, 10, 11, 12, 13, 'note', 77, 1, 14, 3, 15, 16, 17, 'agent', 'on_hold', 18, 19, 'r', 'a', 's'),
  (2, 'bob', 'bob', 's2', 'l2', 'm2', 't2', 'p2', 'h2', '', '', NULL, TRUE, NULL, 0, NULL, NULL, NULL,
    '', '', 0, NULL, NULL, 0, 0, 0, 0, 0, '', 0, 1, NULL, 4, 10, 200, 0, '', 'active', 19, 0, '', '', '');
INSERT INTO user_traffic (user_id, up, down, lifetime_up, lifetime_down, online_at) VALUES
  (1, 1, 2, 3, 4, 5), (2, 0, 0, 0, 0, 0);
INSERT INTO user_inbounds (user_id, inbound_id) VALUES (1, 1);
INSERT INTO groups (id, name, base_up, base_down, revision, created_at, updated_at) VALUES (1, 'g', 5, 6, 4, 7, 8);
INSERT INTO user_groups (user_id, group_id, position) VALUES (1, 1, 0);
