package main

import (
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sluicehq/sluice/kernel/core/coretest"
)

// TestTemplates plays the common scenarios of PasarGuard's page on user templates with the real binary, each to what the
// user really gets: a client app that was set up with the user's links gets through, or is refused.
func TestTemplates(t *testing.T) { templates(t) }

func templates(t *testing.T, args ...string) {
	s := newShop(t, args...)
	for _, story := range []struct {
		name string
		tell func(*shop)
	}{
		{"plans", (*shop).plans},
		{"several groups", (*shop).groups},
		{"on hold", (*shop).onHold},
		{"50 random users", (*shop).randomUsers},
		{"100 users in sequence", (*shop).sequence},
		{"500 users", (*shop).fiveHundred},
		{"upgrade", (*shop).upgrade},
		{"next plan", (*shop).nextPlan},
		{"disabled template", (*shop).disabledTemplate},
		{"one user in two dialects", (*shop).twoDialects},
	} {
		t.Run(story.name, func(t *testing.T) {
			inner := *s
			inner.life = s.in(t)
			story.tell(&inner)
		})
	}
	// When a subscription was fetched is stored some time later: of many500 it was the last.
	coretest.Eventually(t, "the fetch is stored", func() bool {
		var fetches struct{ Count int }
		s.api(http.MethodGet, "/user/many500/sub_update", nil, http.StatusOK, &fetches)
		return fetches.Count == 1
	})
	s.survivesAKill(args...)
}

// shop is a life with three inbounds, and a group for each, with the ids 1, 2 and 3.
type shop struct {
	*life
	doors [3]shownInbound
}

func newShop(t *testing.T, args ...string) *shop {
	t.Helper()
	s := &shop{life: newLife(t, args...)}
	s.doors = [3]shownInbound{s.inbound, s.addInbound(nil), s.addInbound(nil)}
	for i, door := range s.doors {
		s.api(http.MethodPost, "/group", object{"name": fmt.Sprintf("group-%d", i+1), "inbound_tags": []string{door.Tag}}, http.StatusCreated, nil)
	}
	return s
}

// api sends a request of the PasarGuard dialect, which must be answered with that status, and decodes the answer.
func (s *server) api(method, path string, body any, status int, answer any) {
	s.t.Helper()
	sent := ""
	if body != nil {
		sent = text(s.t, body)
	}
	got, shown := s.do(method, "/api"+path, sent)
	if got != status {
		s.t.Fatalf("%s %s %s answers %d %s, want %d", method, path, sent, got, shown, status)
	}
	if answer != nil {
		decode(s.t, shown, answer)
	}
}

// soldUser is a user as the PasarGuard dialect shows it.
type soldUser struct {
	Username, Status, Note string
	Expire                 *time.Time
	DataLimit              *int64     `json:"data_limit"`
	HoldDuration           *int64     `json:"on_hold_expire_duration"`
	HoldTimeout            *time.Time `json:"on_hold_timeout"`
	GroupIDs               []int64    `json:"group_ids"`
	Used                   int64      `json:"used_traffic"`
	Strategy               string     `json:"data_limit_reset_strategy"`
	CreatedAt              time.Time  `json:"created_at"`
	SubscriptionURL        string     `json:"subscription_url"`
	Proxies                struct {
		VLESS       struct{ ID, Flow string }
		Shadowsocks struct{ Password, Method string }
	} `json:"proxy_settings"`
	ResetPolicy *struct {
		NextAt time.Time `json:"next_at"`
	} `json:"reset_policy"`
}

// template makes a template and returns its id.
func (s *shop) template(fields object) int64 {
	s.t.Helper()
	var made struct{ ID int64 }
	s.api(http.MethodPost, "/user_template", fields, http.StatusCreated, &made)
	return made.ID
}

// sell makes a user from a template.
func (s *shop) sell(template int64, username string) (u soldUser) {
	s.t.Helper()
	s.api(http.MethodPost, "/user/from_template", object{"user_template_id": template, "username": username}, http.StatusCreated, &u)
	return u
}

func (s *shop) user(name string) (u soldUser) {
	s.t.Helper()
	s.api(http.MethodGet, "/user/"+name, nil, http.StatusOK, &u)
	return u
}

