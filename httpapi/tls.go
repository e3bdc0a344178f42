package httpapi

import (
	"crypto/tls"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/jonboulle/clockwork"
	"go.uber.org/zap"
)

// recheck is how often a handshake looks whether the certificate's files have changed.
const recheck = time.Second

// Certificate is a key pair that follows its files: a renewed one is used without a restart. A broken new one is
// logged, and the former goes on.
type Certificate struct {
	cert, key string // files
	clock     clockwork.Clock
	log       *zap.Logger

	mu      sync.Mutex
	current *tls.Certificate
	loaded  [2]time.Time // modification times of the files of current
	next    time.Time    // of the next look at the files
}

// LoadCertificate reads the pair of PEM files.
func LoadCertificate(cert, key string, clock clockwork.Clock, log *zap.Logger) (*Certificate, error) {
	c := &Certificate{cert: cert, key: key, clock: clock, log: log}
	if err := c.load(); err != nil {
		return nil, err
	}
	return c, nil
}

// Config returns the configuration of a TLS listener.
func (c *Certificate) Config() *tls.Config {
	return &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
		return c.get(), nil
	}}
}

func (c *Certificate) get() *tls.Certificate {
	c.mu.Lock()
	defer c.mu.Unlock()
	if now := c.clock.Now(); now.After(c.next) {
		c.next = now.Add(recheck)
		if times, err := c.times(); err == nil && times != c.loaded {
			if err := c.load(); err != nil {
				c.loaded = times // said once for each change
				c.log.Error("the new TLS certificate is not used", zap.Error(err))
			}
		}
	}
	return c.current
}

func (c *Certificate) load() error {
	times, err := c.times()
	if err != nil {
		return fmt.Errorf("load TLS certificate: %w", err)
	}
	pair, err := tls.LoadX509KeyPair(c.cert, c.key)
	if err != nil {
		return fmt.Errorf("load TLS certificate: %w", err)
	}
	c.current, c.loaded = &pair, times
	return nil
}

func (c *Certificate) times() (times [2]time.Time, err error) {
	for i, file := range []string{c.cert, c.key} {
		info, err := os.Stat(file)
		if err != nil {
			return times, err
		}
		times[i] = info.ModTime()
	}
	return times, nil
}
