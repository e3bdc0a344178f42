package domain

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
	Revision int64
}

// What grants can be bound to.
const (
	TrustHash   = "hash"   // this very file: a new version needs a new grant
	TrustSigner = "signer" // any file of this name that the same key has signed
)

// PluginGrant is a permission that the operator has granted.
type PluginGrant struct {
	Name  string   // kv or http
	Hosts []string // http: the hosts that may be called
}
