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

// nobody is the hash of no password. It stands for those of names that nobody has, so that these take as long as others.
const nobody = "$argon2id$v=19$m=19456,t=2,p=1$mVq9E73hpvo1Gwj/nxeAtA$yA0H2Vbs1IMnibRjcgRiJldOGA3mNtOUzvPBpjScoxA"

// compareHash is a variable so that tests can count its calls.
var compareHash = argon2id.ComparePasswordAndHash

// passwordOpens says whether hash is of password; with the same parameters it takes the same time in any case.
func passwordOpens(ctx context.Context, password, hash string) (bool, error) {
	if err := hashers.Acquire(ctx, 1); err != nil {
		return false, err
	}
	defer hashers.Release(1)
	opens, err := compareHash(password, hash)
	if err != nil {
		return false, fmt.Errorf("compare password: %w", err)
	}
	return opens, nil
}

// newPassword makes a password that is read off a screen and typed: letters and digits in groups.
func newPassword() string {
	text := strings.ToLower(rand.Text())[:20]
	return text[:5] + "-" + text[5:10] + "-" + text[10:15] + "-" + text[15:]
}
