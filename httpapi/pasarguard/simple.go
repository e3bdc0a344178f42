package pasarguard

import (
	"cmp"
	"slices"
	"strings"
)

// list is never null.
func list[T any](items []T) []T { return append([]T{}, items...) }

// Paging is a wish for a part of a list.
type Paging struct {
	Offset int `query:"offset" minimum:"0" doc:"items to leave out"`
	Limit  int `query:"limit" minimum:"0" doc:"items at most, 0 = all"`
}

// page is the part of a list that is asked for.
func page[T any](all []T, p Paging) []T {
	all = all[min(p.Offset, len(all)):]
	if p.Limit > 0 {
		all = all[:min(p.Limit, len(all))]
	}
	return all
}

// simple is a template or a group as a choice of them shows it.
type simple struct {
	ID   int64  `json:"id"`
	Name string `json:"name"`
}

// SimpleQuery is what a list of names and ids can be asked.
type SimpleQuery struct {
	Paging
	IDs    []int64 `query:"ids,explode" doc:"only these"`
	Search string  `query:"search" doc:"only names with this in them, whatever the case"`
	Sort   string  `query:"sort" doc:"id or name; a - in front = descending"`
	All    bool    `query:"all" doc:"no paging"`
}

// orders are what lists of names and ids can be sorted by.
var orders = map[string]func(a, b simple) int{
	"":      byID,
	"id":    byID,
	"-id":   func(a, b simple) int { return byID(b, a) },
	"name":  byName,
	"-name": func(a, b simple) int { return byName(b, a) },
}

func byID(a, b simple) int { return cmp.Compare(a.ID, b.ID) }

func byName(a, b simple) int {
	return cmp.Or(cmp.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name)), cmp.Compare(a.Name, b.Name), byID(a, b))
}

// of is the part of a list that is asked for, and how many items it is a part of.
func (q *SimpleQuery) of(all []simple) (part []simple, total int, err error) {
	order, known := orders[q.Sort]
	if !known {
		return nil, 0, noOrder(q.Sort)
	}
	search := strings.ToLower(q.Search)
	all = slices.DeleteFunc(all, func(s simple) bool {
		return len(q.IDs) > 0 && !slices.Contains(q.IDs, s.ID) || !strings.Contains(strings.ToLower(s.Name), search)
	})
	slices.SortFunc(all, order)
	if q.All {
		return all, len(all), nil
	}
	return page(all, q.Paging), len(all), nil
}

// idsRequest names what a bulk request is about.
type idsRequest struct {
	Body struct {
		IDs []int64 `json:"ids" required:"true" nullable:"false" maxItems:"5000"`
	}
}
