package domain

import "regexp"

// PluginPolicy is what the operator has said about the plugin of a name. One that nothing was said about is enabled, has
// no settings and no permission.
type PluginPolicy struct {
	Name     string // of the manifest
	Disabled bool   // it is loaded but serves nothing
	Settings string // JSON object by the manifest's settings_schema, "" = none
	Replaces bool   // it may take the place of built-in items of the same id
	Grants   []PluginGrant
	Trust    string // what the grants are bound to: TrustHash or TrustSigner
	Trusted  string // the SHA-256 (hex) of the file, or the signer's key (base64), that they were given to
	Secret   string // whsec_..., signs its HTTP calls; made when http is first granted
	Revision int64  // seq of the change that wrote the row last, 0 = nothing was said yet
}

// What grants can be bound to.
const (
	TrustHash   = "hash"   // this very file: a new version needs a new grant
	TrustSigner = "signer" // any file of this name that the same key has signed
)

// PluginGrant is a permission that the operator has granted.
type PluginGrant struct {
	Name  string   `json:"name"`            // kv or http
	Hosts []string `json:"hosts,omitempty"` // http: the hosts that may be called
}

// What a plugin may keep under its name.
const (
	MaxKVKey   = 256      // bytes of a key, at least 1
	MaxKVValue = 64 << 10 // bytes of a value
	MaxKVKeys  = 1000     // keys
	MaxKVTotal = 1 << 20  // bytes of all keys and values
)

// pluginName is what plugins can be called.
var pluginName = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,63}$`)

// PluginName says whether a plugin can have that name.
func PluginName(name string) bool { return pluginName.MatchString(name) }
