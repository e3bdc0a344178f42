-- Rows of a database of version 1: at 1790000000000 there is a user in each state. The text is the same in both databases.
INSERT INTO admins (id, username, username_key, password_hash, sudo, enabled, revision, created_at)
  VALUES (1, 'root', 'root', 'hash', TRUE, TRUE, 1, 1);
INSERT INTO inbounds (id, tag, remark, protocol, listen, port, enabled, anonymous, share_address, settings,
  stream_settings, sniffing, revision, created_at, updated_at)
  VALUES (1, 'in-443', 'r', 'vless', '', 443, TRUE, FALSE, '', '{}', '', '', 2, 10, 11);
INSERT INTO users (id, username, username_key, sub_id, vless_id, vmess_id, trojan_password, shadowsocks_password,
  hysteria_auth, flow, vmess_security, method, enabled, hold_since, hold_duration, hold_timeout, expire_at, quota,
  reset_policy, reset_params, reset_anchor, next_reset_at, reset_retry_at, renew_days, renew_day, renew_max, renew_count,
  limit_ip, note, tg_id, admin_id, auto_delete, revision, created_at, updated_at, sub_fetch_at, sub_agent) VALUES
  (1, 'free', 'free', 's1', 'l1', 'm1', 't1', 'p1', 'h1', '', '', NULL, TRUE, NULL, 0, NULL, NULL, NULL,
    '', '', 0, NULL, NULL, 0, 0, 0, 0, 0, '', 0, 1, NULL, 3, 10, 100, 0, ''),
  (2, 'used', 'used', 's2', 'l2', 'm2', 't2', 'p2', 'h2', '', '', NULL, TRUE, NULL, 0, NULL, NULL, 8,
    '', '', 0, NULL, NULL, 0, 0, 0, 0, 0, '', 0, 1, NULL, 4, 10, 200, 0, ''),
  (3, 'late', 'late', 's3', 'l3', 'm3', 't3', 'p3', 'h3', '', '', NULL, TRUE, NULL, 0, NULL, 1790000000001, NULL,
    '', '', 0, NULL, NULL, 0, 0, 0, 0, 0, '', 0, 1, NULL, 5, 10, 300, 0, ''),
  (4, 'off', 'off', 's4', 'l4', 'm4', 't4', 'p4', 'h4', '', '', NULL, FALSE, 5, 0, NULL, 1, 1,
    '', '', 0, NULL, NULL, 0, 0, 0, 0, 0, '', 0, 1, NULL, 6, 10, 400, 0, ''),
  (5, 'held', 'held', 's5', 'l5', 'm5', 't5', 'p5', 'h5', '', '', NULL, TRUE, 5, 0, NULL, 1, 1,
    '', '', 0, NULL, NULL, 0, 0, 0, 0, 0, '', 0, 1, NULL, 7, 10, 500, 0, ''),
  (6, 'over', 'over', 's6', 'l6', 'm6', 't6', 'p6', 'h6', '', '', NULL, TRUE, NULL, 0, NULL, 1790000000000, 1,
    '', '', 0, NULL, NULL, 0, 0, 0, 0, 0, '', 0, 1, NULL, 8, 10, 600, 0, ''),
  (7, 'full', 'full', 's7', 'l7', 'm7', 't7', 'p7', 'h7', '', '', NULL, TRUE, NULL, 0, NULL, 1790000000001, 8,
    '', '', 0, NULL, NULL, 0, 0, 0, 0, 0, '', 0, 1, NULL, 9, 10, 700, 0, '');
INSERT INTO user_traffic (user_id, up, down, lifetime_up, lifetime_down, online_at) VALUES
  (1, 6000, 3000, 9000, 0, 0), (2, 5, 2, 7, 0, 0), (3, 0, 0, 0, 0, 0), (4, 6, 3, 9, 0, 0), (5, 6, 3, 9, 0, 0), (6, 6, 3, 9, 0, 0), (7, 6, 2, 8, 0, 0);
INSERT INTO user_inbounds (user_id, inbound_id) VALUES (1, 1);
