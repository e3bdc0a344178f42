package domain

// NextPlan is what a user gets when its time or its quota is used up. The zero value is none.
type NextPlan struct {
	HasNextPlan     bool   `bun:"has_next_plan"`
	NextTemplate    *int64 `bun:"next_template"`     // id of the template that is applied, nil = what follows is
	NextQuota       *int64 `bun:"next_quota"`        // bytes, nil = none
	NextDuration    int64  `bun:"next_duration"`     // ms that the user gets, 0 = no expiry
	NextCarriesOver bool   `bun:"next_carries_over"` // what is left of the old quota is added to the new one
}

// Template is a standard plan: what users made from it, or brought to it, are like.
type Template struct {
	ID          int64   `bun:"id,pk,autoincrement"`
	Name        string  `bun:"name"`         // unique, as given
	Quota       *int64  `bun:"quota"`        // bytes, nil = none
	Duration    int64   `bun:"duration"`     // ms that the user gets, 0 = no expiry
	Prefix      *string `bun:"prefix"`       // in front of usernames, nil = none
	Suffix      *string `bun:"suffix"`       // behind usernames, nil = none
	HasExtra    bool    `bun:"has_extra"`    // whether Flow and Method were given at all: the dialect shows it
	Flow        *string `bun:"flow"`         // nil = the user's stays
	Method      *string `bun:"method"`       // of shadowsocks, nil = the user's stays
	Hold        bool    `bun:"hold"`         // users wait for their first use
	HoldTimeout *int64  `bun:"hold_timeout"` // ms after which a hold ends by itself, nil = never
	ResetUsage  bool    `bun:"reset_usage"`  // usage is set to zero when a user is brought to it
	ResetPolicy string  `bun:"reset_policy"` // as the user's
	ResetParams string  `bun:"reset_params"` // as the user's
	Disabled    bool    `bun:"disabled"`     // it can not be used now
	Revision    int64   `bun:"revision"`     // seq of the change that wrote the row last
	CreatedAt   int64   `bun:"created_at"`   // ms UTC
	UpdatedAt   int64   `bun:"updated_at"`   // ms UTC

	Groups []int64 `bun:"-"` // ids of the groups that users are in, in order; groups that are deleted leave it
}
