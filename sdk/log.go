package sdk

import "github.com/sluicehq/sluice/sdk/wire"

// Levels of Log.
const (
	LogDebug = wire.LogDebug
	LogInfo  = wire.LogInfo
	LogWarn  = wire.LogWarn
	LogError = wire.LogError
)

// Log writes a line to the operator's log, with the plugin's name. The host cuts lines at wire.MaxLogLine bytes and
// drops them when there are too many; it needs no permission.
func Log(level wire.LogLevel, message string) { hostLog(level, message) }
