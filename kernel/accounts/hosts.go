package accounts

import (
	"context"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/sluicehq/sluice/kernel/domain"
	"github.com/sluicehq/sluice/kernel/subscription"
	"github.com/sluicehq/sluice/storage"
)

// Hosts returns every host, in the order in which subscriptions list them: by priority, then by id.
func (s *Service) Hosts(ctx context.Context) ([]domain.Host, error) { return s.DB.Hosts(ctx) }

// Host returns one host.
func (s *Service) Host(ctx context.Context, id int64) (domain.Host, error) { return s.DB.Host(ctx, id) }

// CreateHost makes a host; its id and times are filled in. Links follow at once.
func (s *Service) CreateHost(ctx context.Context, h domain.Host) (domain.Host, error) {
	if err := checkHost(&h); err != nil {
		return domain.Host{}, err
	}
	err := s.write(ctx, func(tx *storage.Tx) error { return insertHost(ctx, tx, &h) }, s.reload)
	return h, err
}

// UpdateHost lets edit change a host, except for its id and times, and stores it; links follow at once. An edit that
// changes nothing writes nothing.
func (s *Service) UpdateHost(ctx context.Context, id int64, edit func(*domain.Host) error) (h domain.Host, err error) {
	changed := false
	err = s.write(ctx, func(tx *storage.Tx) (err error) {
		if h, err = tx.Host(ctx, id); err != nil {
			return err
		}
		before := h
		if err := edit(&h); err != nil {
			return err
		}
		h.ID, h.Revision, h.CreatedAt, h.UpdatedAt = id, before.Revision, before.CreatedAt, before.UpdatedAt
		if changed = !reflect.DeepEqual(before, h); !changed {
			return nil
		}
		if err := checkHost(&h); err != nil {
			return err
		}
		return tx.UpdateHost(ctx, &h)
	}, func(ctx context.Context) {
		if changed {
			s.reload(ctx)
		}
	})
	return h, err
}

// DeleteHost removes a host. If it was the last one of its inbound, clients are told the inbound's own address again.
func (s *Service) DeleteHost(ctx context.Context, id int64) error {
	return s.write(ctx, func(tx *storage.Tx) error { return tx.DeleteHost(ctx, id) }, s.reload)
}

// maxHosts is how many hosts one request may write: it holds the only writer of the database meanwhile.
const maxHosts = 1000

// ReplaceHosts stores a list of hosts, all or none: those whose id exists are replaced by what is given, the others are
// made. Hosts that are not in the list stay. It returns every host there is then.
func (s *Service) ReplaceHosts(ctx context.Context, given []domain.Host) (all []domain.Host, err error) {
	if len(given) > maxHosts {
		return nil, domain.Invalid("hosts", fmt.Sprintf("are more than %d", maxHosts))
	}
	for i := range given {
		if err := checkHost(&given[i]); err != nil {
			return nil, within(fmt.Sprintf("hosts[%d]", i), err)
		}
	}
	err = s.write(ctx, func(tx *storage.Tx) error {
		for _, h := range given {
			if err := upsertHost(ctx, tx, &h); err != nil {
				return err
			}
		}
		all, err = tx.Hosts(ctx)
		return err
	}, s.reload)
	return all, err
}

func upsertHost(ctx context.Context, tx *storage.Tx, h *domain.Host) error {
	switch known, err := tx.Host(ctx, h.ID); {
	case domain.CodeOf(err) == domain.CodeNotFound:
		return insertHost(ctx, tx, h)
	case err != nil:
		return err
	default:
		h.CreatedAt = known.CreatedAt
		return tx.UpdateHost(ctx, h)
	}
}

// insertHost makes a host under an id and at a time of its own, whatever was given.
func insertHost(ctx context.Context, tx *storage.Tx, h *domain.Host) error {
	h.ID, h.CreatedAt, h.UpdatedAt = 0, 0, 0
	return tx.InsertHost(ctx, h)
}

// Bounds of what a host says. They are wider than anything that works; a subscription carries every host to every user.
const (
	maxHostText  = 256      // bytes of a remark, a name, or an entry of a list
	maxHostPath  = 1024     // bytes of a path
	maxHostList  = 100      // entries of a list
	maxHostExtra = 16 << 10 // bytes
)

// checkHost refuses what clients could not be told.
func checkHost(h *domain.Host) error {
	switch {
	case strings.TrimSpace(h.Remark) == "":
		return domain.Invalid("remark", "cannot be empty")
	case h.Port < 0 || h.Port > 65535:
		return domain.Invalid("port", "must be between 1 and 65535, or 0 for the inbound's")
	case h.Security != "" && h.Security != "none" && h.Security != "tls":
		return domain.Invalid("security", `must be none, tls, or "" for the inbound's`)
	case len(h.Extra) > maxHostExtra:
		return domain.Invalid("extra", "is longer than 16 KiB")
	case h.Extra != "" && !isObject(h.Extra):
		return domain.Invalid("extra", "must be a JSON object")
	}
	for i, status := range h.Statuses {
		if !knownStatus(status) {
			return domain.Invalid(fmt.Sprintf("statuses[%d]", i), "must be one of active, on_hold, limited, expired, disabled")
		}
	}
	if err := checkHostTexts(h); err != nil {
		return err
	}
	for i, address := range h.Addresses {
		if !validHost(subscription.Example(address)) {
			return domain.Invalid(fmt.Sprintf("addresses[%d]", i), fmt.Sprintf("is not a host name or an IP address: %q", address))
		}
	}
	return nil
}

func knownStatus(s domain.Status) bool {
	switch s {
	case domain.StatusActive, domain.StatusOnHold, domain.StatusLimited, domain.StatusExpired, domain.StatusDisabled:
		return true
	}
	return false
}

func isObject(text string) bool {
	var object map[string]json.RawMessage
	return json.Unmarshal([]byte(text), &object) == nil && object != nil
}

// checkHostTexts checks what is passed on to clients as it is.
func checkHostTexts(h *domain.Host) error {
	for _, t := range []struct {
		field, text string
		limit       int
	}{{"remark", h.Remark, maxHostText}, {"path", h.Path, maxHostPath}, {"fingerprint", h.Fingerprint, maxHostText}} {
		if err := checkHostText(t.field, t.text, t.limit); err != nil {
			return err
		}
	}
	for _, l := range []struct {
		field string
		list  []string
	}{{"addresses", h.Addresses}, {"sni", h.SNI}, {"host_names", h.HostNames}, {"alpn", h.ALPN}} {
		if len(l.list) > maxHostList {
			return domain.Invalid(l.field, fmt.Sprintf("has more than %d entries", maxHostList))
		}
		for i, text := range l.list {
			field := fmt.Sprintf("%s[%d]", l.field, i)
			if text == "" || strings.ContainsFunc(text, unicode.IsSpace) {
				return domain.Invalid(field, "must not be empty or contain spaces")
			}
			if err := checkHostText(field, text, maxHostText); err != nil {
				return err
			}
		}
	}
	return nil
}

func checkHostText(field, text string, limit int) error {
	switch {
	case len(text) > limit:
		return domain.Invalid(field, fmt.Sprintf("is longer than %d bytes", limit))
	case strings.ContainsFunc(text, unicode.IsControl) || !utf8.ValidString(text):
		return domain.Invalid(field, "must be text without control characters")
	}
	return nil
}
