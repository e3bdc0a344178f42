package xui

import (
	"context"
	"fmt"
	"strings"

	"github.com/sluicehq/sluice/kernel/accounts"
	"github.com/sluicehq/sluice/kernel/domain"
)

func (r routes) bulk() {
	handle(r, post("/clients/bulkAdjust", "Add days, bytes or a flow to clients", clientsTag), r.bulkAdjust)
	handle(r, post("/clients/bulkEnable", "Enable clients", clientsTag), r.bulkEnable)
	handle(r, post("/clients/bulkDisable", "Disable clients", clientsTag), r.bulkDisable)
	handle(r, post("/clients/bulkDel", "Delete clients", clientsTag), r.bulkDelete)
	handle(r, post("/clients/bulkAttach", "Let clients into more inbounds", clientsTag), r.bulkAttach)
	handle(r, post("/clients/bulkDetach", "Take inbounds from clients", clientsTag), r.bulkDetach)
	handle(r, post("/clients/bulkResetTraffic", "Set the traffic of clients to zero", clientsTag), r.bulkResetTraffic)
	handle(r, post("/clients/resetAllTraffics", "Set the traffic of every client to zero", clientsTag), r.resetAllTraffics)
	handle(r, post("/clients/delDepleted", "Delete the clients that are over for good: expired or without traffic left, and not renewed or reset", clientsTag), r.deleteDepleted)
	handle(r, post("/clients/delOrphans", "Delete the clients without an inbound or a group", clientsTag), r.deleteOrphans)
}

// maxBulk is how many items a bulk request may have.
const maxBulk = 5000

// checkBulk refuses more items than one transaction should take. field is "" when the list is the whole body.
func checkBulk(field string, items int) error {
	if items <= maxBulk {
		return nil
	}
	if field == "" {
		field = "the request"
	}
	return domain.Invalid("", fmt.Sprintf("%s has %d items, at most %d are allowed", field, items, maxBulk))
}

// Emails names the clients of a bulk request.
type Emails struct {
	Emails []string `json:"emails" doc:"names of clients, at most 5000"`
}

// names are those of the request without spaces around them and each once, in the order of the request.
func (e *Emails) names() ([]string, error) {
	if e.Emails == nil {
		return nil, domain.Invalid("emails", "is required: a list of client names")
	}
	if err := checkBulk("emails", len(e.Emails)); err != nil {
		return nil, err
	}
	names := make([]string, 0, len(e.Emails))
	seen := map[string]bool{}
	for _, name := range e.Emails {
		name = strings.TrimSpace(name)
		if key := domain.NameKey(name); !seen[key] {
			seen[key] = true
			names = append(names, name)
		}
	}
	return names, nil
}

type bulkRequest struct {
	Bulk
	Body Emails
}

// skipped says why something of a bulk request was not done.
type skipped struct {
	Email  string `json:"email"`
	Reason string `json:"reason"`
}

func newSkipped(skips []accounts.Skip) []skipped {
	list := make([]skipped, len(skips))
	for i, s := range skips {
		list[i] = skipped{s.Name, inDialect(s.Why).Error()}
		if s.Name == "" {
			list[i].Email = "(missing email)"
		}
	}
	return list
}

type adjusted struct {
	Adjusted int       `json:"adjusted" doc:"clients of which something was changed"`
	Skipped  []skipped `json:"skipped" doc:"what was not done, with every reason"`
}

type bulkAdjustRequest struct {
	Bulk
	Body struct {
		Emails
		AddDays  int64  `json:"addDays" doc:"to the expiry, or to what a client on hold will get; negative takes away"`
		AddBytes int64  `json:"addBytes" doc:"to the quota; negative takes away"`
		Flow     string `json:"flow" doc:"empty = as it is, none = cleared, or xtls-rprx-vision"`
	}
}

func (r routes) bulkAdjust(ctx context.Context, in *bulkAdjustRequest) (adjusted, string, error) {
	names, err := in.Body.names()
	if err != nil {
		return adjusted{}, "", err
	}
	adjustment := accounts.Adjustment{Days: in.Body.AddDays, Bytes: in.Body.AddBytes}
	switch flow := in.Body.Flow; flow {
	case "":
	case "none":
		adjustment.Flow = new(string)
	default:
		adjustment.Flow = &flow
	}
	report, err := r.Accounts.BulkAdjust(ctx, names, adjustment, in.how())
	return adjusted{report.Count, newSkipped(report.Skipped)}, "", err
}

type changed struct {
	Changed int       `json:"changed"`
	Skipped []skipped `json:"skipped"`
}

func (r routes) bulkEnable(ctx context.Context, in *bulkRequest) (changed, string, error) {
	return r.setEnabled(ctx, in, true)
}

