package subscription

import (
	"context"
	"maps"
	"slices"
	"strings"
	"sync"
	"unicode"

	"github.com/sluicehq/sluice/kernel/domain"
)

// fetches are the last fetches that are not stored yet, by user. They wait so that no fetch waits for a commit; a crash
// loses those of a few seconds.
type fetches struct {
	mu     sync.Mutex
	byUser map[int64]domain.Fetch
}

func (f *fetches) note(fetch domain.Fetch) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.byUser == nil {
		f.byUser = map[int64]domain.Fetch{}
	}
	f.byUser[fetch.UserID] = fetch
}

func (f *fetches) take() map[int64]domain.Fetch {
	f.mu.Lock()
	defer f.mu.Unlock()
	taken := f.byUser
	f.byUser = nil
	return taken
}

// putBack notes again what could not be stored, unless there is something newer.
func (f *fetches) putBack(taken map[int64]domain.Fetch) {
	f.mu.Lock()
	defer f.mu.Unlock()
	maps.Copy(taken, f.byUser)
	f.byUser = taken
}

// FlushFetches stores when subscriptions were fetched. After an error the rest waits for the next call.
func (s *Service) FlushFetches(ctx context.Context) error {
	taken := s.fetches.take()
	if len(taken) == 0 {
		return nil
	}
	err := s.DB.NoteFetches(ctx, slices.Collect(maps.Values(taken)))
	if err != nil {
		s.fetches.putBack(taken)
	}
	return err
}

// maxAgent is how many bytes of a User-Agent are kept.
const maxAgent = 200

// cut returns at most n bytes of text, as valid UTF-8 without control characters.
func cut(text string, n int) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return -1
		}
		return r
	}, strings.ToValidUTF8(text[:min(len(text), n)], ""))
}
