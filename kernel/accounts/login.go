package accounts

import (
	"context"
	"fmt"
	"math"
	"sync"
	"time"

	"go.uber.org/zap"
	"golang.org/x/sync/semaphore"

	"github.com/sluicehq/sluice/kernel/domain"
)

var (
	// ErrLogin is why nobody is logged in: it does not tell whether there is such a name.
	ErrLogin = domain.Forbidden("Incorrect username or password")
	// ErrDisabled is what a disabled admin is told, who has proved to be one.
	ErrDisabled = domain.Forbidden("your account has been disabled")
)

// TooManyLogins is why a login was not even tried.
type TooManyLogins struct {
	Wait time.Duration // from now on, until one would be tried
}

// Seconds is the wait in whole seconds, at least 1.
func (e *TooManyLogins) Seconds() int { return max(1, int(math.Ceil(e.Wait.Seconds()))) }

// Error says how long to wait.
func (e *TooManyLogins) Error() string {
	return fmt.Sprintf("too many login attempts; try again in %d s", e.Seconds())
}

// loginQueue is how many logins may wait for a hash at once. It bounds the wait to about 0.7 s, also that of an operator
// who sets a password meanwhile; others are sent away and do not push in.
const loginQueue = 64

// logins is what is kept between logins.
type logins struct {
	queue   *semaphore.Weighted
	limits  loginLimits
	signing struct {
		sync.Mutex
		key []byte // of sessions, nil = not read yet
	}
}

func newLogins() *logins {
	return &logins{queue: semaphore.NewWeighted(loginQueue), limits: newLoginLimits()}
}

// Login returns a session of the admin with this password, a JWT that Authenticate takes for 24 hours. from is the
// caller's address. It fails with ErrLogin, with ErrDisabled once the password is right, or with a TooManyLogins; logins that
// succeed do not count against the limits.
func (s *Service) Login(ctx context.Context, username, password, from string) (session string, err error) {
	if domain.CheckName(username) != nil || len(password) > maxPassword {
		return "", ErrLogin // whoever there is: this depends on nothing but the request
	}
	if !s.logins.queue.TryAcquire(1) {
		return "", &TooManyLogins{time.Second}
	}
	defer s.logins.queue.Release(1)
	attempt, wait := s.logins.limits.take(s.Clock.Now(), from, username)
	if wait > 0 {
		return "", &TooManyLogins{wait}
	}
	admin, err := s.adminWith(ctx, username, password)
	if err != nil {
		return "", err
	}
	s.logins.limits.giveBack(attempt)
	if !admin.Enabled {
		return "", ErrDisabled
	}
	if session, err = s.newSession(ctx, admin); err != nil {
		return "", err
	}
	if err := s.DB.Announce(ctx, domain.AdminEvent(domain.EventAdminLogin, &admin)); err != nil { // who repairs a full disk has to get in
		s.Log.Error("no event is made of a login", zap.String("admin", admin.Username), zap.Error(err))
	}
	return session, nil
}

// adminWith returns the admin of that name and password. It hashes once, whether there is such a name or not.
func (s *Service) adminWith(ctx context.Context, username, password string) (domain.Admin, error) {
	admin, err := s.DB.AdminByName(ctx, username)
	unknown := domain.CodeOf(err) == domain.CodeNotFound
	if err != nil && !unknown {
		return domain.Admin{}, err
	}
	hash := admin.PasswordHash
	if unknown {
		hash = nobody
	}
	opens, err := passwordOpens(ctx, password, hash)
	if err == nil && (unknown || !opens) {
		err = ErrLogin
	}
	return admin, err
}