// plans are the templates of the scenarios, and what their users are.
func (s *shop) plans() {
	const thirtyDays = 30 * 24 * time.Hour
	for i, c := range []struct {
		template object
		username string
		limit    int64 // 0 = none
		expires  time.Duration
		strategy string
		flow     string
		method   string
	}{
		{object{"name": "Premium Plan", "data_limit": 1 << 30, "expire_duration": 2592000, "status": "active"}, "plan-0", 1 << 30, thirtyDays, "no_reset", "", ""},
		{object{"name": "Prefix", "username_prefix": "premium_"}, "premium_plan-1", 0, 0, "no_reset", "", ""},
		{
			object{"name": "Advanced Plan", "extra_settings": object{"flow": "xtls-rprx-vision", "method": "aes-256-gcm"}},
			"plan-2", 0, 0, "no_reset", "xtls-rprx-vision", "aes-256-gcm",
		},
		{object{"name": "Monthly Plan", "data_limit": 5 << 30, "data_limit_reset_strategy": "month"}, "plan-3", 5 << 30, 0, "month", "", ""},
		{object{"name": "Unlimited Plan", "data_limit": 0, "expire_duration": 0}, "plan-4", 0, 0, "no_reset", "", ""},
		{object{"name": "VIP Plan", "username_prefix": "premium_", "username_suffix": "_vip"}, "premium_plan-5_vip", 0, 0, "no_reset", "", ""},
	} {
		made := s.sell(s.template(merged(c.template, object{"group_ids": []int{1}})), fmt.Sprintf("plan-%d", i))
		got := s.user(c.username)
		if text(s.t, made) != text(s.t, got) {
			s.t.Errorf("made is\n%+v\nand shown\n%+v", made, got)
		}
		if got.Status != "active" || got.Strategy != c.strategy || !slices.Equal(got.GroupIDs, []int64{1}) ||
			got.Proxies.VLESS.Flow != c.flow || got.Proxies.Shadowsocks.Method != c.method {
			s.t.Errorf("%s is %+v", c.username, got)
		}
		if (got.DataLimit != nil) != (c.limit > 0) || got.DataLimit != nil && *got.DataLimit != c.limit {
			s.t.Errorf("%s has the limit %v, want %d", c.username, got.DataLimit, c.limit)
		}
		if (got.Expire != nil) != (c.expires > 0) || got.Expire != nil && got.Expire.Sub(got.CreatedAt) != c.expires {
			s.t.Errorf("%s of %s expires at %v", c.username, got.CreatedAt, got.Expire)
		}
		if c.strategy == "month" && (got.ResetPolicy == nil || got.ResetPolicy.NextAt.Sub(got.CreatedAt) != thirtyDays) {
			s.t.Errorf("%s of %s is reset at %+v", c.username, got.CreatedAt, got.ResetPolicy)
		}
		through := s.through(c.username, s.doors[0].Port)
		s.wantAdmitted(through, true, c.username+": from the template")
		if c.limit == 1<<30 { // what is used up is refused
			s.setTraffic(c.username, object{"download": c.limit})
			s.wantStatus(c.username, "limited")
			s.wantAdmitted(through, false, c.username+": used up")
		}
	}
}

// groups is the multi-group plan: what groups let in follows the groups.
func (s *shop) groups() {
	const name = "multi"
	s.sell(s.template(object{"name": "Multi-Group Plan", "group_ids": []int{1, 2, 3}, "data_limit": 1 << 30}), name)
	through := map[int]*http.Client{}
	for i, door := range s.doors {
		through[i] = s.through(name, door.Port)
	}
	want := func(when string, open ...int) {
		s.t.Helper()
		var ids []int64
		for i, door := range s.doors {
			s.wantAdmitted(through[i], slices.Contains(open, i), fmt.Sprintf("%s through %d", when, i+1))
			if slices.Contains(open, i) {
				ids = append(ids, door.ID)
			}
		}
		if got := s.get(name).InboundIDs; !slices.Equal(got, ids) {
			s.t.Errorf("%s the inbounds are %v, want %v", when, got, ids)
		}
	}
	want("with three groups", 0, 1, 2)

	first, second := s.open(through[0]), s.open(through[1])
	s.api(http.MethodPut, "/group/2", object{"is_disabled": true}, http.StatusOK, nil)
	second.wantCut()
	first.wantAlive()
	want("with the second group disabled", 0, 2)
	s.api(http.MethodPut, "/group/2", object{"is_disabled": false}, http.StatusOK, nil)
	want("with the second group enabled", 0, 1, 2)

	second = s.open(through[1])
	s.api(http.MethodPut, "/group/3", object{"inbound_tags": []string{}}, http.StatusOK, nil)
	want("with the third group empty", 0, 1)
	s.api(http.MethodPut, "/group/3", object{"inbound_tags": []string{s.doors[2].Tag}}, http.StatusOK, nil)
	want("with the third group filled", 0, 1, 2)

	third := s.open(through[2])
	s.api(http.MethodDelete, "/group/3", nil, http.StatusNoContent, nil)
	third.wantCut()
	first.wantAlive()
	second.wantAlive()
	want("with the third group deleted", 0, 1)
	if got := s.user(name).GroupIDs; !slices.Equal(got, []int64{1, 2}) {
		s.t.Errorf("the groups are %v", got)
	}
}

