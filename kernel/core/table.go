package core

import "sync"

// shardCount spreads the users over locks, so that connections of different users do not wait for each other.
const shardCount = 64

// table holds every user by id. The ids are consecutive, so their low bits spread them evenly.
type table [shardCount]shard

// shard is one part of the table, with its lock.
type shard struct {
	mu    sync.RWMutex
	users map[int64]*user // nil = removed: ids are not reused, and a late put must not bring one back
	here  map[int64]*user // those with a presence
}

// shard is where a user is kept.
func (t *table) shard(id int64) *shard { return &t[uint64(id)%shardCount] }

// get returns the user, nil when there is none.
func (t *table) get(id int64) *user {
	s := t.shard(id)
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.users[id]
}

// add returns the user and makes it if it is new, nil when it was removed before.
func (t *table) add(id int64) *user {
	s := t.shard(id)
	s.mu.Lock()
	defer s.mu.Unlock()
	u, known := s.users[id]
	if !known {
		u = &user{id: id}
		if s.users == nil {
			s.users = make(map[int64]*user)
		}
		s.users[id] = u
	}
	return u
}

// remove returns the user that is no longer there, nil when there was none.
func (t *table) remove(id int64) *user {
	s := t.shard(id)
	s.mu.Lock()
	defer s.mu.Unlock()
	u := s.users[id]
	if s.users == nil {
		s.users = make(map[int64]*user)
	}
	s.users[id] = nil
	return u
}

// setPresent says whether there is something to remember of where the user is or was.
func (t *table) setPresent(u *user, present bool) {
	s := t.shard(u.id)
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case !present:
		delete(s.here, u.id)
	case s.here == nil:
		s.here = map[int64]*user{u.id: u}
	default:
		s.here[u.id] = u
	}
}

// all calls f for every user, outside the locks.
func (t *table) all(f func(*user)) {
	t.visit(func(s *shard) map[int64]*user { return s.users }, f)
}

// present calls f for every user with a presence, outside the locks: with open connections, or with some lately.
func (t *table) present(f func(*user)) {
	t.visit(func(s *shard) map[int64]*user { return s.here }, f)
}

// visit lists one shard after the other, so that f runs without a lock and the list stays small.
func (t *table) visit(which func(*shard) map[int64]*user, f func(*user)) {
	var list []*user
	for i := range t {
		s := &t[i]
		list = list[:0]
		s.mu.RLock()
		for _, u := range which(s) {
			if u != nil {
				list = append(list, u)
			}
		}
		s.mu.RUnlock()
		for _, u := range list {
			f(u)
		}
	}
}
