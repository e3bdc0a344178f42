package domain

import (
	"strings"
	"testing"
)

func TestEventsOfOtherRows(t *testing.T) {
	inbound := Inbound{ID: 3, Tag: "in", Remark: "r", Protocol: VLESS, Port: 443, Enabled: true, Settings: `{"key":"secret"}`}
	for _, test := range []struct{ got, want Event }{
		{InboundEvent(EventInboundCreated, &inbound), Event{
			"inbound.created", "inbound/3", `{"inbound":{"enabled":true,"id":3,"port":443,"protocol":"vless","remark":"r","tag":"in"}}`,
		}},
		{TemplateEvent(EventTemplateUpdated, &Template{ID: 4, Name: "gold"}), Event{"template.updated", "template/4", `{"template":{"id":4,"name":"gold"}}`}},
		{GroupEvent(EventGroupDeleted, &Group{ID: 5, Name: "vip"}), Event{"group.deleted", "group/5", `{"group":{"id":5,"name":"vip"}}`}},
		{AdminEvent(EventAdminLogin, &Admin{ID: 6, Username: "root", PasswordHash: "secret"}), Event{"admin.login", "admin/6", `{"admin":{"id":6,"username":"root"}}`}},
		{PluginEvent(EventPluginRefused, "hook", "1.2.0", "too big"), Event{
			"plugin.refused", "plugin/hook", `{"plugin":{"name":"hook","reason":"too big","version":"1.2.0"}}`,
		}},
		{PluginEvent(EventPluginRefused, "\xffa", "", ""), Event{
			"plugin.refused", "plugin/?a", `{"plugin":{"name":"\ufffda","reason":"","version":""}}`,
		}},
	} {
		if test.got != test.want {
			t.Errorf("got  %v\nwant %v", test.got, test.want)
		}
	}
}

// Every type is documented, once, with a sentence.
func TestEventTypes(t *testing.T) {
	seen := map[string]bool{}
	for _, e := range EventTypes {
		subject, verb, ok := strings.Cut(e.Type, ".")
		if !ok || subject == "" || verb == "" || seen[e.Type] || !strings.HasSuffix(e.Means, ".") {
			t.Errorf("%q means %q", e.Type, e.Means)
		}
		seen[e.Type] = true
	}
	if len(seen) != 26 {
		t.Errorf("%d types", len(seen))
	}
}

func TestDeliveryState(t *testing.T) {
	at := ptr(int64(1))
	for want, d := range map[DeliveryState]Delivery{
		DeliveryWaiting: {NextAt: 1, Attempts: 3}, DeliveryDelivered: {DeliveredAt: at}, DeliveryDead: {DeadAt: at},
	} {
		if got := d.State(); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}
