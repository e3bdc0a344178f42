package accounts

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"unicode"

	"github.com/sluicehq/sluice/kernel/core"
	"github.com/sluicehq/sluice/kernel/domain"
	"github.com/sluicehq/sluice/storage"
)

// InboundView is an inbound with how it runs.
type InboundView struct {
	domain.Inbound
	Problem string // why the core does not serve it, "" when it does
}

// checkNew checks a new inbound and fills in its times.
func (s *Service) checkNew(in domain.Inbound) (domain.Inbound, error) {
	if err := checkTexts(&in); err != nil {
		return in, err
	}
	in.CreatedAt, in.UpdatedAt = s.now(), s.now()
	return in, core.CheckInbound(withTag(in), s.CertDir)
}

// insertInbound stores a new inbound, if nothing holds its tag or port.
func (s *Service) insertInbound(ctx context.Context, tx *storage.Tx, in *domain.Inbound) error {
	others, err := tx.Inbounds(ctx)
	if err != nil {
		return err
	}
	if err := free(in, others); err != nil {
		return err
	}
	if in.Enabled {
		if err := probe(in); err != nil {
			return err
		}
	}
	return tx.InsertInbound(ctx, in)
}

// maxLabel is the longest tag or remark of an inbound, in bytes: enough for a name in any script.
const maxLabel = 256

// checkTexts checks what the core does not look at.
func checkTexts(in *domain.Inbound) error {
	switch {
	case in.Quota != nil && *in.Quota <= 0:
		return domain.Invalid("inbound_quota", "must not be negative")
	case in.ExpireAt != nil && *in.ExpireAt < 0:
		return domain.Invalid("inbound_expire_at", "must not be negative")
	case in.ShareAddress != "" && !validHost(in.ShareAddress):
		return domain.Invalid("share_address", "must be a host name or an IP address, without a port")
	case len(in.Tag) > maxLabel:
		return domain.Invalid("tag", "is longer than 256 bytes")
	case len(in.Remark) > maxLabel:
		return domain.Invalid("remark", "is longer than 256 bytes")
	case strings.ContainsFunc(in.Remark, unicode.IsControl):
		return domain.Invalid("remark", "must not contain control characters")
	}
	return nil
}

func withTag(in domain.Inbound) domain.Inbound {
	if in.Tag == "" {
		in.Tag = in.DefaultTag()
	}
	return in
}

// UpdateInbound lets edit change an inbound and stores it; it serves as changed when this returns. One that the core can
// not open as it is now goes on as it was, and its Problem says why. An edit that changes nothing writes nothing.
func (s *Service) UpdateInbound(ctx context.Context, id int64, edit func(*domain.Inbound) error) (InboundView, error) {
	var in domain.Inbound
	changed := false
	err := s.write(ctx, func(tx *storage.Tx) (err error) {
		in, changed, err = s.editInbound(ctx, tx, id, edit)
		return err
	}, func(ctx context.Context) {
		if changed {
			s.inboundChanged(ctx, in)
		}
	})
	if err != nil {
		return InboundView{}, err
	}
	return s.inboundView(in), nil
}

// editInbound lets edit change an inbound and stores it, unless that changes nothing.
func (s *Service) editInbound(
	ctx context.Context, tx *storage.Tx, id int64, edit func(*domain.Inbound) error,
) (in domain.Inbound, changed bool, err error) {
	before, err := tx.Inbound(ctx, id)
	if err != nil {
		return in, false, err
	}
	in = before
	if err := edit(&in); err != nil {
		return in, false, err
	}
	if reflect.DeepEqual(before, in) {
		return in, false, nil
	}
	if err := s.checkUpdate(ctx, tx, &before, &in); err != nil {
		return in, false, err
	}
	return in, true, tx.UpdateInbound(ctx, &in)
}

// checkUpdate refuses what an inbound can not be changed to. Its port is tried only where it does not hold it itself.
func (s *Service) checkUpdate(ctx context.Context, tx *storage.Tx, before, in *domain.Inbound) error {
	if err := checkTexts(in); err != nil {
		return err
	}
	if err := core.CheckInbound(withTag(*in), s.CertDir); err != nil {
		return err
	}
	others, err := tx.Inbounds(ctx)
	if err != nil {
		return err
	}
	others = slices.DeleteFunc(others, func(o domain.Inbound) bool { return o.ID == in.ID })
	if err := free(in, others); err != nil {
		return err
	}
	if !in.Enabled || before.Serves(s.now()) && before.Collides(in) {
		return nil
	}
	return probe(in)
}

