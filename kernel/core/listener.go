package core

import (
	"context"
	"fmt"

	"github.com/xtls/xray-core/common/protocol"
	"github.com/xtls/xray-core/common/serial"
	xcore "github.com/xtls/xray-core/core"
	"github.com/xtls/xray-core/features/inbound"
	"github.com/xtls/xray-core/proxy"
	"go.uber.org/zap"
	"google.golang.org/protobuf/proto"

	"github.com/sluicehq/sluice/kernel/domain"
)

// listener is one open inbound with the users that the core knows on it. It is used by one goroutine at a time, the one
// that holds Engine.mu. A listener that was closed is not opened again: reopen makes a new one of the same configuration.
type listener struct {
	in       domain.Inbound
	cfg      *xcore.InboundHandlerConfig
	users    proxy.UserManager
	applied  map[int64]uint64 // user id to the fingerprint of its credential in the core's list
	method   string           // of shadowsocks
	vision   bool             // can carry the flow
	replaced bool             // users change by replacing the inbound: a shadowsocks 2022 list that shrinks can crash the core
}

// newListener builds an inbound. It does not listen yet.
func newListener(in domain.Inbound, certDir string) (*listener, error) {
	cfg, err := buildInbound(&in, certDir)
	if err != nil {
		return nil, err
	}
	return &listener{
		in: in, cfg: cfg, method: in.Method(),
		vision:   in.EffectiveFlow(domain.FlowVision) != "",
		replaced: in.Protocol == domain.Shadowsocks && domain.ShadowsocksKeySize(in.Method()) > 0,
	}, nil
}

// build creates the inbound with its users in it. It does not listen yet: so nobody who may come in is turned away, and
// an inbound that is replaced is away for an instant only.
func (l *listener) build(i *instance, g *gate) (handler inbound.Handler, err error) {
	err = g.tasks.guard("building inbound "+l.in.Tag, func() error {
		l.applied = make(map[int64]uint64)
		cfg, err := l.configured(g)
		if err != nil {
			return err
		}
		part, err := xcore.CreateObject(i.core, cfg)
		if err != nil {
			return err
		}
		handler = part.(inbound.Handler)
		l.users = handler.(proxy.GetInbound).GetInbound().(proxy.UserManager)
		l.fill(g)
		return nil
	})
	return handler, err
}

// serve lets a built inbound listen. After a failure nothing of it is left.
func (l *listener) serve(i *instance, g *gate, handler inbound.Handler) error {
	return g.tasks.guard("opening inbound "+l.in.Tag, func() error {
		if _, err := i.inbounds.GetHandler(context.Background(), l.in.Tag); err == nil {
			// Without this check the clean-up below would close the inbound that has the tag.
			return fmt.Errorf("tag %s is in use", l.in.Tag)
		}
		if err := i.inbounds.AddHandler(context.Background(), handler); err != nil {
			_ = l.close(i, g) // the core keeps the tag, and the ports it has got, of an inbound that could not listen
			return err
		}
		return nil
	})
}

// close stops listening. Connections over TCP live on: the gate cuts those that must not.
func (l *listener) close(i *instance, g *gate) error {
	return g.tasks.guard("closing inbound "+l.in.Tag, func() error {
		return i.inbounds.RemoveHandler(context.Background(), l.in.Tag)
	})
}

// configured returns the configuration with the users that can not be added to a running inbound.
func (l *listener) configured(g *gate) (*xcore.InboundHandlerConfig, error) {
	settings, err := ss2022Config(l.cfg)
	if err != nil || settings == nil {
		return l.cfg, err
	}
	settings.Users = nil
	l.eachUser(g, func(u *user, c credential) {
		settings.Users = append(settings.Users, &protocol.User{Email: email(u.id), Account: serial.ToTypedMessage(l.account(c))})
		l.applied[u.id] = c.fingerprint()
	})
	cfg := proto.Clone(l.cfg).(*xcore.InboundHandlerConfig)
	cfg.ProxySettings = serial.ToTypedMessage(settings)
	return cfg, nil
}

