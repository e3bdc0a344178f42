package sdk

import "github.com/sluicehq/sluice/sdk/wire"

// ConfigureFunc gets the operator's settings, a JSON object. It runs once per instance and before any other call.
type ConfigureFunc func(settings string) error

// Configure says that the plugin has settings. schema is their JSON Schema and must be valid JSON.
func Configure(schema string, fn ConfigureFunc) {
	guest.settingsSchema, guest.configure = schema, fn
}

func (p *plugin) callConfigure(request []byte) error {
	var req wire.ConfigureRequest
	if err := req.Decode(request); err != nil {
		return err
	}
	if p.configure == nil {
		return unimplemented("this plugin has no settings")
	}
	return p.configure(req.Settings)
}