// inboundChanged makes the core and the links follow a commit.
func (s *Service) inboundChanged(ctx context.Context, in domain.Inbound) {
	s.open[in.ID] = in.Serves(s.now())
	s.follow("inbound changed", func(c Core) error { return c.ApplyInbounds(ctx, []domain.Inbound{s.served(in)}, nil) })
	s.reload(ctx)
}

// ResetInbound sets what has passed an inbound to zero. One whose quota was used up serves again; its users keep theirs.
func (s *Service) ResetInbound(ctx context.Context, id int64) error {
	var in domain.Inbound
	return s.drained(ctx, nil, []int64{id}, func(tx *storage.Tx) (err error) {
		if err := tx.ResetInbound(ctx, id); err != nil {
			return err
		}
		in, err = tx.Inbound(ctx, id)
		return err
	}, func(ctx context.Context) {
		s.inboundChanged(ctx, in)
	})
}

// free gives the inbound its tag and refuses it when another one holds its tag or port: found before the commit, so that
// nothing is stored that could not serve.
func free(in *domain.Inbound, others []domain.Inbound) error {
	tags := make(map[string]bool, len(others))
	for _, o := range others {
		tags[o.Tag] = true
		if o.Collides(in) {
			return domain.Conflict("port", fmt.Sprintf("%d is already used by inbound %q (#%d)", in.Port, o.Tag, o.ID))
		}
	}
	if in.Tag == "" {
		in.Tag = in.DefaultTag()
		for n := 2; tags[in.Tag]; n++ {
			in.Tag = fmt.Sprintf("%s-%d", in.DefaultTag(), n)
		}
	}
	if tags[in.Tag] {
		return domain.Conflict("tag", "already in use: "+in.Tag)
	}
	return nil
}

// Inbounds returns every inbound by id.
func (s *Service) Inbounds(ctx context.Context) ([]InboundView, error) {
	list, err := s.DB.Inbounds(ctx)
	if err != nil {
		return nil, err
	}
	views := make([]InboundView, 0, len(list))
	for _, in := range list {
		views = append(views, s.inboundView(in))
	}
	return views, nil
}

// Inbound returns one inbound.
func (s *Service) Inbound(ctx context.Context, id int64) (InboundView, error) {
	in, err := s.DB.Inbound(ctx, id)
	if err != nil {
		return InboundView{}, err
	}
	return s.inboundView(in), nil
}

func (s *Service) inboundView(in domain.Inbound) InboundView {
	view := InboundView{Inbound: in}
	if s.Core == nil || !in.Enabled {
		return view
	}
	switch now := s.now(); {
	case in.Serves(now):
	case in.ExpireAt != nil && *in.ExpireAt <= now:
		view.Problem = "it has expired"
		return view
	default:
		view.Problem = "its quota is used up"
		return view
	}
	if err := s.Core.Health(); err != nil {
		view.Problem = err.Error()
		return view
	}
	for _, p := range s.Core.Problems() {
		if p.InboundID == in.ID {
			view.Problem = p.Reason
		}
	}
	return view
}

// DeleteInbound closes the inbound and detaches its users; they stay.
func (s *Service) DeleteInbound(ctx context.Context, id int64) error {
	var users []int64
	return s.write(ctx, func(tx *storage.Tx) (err error) {
		users, err = tx.DeleteInbound(ctx, id)
		return err
	}, func(ctx context.Context) {
		s.follow("inbound deleted", func(c Core) error { return c.ApplyInbounds(ctx, nil, []int64{id}) })
		s.reread(ctx, "users detached", users)
		s.reload(ctx)
	})
}

// served is an inbound as the core is to have it at this moment.
func (s *Service) served(in domain.Inbound) domain.Inbound {
	in.Enabled = in.Serves(s.now())
	return in
}

// AdvanceInbounds closes the inbounds whose time is over or whose quota is used up, and opens those that may serve again.
func (s *Service) AdvanceInbounds(ctx context.Context) error {
	s.order.Lock()
	defer s.order.Unlock()
	list, err := s.DB.Inbounds(ctx)
	if err != nil {
		return err
	}
	var changed []domain.Inbound
	for _, in := range list {
		if open, known := s.open[in.ID]; in.Serves(s.now()) != open || !known {
			changed = append(changed, s.served(in))
		}
	}
	clear(s.open)
	for _, in := range list {
		s.open[in.ID] = in.Serves(s.now())
	}
	if len(changed) > 0 {
		s.follow("inbounds opened or closed in time", func(c Core) error { return c.ApplyInbounds(ctx, changed, nil) })
	}
	return nil
}
