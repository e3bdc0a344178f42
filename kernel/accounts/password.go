package accounts

import (
	"context"
	"crypto/rand"
	"fmt"
	"strings"

	"github.com/alexedwards/argon2id"
	"golang.org/x/sync/semaphore"

	"github.com/sluicehq/sluice/kernel/domain"
)

// hashing costs 19 MiB and 20 ms for each password (OWASP's argon2id parameters; evidence: storage-http §7).
var hashing = argon2id.Params{Memory: 19 * 1024, Iterations: 2, Parallelism: 1, SaltLength: 16, KeyLength: 32}

// hashers bounds how many passwords are hashed at once, and so the memory that callers without a password can use.
var hashers = semaphore.NewWeighted(2)

const (
	minPassword = 8   // characters, the shortest password of an admin
	maxPassword = 256 // bytes
)

func hashPassword(ctx context.Context, password string) (string, error) {
	switch {
	case len([]rune(password)) < minPassword:
		return "", domain.Invalid("password", "is shorter than 8 characters")
	case len(password) > maxPassword:
		return "", domain.Invalid("password", "is longer than 256 bytes")
	}
	if err := hashers.Acquire(ctx, 1); err != nil {
		return "", err
	}
	defer hashers.Release(1)
	hash, err := argon2id.CreateHash(password, &hashing)
	if err != nil {
		return "", fmt.Errorf("hash password: %w", err)
	}
	return hash, nil
}

// newPassword makes a password that is read off a screen and typed: letters and digits in groups.
func newPassword() string {
	text := strings.ToLower(rand.Text())[:20]
	return text[:5] + "-" + text[5:10] + "-" + text[10:15] + "-" + text[15:]
}
