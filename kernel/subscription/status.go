package subscription

import (
	"slices"

	"github.com/sluicehq/sluice/kernel/domain"
	"github.com/sluicehq/sluice/sdk/wire"
)

// statusLines are the names of the entry that says why a user may not connect. None of them changes by itself.
var statusLines = map[domain.Status]text{
	domain.StatusExpired:  newText("{STATUS_EMOJI} Expired {EXPIRE_DATE}"),
	domain.StatusLimited:  newText("{STATUS_EMOJI} {DATA_LIMIT} used up"),
	domain.StatusDisabled: newText("{STATUS_EMOJI} Disabled"),
}

// statusDoor is an endpoint that every app can show and that nobody reaches: a closed port of the user's own device.
var statusDoor = wire.Endpoint{
	Protocol: string(domain.VLESS), Address: "127.0.0.1", Port: 1, Transport: wire.Transport{Network: "raw"},
	Security: wire.Security{Kind: "none"}, StreamSettings: `{"network":"raw","security":"none"}`,
}

// addStatus puts an entry in front of all others whose name says why the user may not connect, if that is so.
func addStatus(req *wire.FormatRequest, v *viewer) {
	line := statusLines[v.status]
	if line == nil {
		return
	}
	account := wire.Account{Remark: line.tell(v), ID: "00000000-0000-0000-0000-000000000000"}
	req.Endpoints = slices.Insert(req.Endpoints, 0, statusDoor)
	req.Accounts = slices.Insert(req.Accounts, 0, account)
	req.Prepared = 0 // the handle names the others alone
}
