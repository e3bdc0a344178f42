package domain

// Settings are what an operator may change while Sluice runs. The zero value is the default.
type Settings struct {
	PublicHosts []string // hosts that clients reach this server by; the first is what links carry
	PublicURL   string   // base of subscription URLs, "" = the request's own
}
