package sdk

import "github.com/sluicehq/sluice/sdk/wire"

// UseKV asks for the key-value store; reason is one sentence for the operator, who grants it or not. Without a grant the
// plugin waits and serves nothing. Only plugins that provide events, and nothing else, are granted anything.
func UseKV(reason string) {
	guest.permissions = append(guest.permissions, wire.Permission{Name: wire.PermissionKV, Reason: reason})
}

// UseHTTP asks for HTTP calls to the named hosts, such as api.example.com or api.example.com:8443, or to wire.AnyHost:
// those that the operator names. Only public addresses are reached. reason is one sentence for the operator, who grants it or not. As with UseKV, the plugin waits
// meanwhile.
func UseHTTP(reason string, hosts ...string) {
	guest.permissions = append(guest.permissions,
		wire.Permission{Name: wire.PermissionHTTP, Reason: reason, Hosts: hosts})
}
