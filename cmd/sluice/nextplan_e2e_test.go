package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"

	"github.com/sluicehq/sluice/kernel/core/coretest"
)

// nextPlan has a user download until its quota is used up, twice: it goes on under its next plan, first one of a template
// with another group, then one without. The template of another's next plan is deleted meanwhile.
func (s *shop) nextPlan() {
	const name, quota = "saver", 2_000_000
	small := s.template(object{"name": "Small", "group_ids": []int{1}, "data_limit": quota})
	large := s.template(object{"name": "Large", "group_ids": []int{2}, "data_limit": 2 * quota, "expire_duration": 3600})
	gone := s.template(object{"name": "Gone", "group_ids": []int{2}})
	s.sell(small, name)
	s.sell(small, "orphan")
	s.plan(name, object{"user_template_id": large, "add_remaining_traffic": true})
	s.plan("orphan", object{"user_template_id": gone})
	s.api(http.MethodDelete, fmt.Sprintf("/user_template/%d", gone), nil, http.StatusNoContent, nil)

	first := s.through(name, s.doors[0].Port)
	got := s.useUp(name, first)
	if got.Status != "active" || *got.DataLimit != 2*quota || got.Used > quota || got.Expire == nil || !slices.Equal(got.GroupIDs, []int64{2}) {
		s.t.Errorf("under the template: %+v", got)
	}
	second := s.through(name, s.doors[1].Port)
	s.wantAdmitted(second, true, "under the template, through its group")
	s.wantAdmitted(first, false, "under the template, through the group before")

	s.plan(name, object{"data_limit": 3 * quota, "expire": 0})
	got = s.useUp(name, second)
	if got.Status != "active" || *got.DataLimit != 3*quota || got.Used > quota || got.Expire != nil || !slices.Equal(got.GroupIDs, []int64{2}) {
		s.t.Errorf("under the second plan: %+v", got)
	}
	s.wantAdmitted(second, true, "under the second plan")

	s.setTraffic("orphan", object{"download": quota})
	s.wantStatus("orphan", "limited")
	s.wantAdmitted(s.through("orphan", s.doors[0].Port), false, "without the next plan that it had")
}

// plan gives a user a next plan.
func (s *shop) plan(name string, plan object) {
	s.t.Helper()
	s.api(http.MethodPut, "/user/"+name, object{"next_plan": plan}, http.StatusOK, nil)
}

// useUp downloads until the user's next plan has taken the place of its present one, which cuts the download.
func (s *shop) useUp(name string, through *http.Client) (u soldUser) {
	s.t.Helper()
	ctx, cancel := context.WithCancel(s.t.Context())
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.origin.URL+"/bytes?n=100000000", nil)
	if err != nil {
		s.t.Fatal(err)
	}
	resp, err := through.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() {
		_, err := io.Copy(io.Discard, resp.Body)
		_ = resp.Body.Close()
		ended <- err
	}()
	coretest.Eventually(s.t, "the next plan begins", func() bool {
		var shown struct {
			NextPlan *object `json:"next_plan"`
		}
		s.api(http.MethodGet, "/user/"+name, nil, http.StatusOK, &shown)
		return shown.NextPlan == nil
	})
	coretest.Eventually(s.t, "the connection is cut", func() bool { return !s.isOnline(name) })
	cancel() // see drink
	if err := <-ended; err == nil {
		s.t.Error("a download of 100 MB was complete")
	}
	return s.user(name)
}
