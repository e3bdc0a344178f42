package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"

	"github.com/jonboulle/clockwork"
	"go.uber.org/zap"
	"golang.org/x/sync/errgroup"

	"github.com/sluicehq/sluice/httpapi"
	"github.com/sluicehq/sluice/kernel"
)

type serveCmd struct {
	dataFlags
	logFlags
	Listen        string `help:"Address of the APIs and subscriptions." default:"127.0.0.1:8080"`
	TLSCert       string `name:"tls-cert" help:"PEM certificate of --listen and --sub-listen; followed when it changes." placeholder:"FILE"`
	TLSKey        string `name:"tls-key" help:"Its PEM key." placeholder:"FILE"`
	MetricsListen string `help:"Address that serves /metrics and health details without a token." placeholder:"ADDR"`
	SubListen     string `help:"Address that serves subscriptions only." placeholder:"ADDR"`
}

// Run serves until it is told to stop.
func (c *serveCmd) Run(ctx context.Context, s streams) (err error) {
	if (c.TLSCert == "") != (c.TLSKey == "") {
		return errors.New("--tls-cert and --tls-key go together")
	}
	if c.Listen == "" {
		return errors.New("--listen must name an address, such as 127.0.0.1:8080")
	}
	log, err := c.logger(s.err)
	if err != nil {
		return err
	}
	lock, err := c.Data.Acquire()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, lock.Release()) }()
	doors, err := c.open(log)
	if err != nil {
		return err
	}
	k, err := kernel.Start(ctx, kernel.Options{Dir: c.Data, Database: c.Database, Loopback: loopback(doors), Log: log})
	if err != nil {
		return errors.Join(explained(err), closeAll(doors))
	}
	if err := firstAdmin(ctx, k, s); err != nil {
		return errors.Join(err, closeAll(doors), k.Stop(context.WithoutCancel(ctx)))
	}
	err = serve(ctx, k, c.Data, doors, log)
	log.Info("stopping")
	return errors.Join(err, k.Stop(context.WithoutCancel(ctx)))
}

// door is one address with what it serves.
type door struct {
	name     string
	listener net.Listener
	options  httpapi.Options
}

// open listens on every address before anything else starts, so that one in use is told at once.
func (c *serveCmd) open(log *zap.Logger) (doors []door, err error) {
	var secure *tls.Config
	if c.TLSCert != "" {
		certificate, err := httpapi.LoadCertificate(c.TLSCert, c.TLSKey, clockwork.NewRealClock(), log)
		if err != nil {
			return nil, err
		}
		secure = certificate.Config()
	}
	for _, d := range []struct {
		name, address string
		secure        *tls.Config
		options       httpapi.Options
	}{
		{"api", c.Listen, secure, httpapi.Options{API: true, Sub: true}},
		{"subscriptions", c.SubListen, secure, httpapi.Options{Sub: true}},
		{"metrics", c.MetricsListen, nil, httpapi.Options{Metrics: true}},
	} {
		if d.address == "" {
			continue
		}
		l, err := net.Listen("tcp", d.address)
		if err != nil {
			return nil, errors.Join(fmt.Errorf("listen for %s: %w", d.name, err), closeAll(doors))
		}
		if d.secure != nil {
			l = tls.NewListener(l, d.secure)
		}
		doors = append(doors, door{d.name, l, d.options})
	}
	return doors, nil
}

func closeAll(doors []door) error {
	var errs []error
	for _, d := range doors {
		errs = append(errs, d.listener.Close())
	}
	return errors.Join(errs...)
}

// loopback says whether subscriptions are served to this machine only.
func loopback(doors []door) bool {
	for _, d := range doors {
		address, ok := d.listener.Addr().(*net.TCPAddr)
		if d.options.Sub && (!ok || !address.IP.IsLoopback()) {
			return false
		}
	}
	return true
}

// firstAdmin prints the login that the first start makes: the one time that it can be read.
func firstAdmin(ctx context.Context, k *kernel.Kernel, s streams) error {
	password, err := k.Accounts.FirstAdmin(ctx)
	if err != nil || password == "" {
		return err
	}
	_, err = fmt.Fprintf(s.out, "First start. Admin login, shown only now:\n  username: admin\n  password: %s\n", password)
	return err
}

// serve runs every door and the control socket until ctx ends or one of them fails.
func serve(ctx context.Context, k *kernel.Kernel, dir kernel.DataDir, doors []door, log *zap.Logger) error {
	socket, err := dir.ListenControl()
	if err != nil {
		return errors.Join(err, closeAll(doors))
	}
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return httpapi.NewControl(k.Accounts, log.Named("control")).Serve(ctx, socket) })
	for _, d := range doors {
		d.options.Kernel, d.options.Log, d.options.Version = k, log.Named("http"), version
		group.Go(func() error { return httpapi.New(d.options).Serve(ctx, d.listener) })
		log.Info("serving", zap.String("what", d.name), zap.Stringer("address", d.listener.Addr()))
	}
	return group.Wait()
}
