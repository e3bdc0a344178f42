package sdk

import "github.com/sluicehq/sluice/sdk/wire"

// UseKV asks for the key-value store; reason is one sentence for the operator, who grants it or not. Without a grant a
// plugin that calls KVGet, KVSet or KVDelete is not loaded.
func UseKV(reason string) {
	guest.permissions = append(guest.permissions, wire.Permission{Name: wire.PermissionKV, Reason: reason})
}

// UseHTTP asks for HTTP calls from event items to the named hosts; reason is one sentence for the operator, who grants
// it or not. Without a grant a plugin that calls HTTP is not loaded.
func UseHTTP(reason string, hosts ...string) {
	guest.permissions = append(guest.permissions,
		wire.Permission{Name: wire.PermissionHTTP, Reason: reason, Hosts: hosts})
}
