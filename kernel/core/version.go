package core

import xcore "github.com/xtls/xray-core/core"

// Version is that of the embedded xray-core, such as 26.7.28.
func Version() string { return xcore.Version() }
