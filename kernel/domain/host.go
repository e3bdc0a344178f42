package domain

// Host is an endpoint that clients are told of instead of an inbound's own: another address, port or name in front of the
// same door. The zero value of a field is the inbound's own.
type Host struct {
	ID        int64    `bun:"id,pk,autoincrement"`
	InboundID int64    `bun:"inbound_id"`
	Remark    string   `bun:"remark"`    // with variables such as {USERNAME}
	Priority  int      `bun:"priority"`  // hosts are listed by it, the lowest first, then by id
	Addresses []string `bun:"addresses"` // with variables; one of them is taken; none = the inbound's
	Port      int      `bun:"port"`
	SNI       []string `bun:"sni"`      // one of them is taken
	HostNames []string `bun:"hosts"`    // for the Host header of the transport; one of them is taken
	Path      string   `bun:"path"`     // of the transport
	Security  string   `bun:"security"` // "none", "tls", or "" = the inbound's

	ALPN          []string `bun:"alpn"`
	Fingerprint   string   `bun:"fingerprint"`
	AllowInsecure bool     `bun:"allow_insecure"`
	SNIAsHost     bool     `bun:"sni_as_host"` // the SNI that was taken is the Host header too
	Disabled      bool     `bun:"disabled"`
	Statuses      []Status `bun:"statuses"` // of the users that are told of it, none = all
	Extra         string   `bun:"extra"`    // a JSON object of what else scripts keep with it, "" = nothing
	Revision      int64    `bun:"revision"`
	CreatedAt     int64    `bun:"created_at"` // ms UTC
	UpdatedAt     int64    `bun:"updated_at"` // ms UTC
}
