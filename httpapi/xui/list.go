package xui

import (
	"context"
	"iter"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/sluicehq/sluice/httpapi/stream"
	"github.com/sluicehq/sluice/kernel/accounts"
	"github.com/sluicehq/sluice/kernel/directory"
	"github.com/sluicehq/sluice/kernel/domain"
)

func (r routes) lists() {
	handleStream[[]listedClient](r, get("/clients/list", "All clients", clientsTag), r.list)
	handle(r, get("/clients/list/paged", "A page of the clients", clientsTag), r.page)
}

// listedClient is a client with what belongs to it.
type listedClient struct {
	ClientRecord
	InboundIDs []int64       `json:"inboundIds"`
	Traffic    clientTraffic `json:"traffic"`
}

func (r routes) list(ctx context.Context, _ *struct{}) iter.Seq2[[]byte, error] {
	return stream.List(r.everyUser(ctx), func(buf []byte, l accounts.Listed) ([]byte, error) {
		return stream.Append(buf, listedClient{
			newClientRecord(&l.User, l.Status, l.Group), l.Inbounds, r.newClientTraffic(&l.Account, l.Status),
		})
	})
}

// pageRequest asks for a page. Lists are separated by commas, and match who has any of their items.
type pageRequest struct {
	Page       int64  `query:"page" doc:"from 1 on"`
	PageSize   int64  `query:"pageSize" doc:"1 to 200, 25 when absent"`
	Search     string `query:"search" doc:"a part of email, subId or comment, without regard to case"`
	Filter     string `query:"filter" doc:"online, active, expiring, depleted, deactive"`
	Protocol   string `query:"protocol" doc:"of an inbound that the client is attached to"`
	Inbound    string `query:"inbound" doc:"ids of inbounds that the client is attached to"`
	Group      string `query:"group" doc:"names of groups"`
	ExpiryFrom int64  `query:"expiryFrom" doc:"ms since the epoch, 0 = open"`
	ExpiryTo   int64  `query:"expiryTo" doc:"ms since the epoch, 0 = open"`
	UsageFrom  int64  `query:"usageFrom" doc:"bytes, 0 = open"`
	UsageTo    int64  `query:"usageTo" doc:"bytes, 0 = open"`
	AutoRenew  string `query:"autoRenew" doc:"on or off"`
	HasTgID    string `query:"hasTgId" doc:"yes or no"`
	HasComment string `query:"hasComment" doc:"yes or no"`
	Sort       string `query:"sort" doc:"enable, email, inboundIds, traffic, remaining, expiryTime, createdAt, updatedAt or lastOnline; absent = as they were added"`
	Order      string `query:"order" doc:"ascend or descend"`
}

// buckets are the filters that a page can have.
var buckets = map[string]directory.Bucket{
	"online": directory.Online, "active": directory.Active, "expiring": directory.Expiring,
	"depleted": directory.Depleted, "deactive": directory.Disabled,
}

// sorts are the orders that a page can have.
var sorts = map[string]directory.Sort{
	"": directory.SortID, "id": directory.SortID, "enable": directory.SortEnable, "email": directory.SortName,
	"inboundIds": directory.SortInbounds, "traffic": directory.SortTraffic, "remaining": directory.SortRemaining,
	"expiryTime": directory.SortExpiry, "createdAt": directory.SortCreated, "updatedAt": directory.SortUpdated,
	"lastOnline": directory.SortOnline,
}

// answers are the two words that a parameter can be.
var (
	yesNo = map[string]bool{"yes": true, "no": false}
	onOff = map[string]bool{"on": true, "off": false}
)

// Limits of a page.
const (
	presetPageSize = 25
	maxPageSize    = 200
)

// clamp brings page and size into their limits, as 3x-ui does.
func (p *pageRequest) clamp() {
	p.Page = max(p.Page, 1)
	if p.PageSize <= 0 {
		p.PageSize = presetPageSize
	}
	p.PageSize = min(p.PageSize, maxPageSize)
}

// offset is how many clients come before the page; a page that no number reaches is behind all.
func (p *pageRequest) offset() int {
	if p.Page > math.MaxInt32 {
		return math.MaxInt64
	}
	return int((p.Page - 1) * p.PageSize)
}

