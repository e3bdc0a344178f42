package stream

import (
	"encoding/json"
	"errors"
	"iter"
	"slices"
	"strconv"
	"strings"
	"testing"
)

func TestSequence(t *testing.T) {
	broken := errors.New("broken")
	for _, c := range []struct {
		name string
		err  error
		stop int // the item after which nothing is wanted, 0 = none
		want []int
		told error
	}{
		{"whole", nil, 0, []int{1, 2, 3}, nil},
		{"broken off", broken, 0, []int{1, 2, 3}, broken},
		{"stopped", nil, 2, []int{1, 2}, nil},
		{"stopped, then broken", broken, 3, []int{1, 2, 3}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			var got []int
			var told error
			for n, err := range Sequence(func(yield func(int) bool) error {
				for n := 1; n <= 3 && yield(n); n++ {
				}
				return c.err
			}) {
				if err != nil {
					told = err
					break
				}
				if got = append(got, n); n == c.stop {
					break
				}
			}
			if !slices.Equal(got, c.want) || !errors.Is(told, c.told) {
				t.Errorf("got %v, %v", got, told)
			}
		})
	}
}

// An item that can not be encoded breaks the list off.
func TestListOfWhatIsNoJSON(t *testing.T) {
	var told error
	for _, err := range List(func(yield func(json.RawMessage, error) bool) {
		_ = yield(json.RawMessage("{}"), nil) && yield(json.RawMessage("{"), nil) && yield(json.RawMessage("{}"), nil)
	}, Append) {
		told = err
	}
	if told == nil {
		t.Error("no error")
	}
}

// text is all pieces in one, and the error that broke them off.
func text(pieces iter.Seq2[[]byte, error]) (all string, err error) {
	for piece, broken := range pieces {
		all, err = all+string(piece), broken
	}
	return all, err
}

func TestWithin(t *testing.T) {
	broken := errors.New("broken")
	for _, c := range []struct {
		name  string
		items []int
		err   error
		want  string
	}{
		{"none", nil, nil, `{"list":[],"total":0}`},
		{"some", []int{1, 2}, nil, `{"list":[1,2],"total":2}`},
		{"broken off", []int{1, 2}, broken, `{"list":[1,2`},
	} {
		t.Run(c.name, func(t *testing.T) {
			total := 0
			list := List(func(yield func(int, error) bool) {
				for _, n := range c.items {
					if total++; !yield(n, nil) {
						return
					}
				}
				if c.err != nil {
					yield(0, c.err)
				}
			}, Append)
			got, err := text(Within(`{"list":`, list, func() string { return `,"total":` + strconv.Itoa(total) + `}` }))
			if !strings.HasPrefix(got, c.want) || c.err == nil && got != c.want || !errors.Is(err, c.err) {
				t.Errorf("%s, %v", got, err)
			}
		})
	}
}
