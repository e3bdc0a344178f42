package kernel

import (
	"context"
	"errors"
	"slices"
	"sync/atomic"

	"go.uber.org/zap"

	"github.com/sluicehq/sluice/kernel/directory"
	"github.com/sluicehq/sluice/kernel/domain"
	"github.com/sluicehq/sluice/kernel/event"
	"github.com/sluicehq/sluice/kernel/guard"
	"github.com/sluicehq/sluice/kernel/install"
	"github.com/sluicehq/sluice/kernel/plugin"
	"github.com/sluicehq/sluice/kernel/subscription"
	"github.com/sluicehq/sluice/plugins"
	"github.com/sluicehq/sluice/sdk/wire"
	"github.com/sluicehq/sluice/storage"
)

// startPlugins loads the bundle and the files of the plugin folder.
func (k *Kernel) startPlugins(ctx context.Context) error {
	k.Installed = install.New(install.Options{
		Dir: k.o.Dir.Plugins(), Last: k.o.Dir.LastPlugins(), DB: k.db, Clock: k.o.Clock, Log: k.o.Log.Named("install"), Previews: previews{k}, OnHandlers: k.setHandlers,
	})
	if err := k.Installed.Reread(ctx); err != nil {
		return err
	}
	host, err := plugin.Open(ctx, plugin.Options{
		Log: k.o.Log.Named("plugin"), Clock: k.o.Clock, CacheDir: k.o.Dir.Cache(),
		Policy: k.Installed.Policy, KV: func(name string) plugin.KV { return k.db.PluginKV(name) },
		HTTP: guard.New(guard.Options{Allow: k.o.Reach, UserAgent: "Sluice"}), OnNotice: k.notices.put,
		OnChange: k.pluginsChanged,
	})
	if err != nil {
		return err
	}
	k.Plugins, k.Installed.Host = host, host
	k.deliveries = event.New(event.Options{
		Outbox: k.db, Plugins: handlers{host}, Clock: k.o.Clock, Log: k.o.Log.Named("event"),
	})
	k.db.OnDeliveries(k.deliveries.Wake)
	bundle, err := plugins.Bundle()
	if err != nil {
		return err
	}
	if err := host.LoadBundle(ctx, bundle); err != nil {
		return err
	}
	return errors.Join(k.countDeliveries(ctx), k.Installed.Scan(ctx, false))
}

// setHandlers makes the event handlers known to those who write events down, and to those who deliver them.
func (k *Kernel) setHandlers(ctx context.Context, list []domain.EventHandler) error {
	if err := k.db.SetHandlers(ctx, k.node, list); err != nil {
		return err
	}
	names := make([]string, len(list))
	for i, h := range list {
		names[i] = h.Handler
	}
	k.deliveries.SetHandlers(names)
	return nil
}

// pluginsChanged has what was rendered before made anew.
func (k *Kernel) pluginsChanged() {
	if k.Subscriptions != nil { // nil while the first plugins are loaded
		k.Subscriptions.PluginsChanged()
	}
}

// followPlugins makes plugins follow what another process has said about them, and events be written for its handlers.
// It counts the events on their way too.
func (k *Kernel) followPlugins(ctx context.Context) error {
	return errors.Join(k.countDeliveries(ctx), k.db.LoadHandlers(ctx), k.Installed.Reread(ctx))
}

// countDeliveries notes for Health how the events on their way do.
func (k *Kernel) countDeliveries(ctx context.Context) error {
	counts, err := k.db.DeliveryCounts(ctx)
	if err == nil {
		k.outbox.Store(&counts)
	}
	return err
}

// scanPlugins is for file systems that do not say when they change.
func (k *Kernel) scanPlugins(ctx context.Context) error { return k.Installed.Scan(ctx, false) }

// handlers are the event plugins as deliveries see them.
type handlers struct{ host *plugin.Host }

// Event hands an event to the item of that plugin.
func (h handlers) Event(ctx context.Context, name string, req *wire.EventRequest) error {
	of := func(i plugin.Item) bool { return i.Plugin == name && i.ID == req.ID }
	if !slices.ContainsFunc(h.host.Items(wire.KindEvent), of) { // it is being replaced, or another plugin has the id now
		return domain.NotFound("the event handler is not loaded").Because(plugin.ErrNoItem)
	}
	return h.host.Event(ctx, req)
}

// previews are what previews of plugins are made of.
type previews struct{ k *Kernel }