// onHold is the trial plan: a hold that ends by itself, and one that ends with the first byte.
func (s *shop) onHold() {
	const thirtyDays = 2592000
	trial := object{"status": "on_hold", "expire_duration": thirtyDays, "group_ids": []int{1}}
	held := s.sell(s.template(merged(trial, object{"name": "Trial Plan", "on_hold_timeout": 3600})), "trial")
	if held.Status != "on_hold" || held.Expire != nil || held.HoldDuration == nil || *held.HoldDuration != thirtyDays ||
		held.HoldTimeout == nil || held.HoldTimeout.Sub(held.CreatedAt) != time.Hour {
		s.t.Errorf("on hold: %+v", held)
	}
	through := s.through("trial", s.doors[0].Port)
	before := time.Now().Truncate(time.Millisecond)
	s.wantAdmitted(through, true, "on hold")
	s.wantStatus("trial", "active")
	after := time.Now()
	got := s.user("trial")
	if got.Expire == nil || got.HoldDuration != nil || got.HoldTimeout != nil {
		s.t.Fatalf("used for the first time: %+v", got)
	}
	if used := got.Expire.Add(-thirtyDays * time.Second); used.Before(before) || used.After(after) {
		s.t.Errorf("the first use was at %s, not between %s and %s", used, before, after)
	}

	held = s.sell(s.template(merged(trial, object{"name": "Short Trial", "on_hold_timeout": 1})), "short-trial")
	s.wantStatus("short-trial", "active")
	if got := s.user("short-trial"); got.Expire == nil || !got.Expire.Equal(held.CreatedAt.Add((thirtyDays+1)*time.Second)) {
		s.t.Errorf("made at %s, after a hold of a second: %+v", held.CreatedAt, got)
	}
}

// soldMany is the answer to a request for many users.
type soldMany struct {
	URLs    []string `json:"subscription_urls"`
	Created int
	Missing int
	Reason  string
}

// names are those in the links, which are all in the seed's form.
func (m *soldMany) names(s *shop) (names []string) {
	s.t.Helper()
	for _, url := range m.URLs {
		found := regexp.MustCompile(`^/sub/([^/?]+)\?token=[\w-]{22,}$`).FindStringSubmatch(url)
		if found == nil {
			s.t.Fatalf("the link is %s", url)
		}
		names = append(names, found[1])
	}
	if len(names) != m.Created {
		s.t.Fatalf("%d users and %d links", m.Created, len(names))
	}
	return names
}

// sellMany makes users and finds that the subscriptions of the first and the last, as they were answered, open the door.
func (s *shop) sellMany(fields object) (many soldMany) {
	s.t.Helper()
	s.api(http.MethodPost, "/users/bulk/from_template", fields, http.StatusCreated, &many)
	names := many.names(s)
	for _, i := range []int{0, len(names) - 1} {
		through := s.through(names[i], s.doors[0].Port)
		s.wantAdmitted(through, true, names[i]+": made with others")
		status, links := s.do(http.MethodGet, many.URLs[i]+"&format=links", "")
		if status != http.StatusOK || !strings.Contains(links, s.user(names[i]).Proxies.VLESS.ID) {
			s.t.Errorf("%s answers %d %s", many.URLs[i], status, links)
		}
	}
	return many
}

