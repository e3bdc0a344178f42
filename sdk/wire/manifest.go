package wire

// Manifest is what sluice_manifest returns, as JSON. It is read without any permission.
type Manifest struct {
	ABI         int          `json:"abi"`     // Major
	Name        string       `json:"name"`    // a-z, 0-9 and -, unique among the loaded plugins
	Version     string       `json:"version"` // the plugin's own, such as 1.2.0
	Description string       `json:"description,omitempty"`
	Codec       string       `json:"codec,omitempty"` // CodecProtobuf ("" too) or CodecJSON
	Provides    []Item       `json:"provides"`
	Permissions []Permission `json:"permissions,omitempty"`
	Settings    RawJSON      `json:"settings_schema,omitempty"` // JSON Schema of what configure takes, empty = nothing
}

// Codecs of a Manifest.
const (
	CodecProtobuf = "protobuf"
	CodecJSON     = "json" // the same messages as JSON: names of plugin.proto, bytes as base64, int64 as numbers
)

// Item is one thing that a plugin provides; Kind and ID together name it.
type Item struct {
	Kind        string  `json:"kind"` // one of the Kind constants
	ID          string  `json:"id"`   // a-z, 0-9, _ and -
	Title       string  `json:"title,omitempty"`
	Description string  `json:"description,omitempty"`
	Params      RawJSON `json:"params_schema,omitempty"` // JSON Schema of params or settings, empty = takes none

	Base      string `json:"base,omitempty"`      // username: BaseNone, BaseOptional ("" too) or BaseRequired
	Collision string `json:"collision,omitempty"` // username: CollisionSkip ("" too) or CollisionRetry

	QuotaOnly bool `json:"quota_only,omitempty"` // period: resets only users that have a quota

	ContentType string   `json:"content_type,omitempty"` // format: of the body, unless the reply names another
	UserAgents  []string `json:"user_agents,omitempty"`  // format: parts of a User-Agent, without regard to case
	Cache       string   `json:"cache,omitempty"`        // format: CacheNone ("" too) or CacheRevision
	Prepare     bool     `json:"prepare,omitempty"`      // format: takes OpPrepare

	Events []string `json:"events,omitempty"` // event: the types wanted, "*" = all
}

// Kinds of an Item.
const (
	KindUsername = "username"
	KindPeriod   = "period"
	KindFormat   = "format"
	KindEvent    = "event"
)

// What a username item makes of the request's Base and Start.
const (
	BaseNone     = "none"     // nothing: a request that gives one of them is refused
	BaseOptional = "optional" // it works with and without
	BaseRequired = "required" // it needs a base: a request without one is refused
)

// What the kernel does when a generated name is taken.
const (
	CollisionSkip  = "skip"  // leave it out: fewer users than asked for
	CollisionRetry = "retry" // ask again until there are enough
)

// How long a rendered body may be kept.
const (
	CacheNone     = "none"     // not at all
	CacheRevision = "revision" // until user, endpoints or settings change: it shows neither time nor usage nor chance
)

// Permission is an import that the plugin wants. It is linked only after the operator has granted it.
type Permission struct {
	Name   string   `json:"name"`            // PermissionKV or PermissionHTTP
	Reason string   `json:"reason"`          // one sentence for the operator, required
	Hosts  []string `json:"hosts,omitempty"` // PermissionHTTP: the hosts it calls, such as api.example.com or 10.0.0.1:8080; or AnyHost
}

// Names of a Permission.
const (
	PermissionKV   = "kv"
	PermissionHTTP = "http"
)

// AnyHost among the Hosts of a Permission asks for hosts that only the operator knows, such as that of a webhook in the
// settings. What is granted are names all the same.
const AnyHost = "*"

// RawJSON is a JSON value that is passed on as it is. It is json.RawMessage without the import.
type RawJSON []byte

// MarshalJSON returns the value, null when it is empty.
func (r RawJSON) MarshalJSON() ([]byte, error) {
	if len(r) == 0 {
		return []byte("null"), nil
	}
	return r, nil
}

// UnmarshalJSON keeps a copy of data.
func (r *RawJSON) UnmarshalJSON(data []byte) error {
	*r = append((*r)[:0], data...)
	return nil
}

// ReplyHeaders are the headers that a FormatReply may set, in lower case; the kernel drops any other. Content type,
// file name, caching and usage have their own way.
var ReplyHeaders = []string{
	"announce", "announce-url", "content-language", "content-security-policy", "moved-permanently-to", "routing",
	"routing-enable",
}
