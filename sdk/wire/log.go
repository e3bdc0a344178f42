package wire

// LogLevel is the first argument of sluice.log.
type LogLevel int32

// The levels. A value outside is treated as LogInfo.
const (
	LogDebug LogLevel = 0
	LogInfo  LogLevel = 1
	LogWarn  LogLevel = 2
	LogError LogLevel = 3
)
