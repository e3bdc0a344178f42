package core

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"

	"github.com/xtls/xray-core/common"
	"github.com/xtls/xray-core/common/protocol"
	"github.com/xtls/xray-core/common/serial"
	"github.com/xtls/xray-core/common/uuid"
	xcore "github.com/xtls/xray-core/core"
	"github.com/xtls/xray-core/features/dns"
	"github.com/xtls/xray-core/proxy/vless"
	"github.com/xtls/xray-core/proxy/vless/inbound"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/sluicehq/sluice/kernel/domain"
)

// vlessUsers is the list of users of one vless inbound, in a fifth of the space of the core's own: on this protocol an
// inbound may have 100,000. It keeps what an account is made of, and makes the account for the connection that asks.
type vlessUsers struct {
	mu    sync.RWMutex
	byKey map[[16]byte]int64 // id by what the core compares of a uuid
	byID  map[int64]vlessUser
}

// vlessUser is what differs between the accounts that listener.account makes.
type vlessUser struct {
	uuid   uuid.UUID
	vision bool
}

var _ vless.Validator = (*vlessUsers)(nil)

// Bytes stand for a vless inbound whose list of users is ours: they are the core's own configuration.
func init() {
	common.Must(common.RegisterConfig((*wrapperspb.BytesValue)(nil), func(ctx context.Context, config any) (any, error) {
		var cfg inbound.Config
		if err := proto.Unmarshal(config.(*wrapperspb.BytesValue).Value, &cfg); err != nil {
			return nil, err
		}
		var dc dns.Client
		if err := xcore.RequireFeatures(ctx, func(d dns.Client) { dc = d }); err != nil {
			return nil, err
		}
		return inbound.New(ctx, &cfg, dc, &vlessUsers{byKey: map[[16]byte]int64{}, byID: map[int64]vlessUser{}})
	}))
}

// listUsersOurselves gives a vless inbound our list of users, and leaves every other one as it is.
func listUsersOurselves(cfg *xcore.InboundHandlerConfig) {
	if cfg.ProxySettings.Type == serial.GetMessageType(&inbound.Config{}) {
		cfg.ProxySettings = serial.ToTypedMessage(&wrapperspb.BytesValue{Value: cfg.ProxySettings.Value})
	}
}

// Get returns the user with the uuid, nil when there is none.
func (v *vlessUsers) Get(id uuid.UUID) *protocol.MemoryUser {
	v.mu.RLock()
	defer v.mu.RUnlock()
	if user, known := v.byKey[vless.ProcessUUID(id)]; known {
		return v.byID[user].memoryUser(user)
	}
	return nil
}

// Add adds a user that listener.memoryUser made. A uuid that another user still has is the new one's from now on: of two
// users who change theirs at the same time, one may get what the other is about to lose.
func (v *vlessUsers) Add(m *protocol.MemoryUser) error {
	id, err := strconv.ParseInt(m.Email, 10, 64)
	if err != nil {
		return fmt.Errorf("%q is not the id of a user: %w", m.Email, err)
	}
	a := m.Account.(*vless.MemoryAccount)
	u := vlessUser{a.ID.UUID(), a.Flow == domain.FlowVision}
	v.mu.Lock()
	defer v.mu.Unlock()
	if _, listed := v.byID[id]; listed {
		return errors.New("the user is listed already")
	}
	v.byID[id], v.byKey[vless.ProcessUUID(u.uuid)] = u, id
	return nil
}

// Del removes a user.
func (v *vlessUsers) Del(email string) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	id, u, known := v.find(email)
	if !known {
		return errors.New("the user is not listed")
	}
	delete(v.byID, id)
	if key := vless.ProcessUUID(u.uuid); v.byKey[key] == id {
		delete(v.byKey, key)
	}
	return nil
}

// GetByEmail returns a user, nil when it is not listed.
func (v *vlessUsers) GetByEmail(email string) *protocol.MemoryUser {
	v.mu.RLock()
	defer v.mu.RUnlock()
	id, u, known := v.find(email)
	if !known {
		return nil
	}
	return u.memoryUser(id)
}

// GetAll returns the users in no order.
func (v *vlessUsers) GetAll() []*protocol.MemoryUser {
	v.mu.RLock()
	defer v.mu.RUnlock()
	list := make([]*protocol.MemoryUser, 0, len(v.byID))
	for id, u := range v.byID {
		list = append(list, u.memoryUser(id))
	}
	return list
}

// GetCount returns how many users are listed.
func (v *vlessUsers) GetCount() int64 {
	v.mu.RLock()
	defer v.mu.RUnlock()
	return int64(len(v.byID))
}

// find returns the user that the core calls by its id in decimal. The caller holds v.mu.
func (v *vlessUsers) find(email string) (int64, vlessUser, bool) {
	id, err := strconv.ParseInt(email, 10, 64)
	if err != nil {
		return 0, vlessUser{}, false
	}
	u, known := v.byID[id]
	return id, u, known
}

// memoryUser is the user as the core takes it.
func (u vlessUser) memoryUser(id int64) *protocol.MemoryUser {
	a := &vless.MemoryAccount{ID: protocol.NewID(u.uuid), Encryption: "none"}
	if u.vision {
		a.Flow = domain.FlowVision
	}
	return &protocol.MemoryUser{Email: email(id), Account: a}
}