func (r routes) bulkDisable(ctx context.Context, in *bulkRequest) (changed, string, error) {
	return r.setEnabled(ctx, in, false)
}

func (r routes) setEnabled(ctx context.Context, in *bulkRequest, enabled bool) (changed, string, error) {
	names, err := in.Body.names()
	if err != nil {
		return changed{}, "", err
	}
	report, err := r.Accounts.SetEnabled(ctx, names, enabled, in.how())
	return changed{report.Count, newSkipped(report.Skipped)}, "", err
}

type deleted struct {
	Deleted int       `json:"deleted"`
	Skipped []skipped `json:"skipped"`
}

type bulkDeleteRequest struct {
	Bulk
	Body struct {
		Emails
		KeepTraffic flag `json:"keepTraffic" doc:"keep the counters under the name, for the next client of that name"`
	}
}

func (r routes) bulkDelete(ctx context.Context, in *bulkDeleteRequest) (deleted, string, error) {
	names, err := in.Body.names()
	if err != nil {
		return deleted{}, "", err
	}
	report, err := r.Accounts.DeleteUsers(ctx, names, bool(in.Body.KeepTraffic), in.how())
	return deleted{report.Count, newSkipped(report.Skipped)}, "", err
}

// bulkMoveRequest is about clients and inbounds.
type bulkMoveRequest struct {
	Bulk
	Body struct {
		Emails
		InboundIDs []int64 `json:"inboundIds"`
	}
}

// moved is what became of clients, each list in the order of the request.
type moved struct {
	names   []string
	skipped []string
	errors  []string
}

func newMoved(report accounts.Report) moved {
	m := moved{names: report.Done, skipped: report.Idle, errors: []string{}}
	for _, s := range report.Skipped {
		m.errors = append(m.errors, s.Name+": "+inDialect(s.Why).Error())
	}
	return m
}

type attached struct {
	Attached []string `json:"attached" doc:"clients that got into an inbound"`
	Skipped  []string `json:"skipped" doc:"clients that were in all of them"`
	Errors   []string `json:"errors"`
}

func (r routes) bulkAttach(ctx context.Context, in *bulkMoveRequest) (attached, string, error) {
	m, err := r.bulkMove(ctx, in, r.Accounts.Attach)
	return attached{m.names, m.skipped, m.errors}, "", err
}

type detached struct {
	Detached []string `json:"detached" doc:"clients that lost an inbound"`
	Skipped  []string `json:"skipped" doc:"clients that were in none of them"`
	Errors   []string `json:"errors"`
}

func (r routes) bulkDetach(ctx context.Context, in *bulkMoveRequest) (detached, string, error) {
	m, err := r.bulkMove(ctx, in, r.Accounts.Detach)
	return detached{m.names, m.skipped, m.errors}, "", err
}

func (r routes) bulkMove(
	ctx context.Context, in *bulkMoveRequest,
	move func(context.Context, []string, []int64, accounts.How) (accounts.Report, error),
) (moved, error) {
	names, err := in.Body.names()
	if err == nil {
		err = checkInboundIDs(in.Body.InboundIDs)
	}
	if err != nil {
		return moved{}, err
	}
	report, err := move(ctx, names, in.Body.InboundIDs, in.how())
	return newMoved(report), err
}

// checkInboundIDs refuses a list that is missing, which is a mistake more often than a wish for nothing.
func checkInboundIDs(ids []int64) error {
	if ids == nil {
		return domain.Invalid("inboundIds", "is required: a list of inbound ids")
	}
	return checkBulk("inboundIds", len(ids))
}

type affected struct {
	Affected int       `json:"affected"`
	Skipped  []skipped `json:"skipped"`
}

func (r routes) bulkResetTraffic(ctx context.Context, in *bulkRequest) (affected, string, error) {
	names, err := in.Body.names()
	if err != nil {
		return affected{}, "", err
	}
	report, err := r.Accounts.ResetTraffics(ctx, names, in.how())
	return affected{report.Count, newSkipped(report.Skipped)}, "", err
}

// allRequest is about every client that something is true of.
type allRequest struct{ Bulk }

func (r routes) resetAllTraffics(ctx context.Context, in *allRequest) (none, string, error) {
	_, err := r.Accounts.ResetAllTraffics(ctx, in.how())
	return none{}, "", err
}

type deletedCount struct {
	Deleted int `json:"deleted"`
}

func (r routes) deleteDepleted(ctx context.Context, in *allRequest) (deletedCount, string, error) {
	report, err := r.Accounts.DeleteDepleted(ctx, in.how())
	return deletedCount{report.Count}, "", err
}

func (r routes) deleteOrphans(ctx context.Context, in *allRequest) (deletedCount, string, error) {
	report, err := r.Accounts.DeleteOrphans(ctx, in.how())
	return deletedCount{report.Count}, "", err
}
