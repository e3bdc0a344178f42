package domain

// User is one person who may connect: a 3x-ui client and a PasarGuard user are both this row.
type User struct {
	ID          int64  `bun:"id,pk,autoincrement"` // never reused; the core's e-mail of the user
	Username    string `bun:"username"`            // as given
	UsernameKey string `bun:"username_key"`        // NameKey(Username), unique
	SubID       string `bun:"sub_id"`              // unique, secret: whoever has it gets the subscription

	Credentials `bun:"embed:"`

	Enabled      bool   `bun:"enabled"`       // the operator's word
	HoldSince    *int64 `bun:"hold_since"`    // ms UTC, nil = not on hold
	HoldDuration int64  `bun:"hold_duration"` // ms that the user gets once the hold ends
	HoldTimeout  *int64 `bun:"hold_timeout"`  // ms UTC at which the hold ends by itself, nil = never
	ExpireAt     *int64 `bun:"expire_at"`     // ms UTC, nil = never
	Quota        *int64 `bun:"quota"`         // bytes, nil = none

	ResetPolicy  string `bun:"reset_policy"`   // id of a period plugin, "" = never
	ResetParams  string `bun:"reset_params"`   // its parameters, a JSON object, "" = none
	ResetAnchor  int64  `bun:"reset_anchor"`   // ms UTC from which boundaries are counted
	NextResetAt  *int64 `bun:"next_reset_at"`  // ms UTC, nil = never
	ResetRetryAt *int64 `bun:"reset_retry_at"` // ms UTC at which a period plugin that failed is asked again, nil = it did not

	RenewDays  int `bun:"renew_days"`  // days added on expiry, 0 = no renewal
	RenewDay   int `bun:"renew_day"`   // day of the month instead of RenewDays, 0 = none
	RenewMax   int `bun:"renew_max"`   // renewals allowed, 0 = any number
	RenewCount int `bun:"renew_count"` // renewals so far

	LimitIP    int    `bun:"limit_ip"`    // addresses at the same time, 0 = any number
	Note       string `bun:"note"`        // free text of the operator
	TgID       int64  `bun:"tg_id"`       // Telegram id, 0 = none; stored for scripts, not used
	LimitHWID  int    `bun:"limit_hwid"`  // devices, 0 = any number; stored for scripts, not used
	Reverse    string `bun:"reverse"`     // a JSON object, "" = none; stored for scripts, not used
	AdTag      string `bun:"ad_tag"`      // stored for scripts, not used
	Secret     string `bun:"secret"`      // of a protocol that the core does not have; stored for scripts, not used
	AdminID    int64  `bun:"admin_id"`    // the owner
	AutoDelete *int   `bun:"auto_delete"` // days after expiry at which the user is deleted, nil = never

	NextPlan `bun:"embed:"`

	Status      Status `bun:"status"`       // as it was when it was last looked at: an index; StatusAt is the truth
	StatusSince int64  `bun:"status_since"` // ms UTC since when it is that

	Revision   int64  `bun:"revision"`     // seq of the change that wrote the row last
	CreatedAt  int64  `bun:"created_at"`   // ms UTC
	UpdatedAt  int64  `bun:"updated_at"`   // ms UTC
	SubFetchAt int64  `bun:"sub_fetch_at"` // ms UTC of the last subscription fetch, 0 = never
	SubAgent   string `bun:"sub_agent"`    // the User-Agent of that fetch
}

// Fetch is the last time that a user's app asked for its subscription.
type Fetch struct {
	UserID int64
	At     int64  // ms UTC
	Agent  string // the User-Agent
}

// StatusAt is the user's status at now (ms UTC) with used bytes counted.
func (u *User) StatusAt(now, used int64) Status {
	return Facts{u.Enabled, u.HoldSince != nil, u.ExpireAt, u.Quota, used}.StatusAt(now)
}

// Account is a user as the core and its gate need it: who may come in, where, and how much is left.
type Account struct {
	User     User
	Traffic  Traffic // as the database had it: without what is not flushed yet
	Inbounds []int64 // ids of the effective inbounds, ascending: Direct, and those of its groups that are not disabled
	Direct   []int64 // ids of the inbounds that it was attached to itself, ascending
	Groups   []int64 // ids of the groups that it is in, the first one first
}
