package domain

// Admin is an operator.
type Admin struct {
	ID           int64  `bun:"id,pk,autoincrement"`
	Username     string `bun:"username"`
	UsernameKey  string `bun:"username_key"`  // NameKey(Username), unique
	PasswordHash string `bun:"password_hash"` // argon2id in PHC form
	Sudo         bool   `bun:"sudo"`          // may do everything; others see only their own users
	Enabled      bool   `bun:"enabled"`
	PasswordAt   int64  `bun:"password_at"` // ms UTC of the last change of the password: sessions from before are over
	UserLimit    *int   `bun:"user_limit"`  // users that it may have, nil = any number
	Profile      string `bun:"profile"`     // a JSON object of what scripts keep with it, "" = nothing; not used
	Revision     int64  `bun:"revision"`
	CreatedAt    int64  `bun:"created_at"` // ms UTC
}

// Scope limits what a token may do.
type Scope string

// The scopes.
const (
	ScopeAdmin    Scope = "admin"    // whatever its admin may
	ScopeReadonly Scope = "readonly" // changes nothing
)

// Token lets a script act for an admin. Only the hash of its secret is stored.
type Token struct {
	ID        int64  `bun:"id,pk,autoincrement"`
	Name      string `bun:"name"` // unique
	Hash      string `bun:"hash"` // hex SHA-256 of the secret, unique
	AdminID   int64  `bun:"admin_id"`
	Scope     Scope  `bun:"scope"`
	Enabled   bool   `bun:"enabled"`
	ExpiresAt *int64 `bun:"expires_at"` // ms UTC, nil = never
	CreatedAt int64  `bun:"created_at"` // ms UTC
}

// UsableAt says whether the token opens anything at now (ms UTC).
func (t *Token) UsableAt(now int64) bool {
	return t.Enabled && (t.ExpiresAt == nil || *t.ExpiresAt > now)
}
