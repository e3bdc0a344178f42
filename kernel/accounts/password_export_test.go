package accounts

import (
	"testing"

	"github.com/alexedwards/argon2id"
)

// Nobody is the hash for names that nobody has.
const Nobody = nobody

// Hashing are the parameters of new hashes.
var Hashing = hashing

// OnCompare has passwords compared by a test until its end.
func OnCompare(t *testing.T, compare func(password, hash string) (bool, error)) {
	compareHash = compare
	t.Cleanup(func() { compareHash = argon2id.ComparePasswordAndHash })
}

// LoginsFull says whether no further login may wait.
func LoginsFull(s *Service) bool {
	if s.logins.queue.TryAcquire(1) {
		s.logins.queue.Release(1)
		return false
	}
	return true
}

// LoginQueue is how many logins may wait.
const LoginQueue = loginQueue
