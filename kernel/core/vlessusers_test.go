package core

import (
	"testing"

	"github.com/google/uuid"
	"github.com/xtls/xray-core/common/protocol"
	xuuid "github.com/xtls/xray-core/common/uuid"
	"google.golang.org/protobuf/proto"

	"github.com/sluicehq/sluice/kernel/domain"
)

func TestVLESSUsers(t *testing.T) {
	l, err := newListener(vlessInbound(1, 443), "")
	check(t, err)
	made := func(id, key int64, flow string) *protocol.MemoryUser {
		m, err := l.memoryUser(id, credential{credentials(key).VLESSID, flow})
		check(t, err)
		return m
	}
	v := &vlessUsers{byKey: map[[16]byte]int64{}, byID: map[int64]vlessUser{}}
	who := func(key int64) string {
		if m := v.Get(xuuid.UUID(uuid.MustParse(credentials(key).VLESSID))); m != nil {
			return m.Email
		}
		return ""
	}
	alice, bob := made(7, 7, domain.FlowVision), made(8, 8, "")
	check(t, v.Add(alice))
	check(t, v.Add(bob))
	if v.Add(alice) == nil {
		t.Error("a user is added twice")
	}
	for _, want := range []*protocol.MemoryUser{alice, bob} {
		got := v.GetByEmail(want.Email)
		if got == nil || got.Email != want.Email || !proto.Equal(got.Account.ToProto(), want.Account.ToProto()) {
			t.Errorf("got %+v, want %+v", got, want)
		}
	}
	if got := []string{who(7), who(8), who(9)}; got[0] != "7" || got[1] != "8" || got[2] != "" {
		t.Errorf("found %q", got)
	}
	if v.GetByEmail("9") != nil || v.GetByEmail("alice") != nil || v.Del("9") == nil {
		t.Error("a user is found that there is not")
	}
	if v.GetCount() != 2 || len(v.GetAll()) != 2 {
		t.Errorf("%d users, %d listed, want 2", v.GetCount(), len(v.GetAll()))
	}

	check(t, v.Del("7")) // alice gets bob's uuid before he gets another
	check(t, v.Add(made(7, 8, "")))
	check(t, v.Del("8"))
	check(t, v.Add(made(8, 9, "")))
	if got := []string{who(7), who(8), who(9)}; got[0] != "" || got[1] != "7" || got[2] != "8" {
		t.Errorf("after the change: %q", got)
	}
	check(t, v.Del("7"))
	check(t, v.Del("8"))
	if v.GetCount() != 0 || len(v.byKey) != 0 {
		t.Errorf("%d users and %d keys are left", v.GetCount(), len(v.byKey))
	}
}

// TestTheCoreSeesOneUserInUUIDsThatDifferWhereItDoesNotLook: its two bytes that say nothing of who it is.
func TestTheCoreSeesOneUserInUUIDsThatDifferWhereItDoesNotLook(t *testing.T) {
	l, err := newListener(vlessInbound(1, 443), "")
	check(t, err)
	m, err := l.memoryUser(7, credential{key: "11111111-1111-4111-8111-000000000007"})
	check(t, err)
	v := &vlessUsers{byKey: map[[16]byte]int64{}, byID: map[int64]vlessUser{}}
	check(t, v.Add(m))
	if got := v.Get(xuuid.UUID(uuid.MustParse("11111111-1111-9999-8111-000000000007"))); got == nil || got.Email != "7" {
		t.Errorf("got %+v, want user 7", got)
	}
	if got := v.Get(xuuid.UUID(uuid.MustParse("11111111-1111-4111-9999-000000000007"))); got != nil {
		t.Errorf("got %+v for another uuid", got)
	}
}