// query is what the page asks for. Inbounds and groups are looked up by their names.
func (p *pageRequest) query(inbounds []accounts.InboundView, groups map[string]int64) (q directory.Query, err error) {
	q = directory.Query{
		Search: strings.TrimSpace(p.Search), Offset: p.offset(), Limit: int(p.PageSize),
		ExpireFrom: p.ExpiryFrom, ExpireTo: p.ExpiryTo, UsedFrom: p.UsageFrom, UsedTo: p.UsageTo,
	}
	var known bool
	if q.Sort, known = sorts[p.Sort]; !known {
		return q, unknownWord("sort", p.Sort, sorts)
	}
	switch p.Order {
	case "", "ascend":
	case "descend":
		q.Descending = true
	default:
		return q, domain.Invalid("order", "must be ascend or descend, not "+strconv.Quote(p.Order))
	}
	for _, word := range words(p.Filter) {
		bucket, known := buckets[strings.ToLower(word)]
		if !known {
			return q, unknownWord("filter", word, buckets)
		}
		q.Buckets |= bucket
	}
	for _, choice := range []struct {
		field, word string
		words       map[string]bool
		to          **bool
	}{
		{"autoRenew", p.AutoRenew, onOff, &q.Renews},
		{"hasTgId", p.HasTgID, yesNo, &q.HasTgID},
		{"hasComment", p.HasComment, yesNo, &q.HasNote},
	} {
		if choice.word == "" {
			continue
		}
		answer, known := choice.words[strings.ToLower(choice.word)]
		if !known {
			return q, unknownWord(choice.field, choice.word, choice.words)
		}
		*choice.to = &answer
	}
	if q.Inbounds, err = p.inbounds(inbounds); err != nil {
		return q, err
	}
	for _, name := range words(p.Group) {
		if q.Groups == nil {
			q.Groups = []int64{}
		}
		if id, ok := groups[name]; ok {
			q.Groups = append(q.Groups, id)
		}
	}
	return q, nil
}

// inbounds are those of the named protocols, and those of the named ids.
func (p *pageRequest) inbounds(all []accounts.InboundView) (lists [][]int64, err error) {
	if protocols := words(p.Protocol); len(protocols) > 0 {
		ids := []int64{}
		for _, word := range protocols {
			protocol := domain.Protocol(strings.ToLower(word))
			if !slices.Contains(domain.Protocols, protocol) {
				return nil, domain.Invalid("protocol", "must be one of "+joined(domain.Protocols)+", not "+strconv.Quote(word))
			}
			for _, in := range all {
				if in.Protocol == protocol {
					ids = append(ids, in.ID)
				}
			}
		}
		lists = append(lists, ids)
	}
	if named := words(p.Inbound); len(named) > 0 {
		ids := []int64{}
		for _, word := range named {
			id, err := strconv.ParseInt(word, 10, 64)
			if err != nil {
				return nil, domain.Invalid("inbound", "must be ids of inbounds, separated by commas")
			}
			ids = append(ids, id)
		}
		lists = append(lists, ids)
	}
	return lists, nil
}

// words are the items of a list that commas separate.
func words(list string) []string {
	var all []string
	for word := range strings.SplitSeq(list, ",") {
		if word = strings.TrimSpace(word); word != "" {
			all = append(all, word)
		}
	}
	return all
}

func unknownWord[V any](field, word string, words map[string]V) error {
	known := make([]string, 0, len(words))
	for w := range words {
		if w != "" {
			known = append(known, w)
		}
	}
	slices.Sort(known)
	return domain.Invalid(field, "must be one of "+joined(known)+", not "+strconv.Quote(word))
}

func joined[S ~string](list []S) string {
	texts := make([]string, len(list))
	for i, s := range list {
		texts[i] = string(s)
	}
	return strings.Join(texts, ", ")
}

// clientPage is a page of the clients and what a panel shows around it.
type clientPage struct {
	Items    []pagedClient `json:"items"`
	Total    int           `json:"total" doc:"all clients"`
	Filtered int           `json:"filtered" doc:"clients that match"`
	Page     int64         `json:"page"`
	PageSize int64         `json:"pageSize"`
	Summary  summary       `json:"summary" doc:"of all clients"`
	Groups   []string      `json:"groups" doc:"names of all groups"`
}