// fill adds the users that can be added to a running inbound. One that can not is left out, and tried again by every
// audit.
func (l *listener) fill(g *gate) {
	if l.replaced {
		return
	}
	var first error
	l.eachUser(g, func(u *user, c credential) {
		if err := l.add(u.id, c); err != nil && first == nil {
			first = err
		}
	})
	if first != nil {
		g.tasks.log.Warn("not every user could be added to an inbound", zap.String("tag", l.in.Tag), zap.Error(first))
	}
}

// eachUser calls f for every user that should be on the inbound now.
func (l *listener) eachUser(g *gate, f func(*user, credential)) {
	now := g.now()
	g.users.all(func(u *user) {
		if c := l.wanted(u, now); c.key != "" {
			f(u, c)
		}
	})
}

// wanted returns the credential that the user should have on the inbound at now (ms UTC), with key "" for none. Users
// who may not connect are not in the lists at all: the gate would refuse them, but a multiplexed connection passes it
// only with its first stream, and vmess and shadowsocks pay for every listed user with every new connection.
func (l *listener) wanted(u *user, now int64) credential {
	r, admitted := u.view(now)
	if !admitted || !r.inbounds.has(l.in.ID) {
		return credential{}
	}
	c := r.secrets.credentials()
	return l.credential(&c)
}

// sync makes the core's list agree for one user and returns whether anything was to be done. On an inbound that is
// replaced it only says so.
func (l *listener) sync(u *user, now int64) (changed bool, err error) {
	c := l.wanted(u, now)
	old, listed := l.applied[u.id]
	if c.key == "" && !listed || c.key != "" && listed && old == c.fingerprint() {
		return false, nil
	}
	if l.replaced {
		return true, nil
	}
	if listed {
		if err := l.drop(u.id); err != nil {
			return true, err
		}
	}
	if c.key == "" {
		return true, nil
	}
	return true, l.add(u.id, c)
}

// add puts a user into the list that is running. It must not be there: some protocols would list it twice.
func (l *listener) add(id int64, c credential) error {
	m, err := l.memoryUser(id, c)
	if err != nil {
		return fmt.Errorf("user %d on inbound %s: %w", id, l.in.Tag, err)
	}
	if err := l.users.AddUser(context.Background(), m); err != nil {
		return fmt.Errorf("adding user %d to inbound %s: %w", id, l.in.Tag, err)
	}
	l.applied[id] = c.fingerprint()
	return nil
}

// drop takes a user out of the list that is running. It counts as gone even if the core says that it was not there.
func (l *listener) drop(id int64) error {
	delete(l.applied, id)
	if err := l.users.RemoveUser(context.Background(), email(id)); err != nil {
		return fmt.Errorf("removing user %d from inbound %s: %w", id, l.in.Tag, err)
	}
	return nil
}

// inspect takes applied from what the core really has, and removes what no user can explain or what is there twice. It
// returns how many entries that was. Afterwards sync mends the rest.
func (l *listener) inspect(g *gate) (removed int) {
	listed := l.users.GetUsers(context.Background())
	times := make(map[string]int, len(listed))
	for _, m := range listed {
		times[m.Email]++
	}
	l.applied = make(map[int64]uint64, len(listed))
	for _, m := range listed {
		if u := g.byEmail(m.Email); u != nil && times[m.Email] == 1 {
			l.applied[u.id] = l.actual(u, m)
			continue
		}
		removed++
		if !l.replaced {
			_ = l.users.RemoveUser(context.Background(), m.Email) // fails only for what is gone
		}
	}
	return removed
}

// actual is the fingerprint of what the core has for a user: that of the user's credential if it is the same, else 0.
func (l *listener) actual(u *user, m *protocol.MemoryUser) uint64 {
	r, _ := u.view(0)
	all := r.secrets.credentials()
	c := l.credential(&all)
	if c.key == "" {
		return 0
	}
	wanted, err := l.memoryUser(u.id, c)
	if err != nil || !proto.Equal(wanted.Account.ToProto(), m.Account.ToProto()) {
		return 0
	}
	return c.fingerprint()
}

// sameListener says whether the core would serve both alike, so that nothing has to be opened again.
func sameListener(a, b *domain.Inbound) bool {
	return a.Tag == b.Tag && a.Protocol == b.Protocol && a.Listen == b.Listen && a.Port == b.Port &&
		a.Settings == b.Settings && a.StreamSettings == b.StreamSettings && a.Sniffing == b.Sniffing
}
