package accounts

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/sluicehq/sluice/kernel/directory"
	"github.com/sluicehq/sluice/kernel/domain"
)

// AdminView is an operator with what its users are together.
type AdminView struct {
	domain.Admin
	Total directory.AdminTotal // of the users there are: those deleted have left it
}

// AdminSort is an order of operators.
type AdminSort string

// The orders.
const (
	AdminsByName    AdminSort = "username" // domain.NameKey
	AdminsByCreated AdminSort = "created_at"
	AdminsByUsed    AdminSort = "used_traffic"
)

// adminOrders compare operators.
var adminOrders = map[AdminSort]func(a, b AdminView) int{
	AdminsByName:    func(a, b AdminView) int { return cmp.Compare(a.UsernameKey, b.UsernameKey) },
	AdminsByCreated: func(a, b AdminView) int { return cmp.Compare(a.CreatedAt, b.CreatedAt) },
	AdminsByUsed: func(a, b AdminView) int {
		return cmp.Compare(a.Total.Up+a.Total.Down, b.Total.Up+b.Total.Down)
	},
}

// Known says whether there is such an order.
func (s AdminSort) Known() bool { return adminOrders[s] != nil }

// AdminOrder is an order in a direction.
type AdminOrder struct {
	By         AdminSort // an unknown one changes nothing
	Descending bool
}

// AdminQuery says which operators are wanted. The zero value is all, as they were made.
type AdminQuery struct {
	Search        string       // a substring of the name, in any case; "" = all
	Order         []AdminOrder // the first counts most, then the id
	Offset, Limit int          // operators to leave out, and wanted at most; 0 = all
}

// AdminPage is a part of the operators.
type AdminPage struct {
	Admins   []AdminView // never nil
	Total    int         // that the query matches
	Disabled int         // of these
}

// Admin returns the operator of that name, compared case-insensitively.
func (s *Service) Admin(ctx context.Context, username string) (AdminView, error) {
	admin, err := s.DB.AdminByName(ctx, username)
	if err != nil {
		return AdminView{}, err
	}
	return AdminView{admin, s.adminTotals()[admin.ID]}, nil
}

// Admins answers a query about operators. There are few, so all are read.
func (s *Service) Admins(ctx context.Context, q AdminQuery) (AdminPage, error) {
	admins, err := s.DB.Admins(ctx)
	if err != nil {
		return AdminPage{}, err
	}
	totals, wanted := s.adminTotals(), domain.NameKey(q.Search)
	page := AdminPage{Admins: make([]AdminView, 0, len(admins))}
	for _, a := range admins {
		if !strings.Contains(a.UsernameKey, wanted) {
			continue
		}
		page.Admins = append(page.Admins, AdminView{a, totals[a.ID]})
		if !a.Enabled {
			page.Disabled++
		}
	}
	page.Total = len(page.Admins)
	slices.SortStableFunc(page.Admins, q.compare)
	page.Admins = page.Admins[min(q.Offset, page.Total):]
	if q.Limit > 0 {
		page.Admins = page.Admins[:min(q.Limit, len(page.Admins))]
	}
	return page, nil
}

func (q *AdminQuery) compare(a, b AdminView) int {
	for _, order := range q.Order {
		if !order.By.Known() {
			continue
		}
		switch by := adminOrders[order.By](a, b); {
		case by != 0 && order.Descending:
			return -by
		case by != 0:
			return by
		}
	}
	return 0
}

// adminTotals are the totals by admin id; a process that serves nothing knows none.
func (s *Service) adminTotals() map[int64]directory.AdminTotal {
	if s.Directory == nil {
		return nil
	}
	return s.Directory.AdminTotals()
}
