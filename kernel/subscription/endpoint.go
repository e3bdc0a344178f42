package subscription

import (
	"encoding/json"
	"fmt"

	"github.com/sluicehq/sluice/kernel/domain"
	"github.com/sluicehq/sluice/sdk/wire"
)

// endpoint is an inbound as a client sees it: what is the same for all users, and what accounts are made from.
type endpoint struct {
	wire.Endpoint // its Address is "" when the inbound names none
	inbound       domain.Inbound
	stream        stream
	method        string // shadowsocks
	remark        text
}

// newEndpoint describes the inbound for clients.
func newEndpoint(in domain.Inbound) (endpoint, error) {
	s, err := parseStream(&in)
	if err != nil {
		return endpoint{}, err
	}
	var settings struct {
		Decryption string `json:"decryption"`
		Encryption string `json:"encryption"`
		Password   string `json:"password"`
	}
	if in.Settings != "" {
		if err := json.Unmarshal([]byte(in.Settings), &settings); err != nil {
			return endpoint{}, fmt.Errorf("settings: %w", err)
		}
	}
	sec, err := s.wireSecurity()
	if err != nil {
		return endpoint{}, err
	}
	e := endpoint{inbound: in, stream: s, remark: newRemark(in.Remark), Endpoint: wire.Endpoint{
		InboundID: in.ID, InboundTag: in.Tag, Protocol: string(in.Protocol),
		Address: in.ShareAddress, Port: uint32(in.Port), Transport: s.wireTransport(), Security: sec,
		Finalmask: s.mask.compact(), StreamSettings: s.clientStream(&sec),
	}}
	switch in.Protocol {
	case domain.VLESS:
		e.VLESSEncryption = settings.Encryption
		if e.VLESSEncryption == "" {
			e.VLESSEncryption, err = clientEncryption(settings.Decryption)
		}
	case domain.Shadowsocks:
		e.method = in.Method()
		e.Shadowsocks = wire.Shadowsocks{Method: e.method, ServerKey: settings.Password}
		if domain.ShadowsocksKeySize(e.method) == 0 {
			e.Shadowsocks.ServerKey = ""
		}
	case domain.Hysteria:
		e.Hysteria = s.wireHysteria()
	}
	return e, err
}

// account is the user's own part of the endpoint. It must say exactly what the core is told of the same user.
func (e *endpoint) account(v *viewer) wire.Account {
	u, a := v.user, wire.Account{Remark: e.remark.tell(v)}
	switch e.inbound.Protocol {
	case domain.VLESS:
		a.ID, a.Flow = u.VLESSID, e.inbound.EffectiveFlow(u.Flow)
	case domain.VMess:
		a.ID, a.Security = u.VMessID, u.VMessSecurity
	case domain.Trojan:
		a.Password = u.TrojanPassword
	case domain.Shadowsocks:
		a.Method = u.ShadowsocksMethod(e.method)
		a.Password = u.ShadowsocksKey(a.Method)
	case domain.Hysteria:
		a.Password = u.HysteriaAuth
	}
	return a
}

// newRemark is the name that an app shows of an inbound. One with variables says all of it; else the username follows.
func newRemark(raw string) text {
	switch {
	case raw == "":
		raw = "{USERNAME}"
	case !inBraces.MatchString(raw):
		raw += "-{USERNAME}"
	}
	return newText(raw)
}
