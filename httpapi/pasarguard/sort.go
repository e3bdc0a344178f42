package pasarguard

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/sluicehq/sluice/httpapi/detail"
)

// readOrder reads what a list is sorted by first, second and so on, such as -used_traffic,username. key is one of these,
// by its name; known is false for one that there is not.
func readOrder[T any](sort string, key func(name string, descending bool) (by T, known bool)) (order []T, err error) {
	if sort == "" {
		return nil, nil
	}
	for word := range strings.SplitSeq(sort, ",") {
		name, descending := strings.CutPrefix(strings.TrimSpace(word), "-")
		by, known := key(name, descending)
		if !known {
			return nil, noOrder(name)
		}
		order = append(order, by)
	}
	return order, nil
}

// noOrder says that a list can not be sorted by what is called name.
func noOrder(name string) error {
	return detail.Sentence(http.StatusBadRequest, strconv.Quote(name)+" is not a valid sort option")
}