// pagedClient is a client without its secrets.
type pagedClient struct {
	Email      string        `json:"email"`
	SubID      string        `json:"subId"`
	Enable     bool          `json:"enable" doc:"whether it may connect now"`
	Status     domain.Status `json:"status" doc:"active, on_hold, limited, expired or disabled"`
	TotalGB    int64         `json:"totalGB" doc:"quota in bytes, 0 = none"`
	ExpiryTime int64         `json:"expiryTime" doc:"ms since the epoch, 0 = never, below 0 = ms from the first use on"`
	LimitIP    int           `json:"limitIp"`
	LimitHWID  int           `json:"limitHwid"`
	Reset      int           `json:"reset"`
	ResetDay   int           `json:"resetDay"`
	ResetMax   int           `json:"resetMax"`
	Group      string        `json:"group"`
	Comment    string        `json:"comment"`
	InboundIDs []int64       `json:"inboundIds"`
	Traffic    clientTraffic `json:"traffic"`
	CreatedAt  int64         `json:"createdAt" doc:"ms since the epoch"`
	UpdatedAt  int64         `json:"updatedAt" doc:"ms since the epoch"`
}

// summary counts the clients: each is active, expiring, depleted or deactive. Lists hold the first 200 names.
type summary struct {
	Total         int      `json:"total"`
	Active        int      `json:"active" doc:"may connect, and not soon over"`
	Online        []string `json:"online"`
	Depleted      []string `json:"depleted" doc:"expired, or without traffic left"`
	Expiring      []string `json:"expiring" doc:"soon depleted: see expire_diff_days and traffic_diff_gb of the settings"`
	Deactive      []string `json:"deactive" doc:"disabled"`
	OnlineCount   int      `json:"onlineCount"`
	DepletedCount int      `json:"depletedCount"`
	ExpiringCount int      `json:"expiringCount"`
	DeactiveCount int      `json:"deactiveCount"`
}

// maxSummary is how many names each list of the summary has at most.
const maxSummary = 200

func newSummary(page *accounts.Page) summary {
	s := &page.Summary
	return summary{
		Total: s.Total, Active: s.Active, Online: page.Names, OnlineCount: page.Online,
		Depleted: s.DepletedNames, DepletedCount: s.Depleted, Expiring: s.ExpiringNames, ExpiringCount: s.Expiring,
		Deactive: s.DisabledNames, DeactiveCount: s.Disabled,
	}
}

func (r routes) page(ctx context.Context, in *pageRequest) (clientPage, string, error) {
	in.clamp()
	inbounds, groups, err := r.filters(ctx, in)
	if err != nil {
		return clientPage{}, "", err
	}
	query, err := in.query(inbounds, groups)
	if err != nil {
		return clientPage{}, "", err
	}
	page, err := r.Accounts.Users(ctx, query, maxSummary)
	if err != nil {
		return clientPage{}, "", err
	}
	out := clientPage{
		Items: make([]pagedClient, 0, len(page.Users)), Total: page.Summary.Total, Filtered: page.Filtered,
		Page: in.Page, PageSize: in.PageSize, Summary: newSummary(&page), Groups: page.Groups,
	}
	for _, l := range page.Users {
		out.Items = append(out.Items, r.newPagedClient(l))
	}
	return out, "", nil
}

// filters are what a page's filters name, read only if it has such filters.
func (r routes) filters(ctx context.Context, in *pageRequest) ([]accounts.InboundView, map[string]int64, error) {
	var inbounds []accounts.InboundView
	groups := map[string]int64{}
	if in.Protocol != "" {
		var err error
		if inbounds, err = r.Accounts.Inbounds(ctx); err != nil {
			return nil, nil, err
		}
	}
	if in.Group != "" {
		list, err := r.Accounts.Groups(ctx)
		if err != nil {
			return nil, nil, err
		}
		for _, g := range list {
			groups[g.Name] = g.ID
		}
	}
	return inbounds, groups, nil
}

func (r routes) newPagedClient(l accounts.Listed) pagedClient {
	u := &l.User
	return pagedClient{
		Email: u.Username, SubID: u.SubID, Enable: l.Status.Admitted(), Status: l.Status, TotalGB: orZero(u.Quota),
		ExpiryTime: shownExpiry(u), LimitIP: u.LimitIP, LimitHWID: u.LimitHWID, Reset: u.RenewDays, ResetDay: u.RenewDay,
		ResetMax: u.RenewMax, Group: l.Group, Comment: u.Note, InboundIDs: l.Inbounds,
		Traffic: r.newClientTraffic(&l.Account, l.Status), CreatedAt: u.CreatedAt, UpdatedAt: u.UpdatedAt,
	}
}
