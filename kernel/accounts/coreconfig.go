package accounts

import (
	"context"
	"fmt"

	"go.uber.org/zap"

	"github.com/sluicehq/sluice/kernel/core"
	"github.com/sluicehq/sluice/kernel/domain"
	"github.com/sluicehq/sluice/storage"
)

// CoreConfig returns the base configuration of the core: dns, routing, outbounds and policy as one JSON document.
func (s *Service) CoreConfig(ctx context.Context) (string, error) {
	config, _, err := s.DB.CoreConfig(ctx)
	if err == nil && config == "" {
		config = core.DefaultConfig()
	}
	return config, err
}

// SetCoreConfig checks the document by building it, stores it and restarts the core with it, which cuts every
// connection. If the core does not start with it, the former document is put back in both places. A core that did not
// run before does not run now (unavailable), but the document stays: it may be what the next start needs.
func (s *Service) SetCoreConfig(ctx context.Context, config string) error {
	if err := core.CheckConfig(config, s.CertDir); err != nil {
		return err
	}
	var former string
	var refused error
	err := s.write(ctx, func(tx *storage.Tx) (err error) {
		if former, _, err = tx.CoreConfig(ctx); err != nil {
			return err
		}
		_, err = tx.SaveCoreConfig(ctx, config)
		return err
	}, func(ctx context.Context) { refused = s.runConfig(ctx, config, former) })
	if err != nil {
		return err
	}
	return refused
}

// runConfig makes the core follow the commit of a new document, or undoes that commit.
func (s *Service) runConfig(ctx context.Context, config, former string) error {
	if s.Core == nil {
		return nil
	}
	err := s.Core.SetConfig(ctx, config)
	switch {
	case err == nil:
		return nil
	case domain.CodeOf(err) == domain.CodeUnavailable:
		return domain.Unavailable("the configuration is stored, but the core is not running: start Sluice again").Because(err)
	}
	s.Log.Error("core does not start with the new configuration", zap.Error(err))
	back := s.DB.Write(ctx, func(tx *storage.Tx) error {
		_, err := tx.SaveCoreConfig(ctx, former)
		return err
	})
	if back != nil {
		return fmt.Errorf("put the former core configuration back: %w", back)
	}
	return domain.Invalid("config", "is refused by the core, which runs on with the former one: "+err.Error()).Because(err)
}