func (s *shop) randomUsers() {
	plan := s.template(object{"name": "Random", "group_ids": []int{1}})
	many := s.sellMany(object{"user_template_id": plan, "count": 50, "strategy": "random", "username": nil})
	names := many.names(s)
	for _, name := range names {
		if !regexp.MustCompile(`^[A-Z0-9]{5}$`).MatchString(name) {
			s.t.Errorf("a random name is %q", name)
		}
	}
	slices.Sort(names)
	if len(slices.Compact(names)) != 50 {
		s.t.Errorf("50 users have the names %v", names)
	}
}

func (s *shop) sequence() {
	plan := s.template(object{"name": "Sequence", "group_ids": []int{1}})
	request := object{"user_template_id": plan, "count": 100, "strategy": "sequence", "username": "user", "start_number": 1}
	var want []string
	for n := range 100 {
		want = append(want, fmt.Sprintf("user%d", n+1))
	}
	many := s.sellMany(request)
	if names := many.names(s); !slices.Equal(names, want) {
		s.t.Errorf("the names are %v", names)
	}
	// Names that are taken are left out: fewer users are made than were asked for.
	many = s.sellMany(merged(request, object{"start_number": 96}))
	if names := many.names(s); len(names) != 95 || names[0] != "user101" || names[94] != "user195" || many.Missing != 5 || many.Reason == "" {
		s.t.Errorf("made again: %+v", many)
	}
	vip := s.template(object{"name": "VIP", "username_prefix": "premium_", "username_suffix": "_vip", "group_ids": []int{1}})
	many = s.sellMany(object{"user_template_id": vip, "count": 3, "strategy": "sequence", "username": "user"})
	if names := many.names(s); !slices.Equal(names, []string{"premium_user1_vip", "premium_user2_vip", "premium_user3_vip"}) {
		s.t.Errorf("with prefix and suffix: %v", names)
	}
}

// fiveHundred makes as many as one request may, of both kinds.
func (s *shop) fiveHundred() {
	plan := s.template(object{"name": "Many", "group_ids": []int{1}, "data_limit": 1 << 30})
	if many := s.sellMany(object{"user_template_id": plan, "count": 500, "strategy": "random"}); many.Created != 500 {
		s.t.Errorf("%d of 500 are made", many.Created)
	}
	if many := s.sellMany(object{"user_template_id": plan, "count": 500, "strategy": "sequence", "username": "many"}); many.Created != 500 {
		s.t.Errorf("%d of 500 are made", many.Created)
	}
	s.wantError(http.MethodPost, "/users/bulk/from_template", object{"user_template_id": plan, "count": 501},
		http.StatusUnprocessableEntity, object{"count": "count must be between 1 and 500"})
}

// wantError sends a request that must be refused with that detail.
func (s *shop) wantError(method, path string, body any, status int, detail any) {
	s.t.Helper()
	got, answer := s.do(method, "/api"+path, text(s.t, body))
	if got != status || !sameJSON(s.t, answer, text(s.t, object{"detail": detail})) {
		s.t.Errorf("%s %s answers %d %s, want %d %v", method, path, got, answer, status, detail)
	}
}

// upgrade brings a user who has used up a plan to another one, which has its usage set to zero.
func (s *shop) upgrade() {
	const name = "climber"
	basic := s.template(object{"name": "Basic", "group_ids": []int{1}, "data_limit": 1000})
	premium := s.template(object{"name": "Premium", "group_ids": []int{2}, "data_limit": 1 << 30, "expire_duration": 2592000})
	old := s.sell(basic, name)
	before := s.through(name, s.doors[0].Port)
	s.setTraffic(name, object{"upload": 400, "download": 600})
	s.wantStatus(name, "limited")
	s.wantAdmitted(before, false, "used up")

	request := object{"user_template_id": premium, "note": "Upgraded to premium"}
	var got soldUser
	s.api(http.MethodPut, "/user/"+name+"/from_template", request, http.StatusOK, &got)
	if got.Status != "active" || got.Used != 1000 || got.Note != "Upgraded to premium" || *got.DataLimit != 1<<30 ||
		!slices.Equal(got.GroupIDs, []int64{2}) || got.Expire == nil {
		s.t.Errorf("upgraded: %+v", got)
	}
	if got.Proxies != old.Proxies || got.SubscriptionURL != old.SubscriptionURL || got.CreatedAt != old.CreatedAt || got.Username != old.Username {
		s.t.Errorf("the upgrade made\n%+v\nof\n%+v", got, old)
	}
	s.wantAdmitted(s.through(name, s.doors[1].Port), true, "upgraded, through the new group")
	s.wantAdmitted(before, false, "upgraded, through the old group")

	s.api(http.MethodPut, fmt.Sprintf("/user_template/%d", premium), object{"reset_usages": true}, http.StatusOK, nil)
	s.api(http.MethodPut, "/user/from_template/"+name, object{"user_template_id": premium}, http.StatusOK, &got)
	if got.Used != 0 || got.Note != "Upgraded to premium" {
		s.t.Errorf("upgraded with a reset: %+v", got)
	}
	if row := s.traffic(name); row.Up != 0 || row.Down != 0 {
		s.t.Errorf("after a reset: %+v", row)
	}
}

