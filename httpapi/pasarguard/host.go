package pasarguard

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/sluicehq/sluice/httpapi/detail"
	"github.com/sluicehq/sluice/kernel/domain"
)

// inboundDefault is this dialect's name of the security of a host that is the inbound's.
const inboundDefault = "inbound_default"

// hostBody is a host as callers see it. What else was sent with it stands beside its fields.
type hostBody struct {
	ID            int64           `json:"id"`
	Remark        string          `json:"remark"`
	Priority      int             `json:"priority" doc:"hosts are listed by it, the lowest first"`
	Address       []string        `json:"address" nullable:"false" doc:"one of them is taken, none = the inbound's"`
	InboundTag    string          `json:"inbound_tag"`
	Port          *int            `json:"port" doc:"null = the inbound's"`
	SNI           []string        `json:"sni" nullable:"false"`
	Host          []string        `json:"host" nullable:"false" doc:"for the Host header"`
	Path          *string         `json:"path" doc:"null = the inbound's"`
	Security      string          `json:"security" enum:"inbound_default,none,tls"`
	ALPN          []string        `json:"alpn" nullable:"false"`
	Fingerprint   string          `json:"fingerprint"`
	AllowInsecure bool            `json:"allowinsecure"`
	IsDisabled    bool            `json:"is_disabled"`
	SNIAsHost     bool            `json:"use_sni_as_host"`
	Status        []domain.Status `json:"status" nullable:"false" doc:"of the users who are told of it, none = all"`

	extra string // a JSON object, "" = nothing
}

func newHostBody(h *domain.Host, tags map[int64]string) hostBody {
	b := hostBody{
		ID: h.ID, Remark: h.Remark, Priority: h.Priority, Address: list(h.Addresses), InboundTag: tags[h.InboundID],
		SNI: list(h.SNI), Host: list(h.HostNames), Path: noneIfEmpty(h.Path), Security: inboundDefault, ALPN: list(h.ALPN),
		Fingerprint: h.Fingerprint, AllowInsecure: h.AllowInsecure, IsDisabled: h.Disabled, SNIAsHost: h.SNIAsHost,
		Status: list(h.Statuses), extra: h.Extra,
	}
	if h.Port != 0 {
		b.Port = &h.Port
	}
	if h.Security != "" {
		b.Security = h.Security
	}
	return b
}

// MarshalJSON writes the fields and behind them what else was sent.
func (b hostBody) MarshalJSON() ([]byte, error) {
	type fields hostBody
	text, err := json.Marshal(fields(b))
	if err != nil || b.extra == "" {
		return text, err
	}
	return append(append(text[:len(text)-1], ','), b.extra[1:]...), nil
}

// hostInput is a host as callers send it, whole or in part: what is absent stays as it is, null is none. Members that are
// not applied are kept.
type hostInput struct {
	ID            *int64                 `json:"id" doc:"of the host that is replaced, in a list of hosts"`
	Remark        field[string]          `json:"remark"`
	Priority      field[int]             `json:"priority"`
	Address       field[[]string]        `json:"address"`
	InboundTag    *string                `json:"inbound_tag"`
	Port          field[int]             `json:"port"`
	SNI           field[[]string]        `json:"sni"`
	Host          field[[]string]        `json:"host"`
	Path          field[string]          `json:"path"`
	Security      field[string]          `json:"security" doc:"inbound_default, none or tls"`
	ALPN          field[[]string]        `json:"alpn"`
	Fingerprint   field[string]          `json:"fingerprint"`
	AllowInsecure field[bool]            `json:"allowinsecure"`
	IsDisabled    field[bool]            `json:"is_disabled"`
	SNIAsHost     field[bool]            `json:"use_sni_as_host"`
	Status        field[[]domain.Status] `json:"status"`

	extra map[string]json.RawMessage
}

// UnmarshalJSON also keeps what is no field.
func (in *hostInput) UnmarshalJSON(data []byte) error {
	type fields hostInput
	if err := json.Unmarshal(data, (*fields)(in)); err != nil {
		return err
	}
	if err := json.Unmarshal(data, &in.extra); err != nil {
		return err
	}
	maps.DeleteFunc(in.extra, func(name string, _ json.RawMessage) bool { return hostFields[name] })
	return nil
}

// hostFields are the names that are not kept as extras.
var hostFields = func() map[string]bool {
	text, _ := json.Marshal(hostBody{}) // it has no field that can fail
	var fields map[string]json.RawMessage
	_ = json.Unmarshal(text, &fields)
	names := map[string]bool{}
	for name := range fields {
		names[name] = true
	}
	return names
}()

// host is a new host.
func (in *hostInput) host(inbounds inboundIDs) (h domain.Host, err error) {
	faults := detail.Fields{}
	for name, given := range map[string]bool{"remark": in.Remark.Set, "priority": in.Priority.Set, "inbound_tag": in.InboundTag != nil} {
		if !given {
			faults[name] = "Field required"
		}
	}
	if err := faults.Of(); err != nil {
		return h, err
	}
	return h, in.edit(&h, inbounds)
}

// edit changes a host.
func (in *hostInput) edit(h *domain.Host, inbounds inboundIDs) error {
	if in.Remark.Set && strings.TrimSpace(in.Remark.Value) == "" {
		return detail.Fields{"remark": "Remark cannot be empty"}.Of()
	}
	if in.InboundTag != nil {
		ids, err := inbounds.tagged(*in.InboundTag)
		if err != nil {
			return err
		}
		h.InboundID = ids[0]
	}
	if in.Security.Set {
		security, known := map[string]string{"": "", inboundDefault: "", "none": "none", "tls": "tls"}[in.Security.Value]
		if !known {
			return detail.Fields{"security": "Input should be 'inbound_default', 'none' or 'tls'"}.Of()
		}
		h.Security = security
	}
	in.Remark.Put(&h.Remark)
	in.Priority.Put(&h.Priority)
	in.Port.Put(&h.Port)
	in.Path.Put(&h.Path)
	in.Fingerprint.Put(&h.Fingerprint)
	in.AllowInsecure.Put(&h.AllowInsecure)
	in.IsDisabled.Put(&h.Disabled)
	in.SNIAsHost.Put(&h.SNIAsHost)
	replace(&h.Addresses, in.Address)
	replace(&h.SNI, in.SNI)
	replace(&h.HostNames, in.Host)
	replace(&h.ALPN, in.ALPN)
	replace(&h.Statuses, in.Status)
	return in.editExtra(&h.Extra)
}

// replace puts a list where it belongs; the same one is left alone, so that none does not become an empty one.
func replace[T comparable](to *[]T, given field[[]T]) {
	if given.Set && !slices.Equal(*to, given.Value) {
		*to = given.Value
	}
}

// editExtra adds what is no field to what is kept; null takes it away.
func (in *hostInput) editExtra(extra *string) error {
	if len(in.extra) == 0 {
		return nil
	}
	kept := map[string]json.RawMessage{}
	if *extra != "" {
		if err := json.Unmarshal([]byte(*extra), &kept); err != nil {
			return err
		}
	}
	maps.Copy(kept, in.extra)
	maps.DeleteFunc(kept, func(_ string, value json.RawMessage) bool { return string(value) == "null" })
	*extra = ""
	if len(kept) == 0 {
		return nil
	}
	text, err := json.Marshal(kept)
	*extra = string(text)
	return err
}
