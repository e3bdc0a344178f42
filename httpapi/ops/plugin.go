package ops

import (
	"encoding/json"

	"github.com/sluicehq/sluice/httpapi/optional"
	"github.com/sluicehq/sluice/kernel/domain"
	"github.com/sluicehq/sluice/kernel/install"
	"github.com/sluicehq/sluice/kernel/plugin"
	"github.com/sluicehq/sluice/sdk/wire"
)

// pluginBody is a plugin as operators see it.
type pluginBody struct {
	Name        string          `json:"name" doc:"of its manifest; empty when that could not be read"`
	Version     string          `json:"version"`
	Description string          `json:"description"`
	File        string          `json:"file" doc:"in the plugin folder, empty for the built-in plugin"`
	SHA256      string          `json:"sha256"`
	Size        int             `json:"size" doc:"bytes"`
	Builtin     bool            `json:"builtin"`
	Signer      string          `json:"signer" doc:"public key that has signed the file, empty = it is not signed"`
	State       string          `json:"state" enum:"loaded,failing,failed,disabled,waiting,refused"`
	Reason      string          `json:"reason" doc:"why it is not loaded and well, or why a newer file is not used"`
	Provides    []itemBody      `json:"provides"`
	Imports     []string        `json:"imports" doc:"functions of the host that it calls"`
	Permissions []wantedBody    `json:"permissions" doc:"what it asks for"`
	Waiting     *waitingBody    `json:"waiting" doc:"a newer file that asks for more and waits for a grant, null = none"`
	Enabled     bool            `json:"enabled"`
	Replaces    bool            `json:"replaces" doc:"it may take the place of built-in items"`
	Replacing   []string        `json:"replacing" doc:"the built-in items that it stands in for now, such as format links"`
	Settings    map[string]any  `json:"settings"`
	Schema      json.RawMessage `json:"settings_schema" doc:"JSON Schema of settings, null = it has none"`
	Grants      []grantBody     `json:"grants" doc:"what the file that serves was granted"`
	Trust       string          `json:"trust" enum:"hash,signer" doc:"what the grants are bound to: this very file, or any file of this name by the same signer"`
	Secret      string          `json:"secret" doc:"signs its HTTP calls (Standard Webhooks), empty = it makes none"`
	Calls       uint64          `json:"calls" doc:"since it was loaded"`
	Failures    uint64          `json:"failures" doc:"crashes, missed deadlines and unusable replies among them"`
}

type itemBody struct {
	Kind  string `json:"kind" enum:"username,period,format,event"`
	ID    string `json:"id"`
	Title string `json:"title"`
}

type wantedBody struct {
	Name   string   `json:"name" enum:"kv,http"`
	Reason string   `json:"reason" doc:"in the author's words"`
	Hosts  []string `json:"hosts" doc:"of http"`
}

type grantBody struct {
	Name  string   `json:"name" enum:"kv,http"`
	Hosts []string `json:"hosts,omitempty" doc:"of http: some of those that the plugin asks for"`
}

type waitingBody struct {
	Version     string       `json:"version"`
	SHA256      string       `json:"sha256"`
	Signer      string       `json:"signer"`
	Reason      string       `json:"reason"`
	Permissions []wantedBody `json:"permissions"`
}

func newPluginBody(info plugin.Info, p domain.PluginPolicy) pluginBody {
	b := pluginBody{
		Name: info.Name, Version: info.Version, Description: info.Description, File: info.File, SHA256: info.SHA256, Size: info.Size,
		Builtin: info.Builtin, Signer: info.Signer, State: string(info.State), Reason: info.Reason, Provides: []itemBody{},
		Imports: append([]string{}, info.Imports...), Permissions: newWanted(info.Permissions), Enabled: !p.Disabled,
		Replaces: p.Replaces, Replacing: append([]string{}, info.Replaces...), Settings: map[string]any{}, Schema: json.RawMessage(info.SettingsSchema), Grants: []grantBody{}, Trust: domain.TrustHash,
		Secret: p.Secret, Calls: info.Calls, Failures: info.Failures,
	}
	if p.Trust != "" {
		b.Trust = p.Trust
	}
	if p.Settings != "" {
		_ = json.Unmarshal([]byte(p.Settings), &b.Settings) // it was checked before it was stored
	}
	for _, item := range info.Provides {
		b.Provides = append(b.Provides, itemBody{item.Kind, item.ID, item.Title})
	}
	for _, g := range info.Granted {
		b.Grants = append(b.Grants, grantBody(g))
	}
	if w := info.Waiting; w != nil {
		b.Waiting = &waitingBody{w.Version, w.SHA256, w.Signer, w.Reason, newWanted(w.Permissions)}
	}
	return b
}

func newWanted(permissions []wire.Permission) []wantedBody {
	list := make([]wantedBody, len(permissions))
	for i, p := range permissions {
		list[i] = wantedBody{p.Name, p.Reason, append([]string{}, p.Hosts...)}
	}
	return list
}

// pluginChange is what an operator says about a plugin: what is not there stays as it is.
type pluginChange struct {
	PluginPath
	Body struct {
		Enabled  *bool                          `json:"enabled,omitempty"`
		Settings optional.Field[map[string]any] `json:"settings,omitempty" doc:"by the plugin's settings_schema; null = none"`
		Replaces *bool                          `json:"replaces,omitempty" doc:"it may take the place of built-in items of the same id; they serve again when it fails"`
		Grants   *[]grantBody                   `json:"grants,omitempty" doc:"all that is granted from now on"`
		Trust    *string                        `json:"trust,omitempty" enum:"hash,signer"`
		SHA256   string                         `json:"sha256,omitempty" doc:"of the file that grants are for: that of waiting, or of the one that serves, as the operator saw it; another one there by now is a conflict. Empty = what waits, else what serves"`
		Secret   bool                           `json:"new_secret,omitempty" doc:"make a new secret for its calls"`
	}
}

// change is the request as the kernel has it.
func (in *pluginChange) change() install.Change {
	c := install.Change{Enabled: in.Body.Enabled, Replaces: in.Body.Replaces, Trust: in.Body.Trust, SHA256: in.Body.SHA256, Secret: in.Body.Secret}
	if in.Body.Settings.Set {
		settings := ""
		if len(in.Body.Settings.Value) > 0 {
			text, _ := json.Marshal(in.Body.Settings.Value) // it came out of JSON
			settings = string(text)
		}
		c.Settings = &settings
	}
	if in.Body.Grants != nil {
		c.Grants = []domain.PluginGrant{}
		for _, g := range *in.Body.Grants {
			c.Grants = append(c.Grants, domain.PluginGrant(g))
		}
	}
	return c
}