// Sample returns the users of those names, or the first n.
func (p previews) Sample(ctx context.Context, names []string, n int) ([]domain.User, error) {
	if len(names) > install.PreviewUsers {
		return nil, domain.Invalid("users", "can be at most 20 names")
	}
	var users []domain.User
	for _, name := range names {
		u, err := p.k.db.UserByName(ctx, name)
		if err != nil {
			return nil, err
		}
		users = append(users, u)
	}
	if len(names) > 0 {
		return users, nil
	}
	page := p.k.directory.Page(p.k.o.Clock.Now().UnixMilli(), directory.Query{Limit: n})
	for _, id := range page.IDs {
		u, err := p.k.db.UserByID(ctx, id)
		if domain.CodeOf(err) == domain.CodeNotFound { // deleted just now
			continue
		}
		if err != nil {
			return nil, err
		}
		users = append(users, u)
	}
	return users, nil
}

// Render makes a subscription of each of the users as it is and as r would make it.
func (p previews) Render(ctx context.Context, r subscription.Renderer, format string, ids []int64) ([]subscription.Previewed, error) {
	return p.k.Subscriptions.Preview(ctx, r, format, ids)
}

// Settings are those of now.
func (p previews) Settings(ctx context.Context) (domain.Settings, error) { return p.k.db.Settings(ctx) }

// notices are what the plugin host has to say; they become events. The host must not wait for the database, so they wait
// here; a flood of them, which only a flood of failures could be, is cut.
type notices struct {
	waiting chan plugin.Notice
	stop    chan struct{}
	ended   chan struct{}
	log     *zap.Logger
	panics  atomic.Uint64
}

// maxNotices is how many may wait.
const maxNotices = 256

func newNotices(log *zap.Logger) *notices {
	return &notices{waiting: make(chan plugin.Notice, maxNotices), stop: make(chan struct{}), ended: make(chan struct{}), log: log}
}

func (n *notices) put(notice plugin.Notice) {
	select {
	case n.waiting <- notice:
	default:
		n.log.Warn("too many notices of plugins at once: no event is made of one", zap.String("type", notice.Type), zap.String("plugin", notice.Plugin))
	}
}

// start makes events of notices until close.
func (n *notices) start(db *storage.DB) {
	go func() {
		defer close(n.ended)
		for {
			select {
			case notice := <-n.waiting:
				n.announce(db, notice)
			case <-n.stop:
				return
			}
		}
	}()
}

func (n *notices) announce(db *storage.DB, notice plugin.Notice) {
	defer func() {
		if p := recover(); p != nil {
			n.panics.Add(1)
			n.log.Error("making an event of a notice panicked", zap.Any("panic", p), zap.Stack("stack"))
		}
	}()
	name := notice.Plugin
	if name == "" {
		name = notice.File
	}
	e := domain.PluginEvent(notice.Type, name, notice.Version, notice.Reason)
	if err := db.Announce(context.Background(), e); err != nil {
		n.log.Error("no event can be made of what became of a plugin", zap.String("type", notice.Type), zap.String("plugin", name), zap.Error(err))
	}
}

// close ends start, and waits for it.
func (n *notices) close() {
	close(n.stop)
	<-n.ended
}

// Outbox are the events on their way to plugins.
type Outbox struct{ k *Kernel }

// Outbox gives access to the events on their way.
func (k *Kernel) Outbox() Outbox { return Outbox{k} }

// Deliveries lists them.
func (o Outbox) Deliveries(ctx context.Context, q domain.DeliveryQuery) ([]domain.Delivery, error) {
	return o.k.db.Deliveries(ctx, q)
}

// RetryDeliveries makes those with these ids due now, dead ones too, and returns how many it has made so.
func (o Outbox) RetryDeliveries(ctx context.Context, ids []int64) (int, error) {
	n, err := o.k.db.RetryDelivery(ctx, ids)
	o.k.deliveries.Wake()
	return n, err
}

// DropDeliveries removes those with these ids, and returns how many there were.
func (o Outbox) DropDeliveries(ctx context.Context, ids []int64) (int, error) {
	return o.k.db.DropDeliveries(ctx, ids)
}

// Undelivered hands the ids of all that wait for a handler, or were given up, to do, some thousands at a time, and adds up
// what it returns.
func (o Outbox) Undelivered(ctx context.Context, handler string, do func(context.Context, []int64) (int, error)) (sum int, err error) {
	for _, state := range []domain.DeliveryState{domain.DeliveryWaiting, domain.DeliveryDead} {
		for after := int64(0); ; {
			some, err := o.k.db.Deliveries(ctx, domain.DeliveryQuery{State: state, Handler: handler, AfterID: after, Limit: maxDeliveries})
			if err != nil {
				return sum, err
			}
			if len(some) == 0 {
				break
			}
			ids := make([]int64, len(some))
			for i := range some {
				ids[i] = some[i].ID
			}
			n, err := do(ctx, ids)
			if sum += n; err != nil {
				return sum, err
			}
			after = ids[len(ids)-1]
		}
	}
	return sum, nil
}

// maxDeliveries is how many deliveries are changed in one transaction.
const maxDeliveries = 5000