func (s *shop) disabledTemplate() {
	const sentence = "this template is disabled"
	plan := s.template(object{"name": "Closed", "group_ids": []int{1}, "is_disabled": true})
	one, use := object{"user_template_id": plan, "username": "closed"}, object{"user_template_id": plan}
	for range 2 {
		s.wantError(http.MethodPost, "/user/from_template", one, http.StatusForbidden, sentence)
		s.wantError(http.MethodPut, "/user/climber/from_template", use, http.StatusForbidden, sentence)
		s.wantError(http.MethodPost, "/users/bulk/from_template", merged(use, object{"count": 2}), http.StatusForbidden, sentence)
		s.api(http.MethodPut, fmt.Sprintf("/user_template/%d", plan), object{"is_disabled": false}, http.StatusOK, nil)
		s.sell(plan, "closed")
		s.api(http.MethodDelete, "/user/closed", nil, http.StatusNoContent, nil)
		s.api(http.MethodPut, fmt.Sprintf("/user_template/%d", plan), object{"is_disabled": true}, http.StatusOK, nil)
	}
}

// twoDialects makes users in each dialect, and reads, changes and deletes them in each.
func (s *shop) twoDialects() {
	plan := s.template(object{"name": "Both", "group_ids": []int{1}, "data_limit": 1 << 30})
	makes := map[string]func(name string){
		"PasarGuard": func(name string) { s.sell(plan, name) },
		"3x-ui":      func(name string) { s.add(name, object{"totalGB": 1 << 30}) },
	}
	changes := map[string]func(name string){
		"PasarGuard": func(name string) {
			s.api(http.MethodPut, "/user/"+name, object{"note": "changed", "data_limit": 2 << 30}, http.StatusOK, nil)
		},
		"3x-ui": func(name string) { s.update(name, object{"comment": "changed", "totalGB": 2 << 30}) },
	}
	deletes := map[string]func(name string){
		"PasarGuard": func(name string) { s.api(http.MethodDelete, "/user/"+name, nil, http.StatusNoContent, nil) },
		"3x-ui":      func(name string) { s.panel(http.MethodPost, "/clients/del/"+name, "", nil) },
	}
	n := 0
	for maker, create := range makes {
		for changer, change := range changes {
			for deleter, remove := range deletes {
				n++
				name, story := fmt.Sprintf("both-%d", n), fmt.Sprintf("made by %s, changed by %s, deleted by %s", maker, changer, deleter)
				create(name)
				through := s.through(name, s.doors[0].Port)
				s.wantAdmitted(through, true, story+": made")
				s.wantInBoth(name, story, "", 1<<30)
				change(name)
				s.wantInBoth(name, story, "changed", 2<<30)
				remove(name)
				s.wantAdmitted(through, false, story+": deleted")
				s.wantError(http.MethodGet, "/user/"+name, object{}, http.StatusNotFound, "User not found")
				if status, body := s.do(http.MethodGet, "/panel/api/clients/get/"+name, ""); status != http.StatusOK || !sameJSON(s.t, body, notFound) {
					s.t.Errorf("%s: get answers %d %s", story, status, body)
				}
			}
		}
	}
}

// wantInBoth finds the same user in both dialects.
func (s *shop) wantInBoth(name, story, note string, limit int64) {
	s.t.Helper()
	client, user := s.get(name).Client, s.user(name)
	if client.Comment != note || user.Note != note || client.TotalGB != limit || user.DataLimit == nil || *user.DataLimit != limit ||
		client.UUID != user.Proxies.VLESS.ID || client.Status != "active" || user.Status != "active" {
		s.t.Errorf("%s: one dialect shows\n%+v\nthe other\n%+v", story, client, user)
	}
}
