package subscription

import "github.com/sluicehq/sluice/kernel/plugin"

// BuiltIn is the plugin host of all tests.
func BuiltIn() *plugin.Host { return renderer }
