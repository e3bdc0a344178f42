package core

import (
	"bytes"
	"crypto/tls"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"unicode"

	"github.com/xtls/xray-core/app/proxyman"
	"github.com/xtls/xray-core/common/serial"
	xcore "github.com/xtls/xray-core/core"
	"github.com/xtls/xray-core/infra/conf"
	"github.com/xtls/xray-core/proxy/shadowsocks_2022"
	xtls "github.com/xtls/xray-core/transport/internet/tls"

	"github.com/sluicehq/sluice/kernel/domain"
)

// CheckInbound says whether the core could serve the inbound, by building it: its JSON may hold known fields only, files
// may be named below certDir only ("" = nowhere), and relative ones are taken from there. Whether its port is free shows
// when it is opened. The error is a domain.Invalid whose field is the path of the value at fault.
func CheckInbound(in domain.Inbound, certDir string) error {
	cfg, err := buildInbound(&in, certDir)
	if err != nil {
		return err
	}
	base, err := buildConfig("", certDir)
	if err != nil {
		return err
	}
	base.Inbound = []*xcore.InboundHandlerConfig{cfg}
	if err := tryBuild(scratchGate(), base); err != nil {
		return domain.Invalid("", "the inbound can not be used: "+reason(err)).Because(err)
	}
	return nil
}

// buildInbound turns an inbound into the core's form, without users. It is the one way from a row to the core: what
// CheckInbound accepts and what runs can not differ.
func buildInbound(in *domain.Inbound, certDir string) (*xcore.InboundHandlerConfig, error) {
	if err := checkRow(in); err != nil {
		return nil, err
	}
	doc, err := inboundDocument(in, certDir)
	if err != nil {
		return nil, err
	}
	raw, err := json.Marshal(doc)
	if err != nil {
		return nil, domain.Invalid("", "the inbound can not be used").Because(err)
	}
	var c conf.InboundDetourConfig
	if err := json.Unmarshal(raw, &c); err != nil {
		return nil, domain.Invalid("", "the inbound can not be used: "+reason(err)).Because(err)
	}
	cfg, err := c.Build()
	if err != nil {
		return nil, domain.Invalid("", "the inbound can not be used: "+reason(err)).Because(err)
	}
	listUsersOurselves(cfg)
	return cfg, checkCertificates(cfg)
}

// checkRow checks what is not JSON. A tag with >>> would be taken apart by the core's statistics.
func checkRow(in *domain.Inbound) error {
	switch {
	case strings.EqualFold(string(in.Protocol), "wireguard"):
		return domain.Invalid("protocol", "wireguard is not served yet")
	case !slices.Contains(domain.Protocols, in.Protocol):
		return domain.Invalid("protocol", fmt.Sprintf("%q is not served: use %s", in.Protocol, protocolNames()))
	case in.Port < 1 || in.Port > 65535:
		return domain.Invalid("port", "must be between 1 and 65535")
	case in.Tag == "" || strings.Contains(in.Tag, ">>>") || strings.ContainsFunc(in.Tag, unicode.IsControl):
		return domain.Invalid("tag", "must not be empty and must not contain >>> or control characters")
	}
	if in.Listen != "" {
		if _, err := netip.ParseAddr(in.Listen); err != nil {
			return domain.Invalid("listen", "must be an IP address, or empty for all").Because(err)
		}
	}
	return nil
}

// protocolNames lists the protocols as a sentence does.
func protocolNames() string {
	names := make([]string, len(domain.Protocols))
	for i, p := range domain.Protocols {
		names[i] = string(p)
	}
	last := len(names) - 1
	return strings.Join(names[:last], ", ") + " or " + names[last]
}

// inboundDocument is the inbound as the core reads it: put together from what was checked, never passed on as it came, so
// that a field which two readers would read differently (spelled twice, say) means to the core what was checked.
func inboundDocument(in *domain.Inbound, certDir string) (map[string]any, error) {
	w := walker{certDir, fmt.Sprintf("a %s inbound", in.Protocol)}
	doc := map[string]any{"tag": in.Tag, "protocol": in.Protocol, "port": in.Port}
	if in.Listen != "" {
		doc["listen"] = in.Listen
	}
	for _, part := range []struct {
		field, text string
		allowed     fields
	}{
		{"settings", in.Settings, settingsFields[in.Protocol]},
		{"streamSettings", in.StreamSettings, streamFields},
		{"sniffing", in.Sniffing, sniffingFields},
	} {
		sub, err := parseObject(part.field, part.text)
		if err != nil {
			return nil, err
		}
		if part.field == "settings" {
			if err := checkNoUsers(sub); err != nil {
				return nil, err
			}
		}
		if err := w.object(part.field, sub, part.allowed); err != nil {
			return nil, err
		}
		doc[part.field] = sub
	}
	settings := doc["settings"].(map[string]any)
	if err := checkSettings(in, settings); err != nil {
		return nil, err
	}
	if err := checkStream(in, doc["streamSettings"].(map[string]any)); err != nil {
		return nil, err
	}
	if in.Protocol == domain.Shadowsocks && domain.ShadowsocksKeySize(in.Method()) > 0 {
		// Without a user the core would build the inbound that has one password for everybody.
		settings["clients"] = []any{map[string]any{"password": settings["password"]}}
	} else {
		settings["clients"] = []any{}
	}
	return doc, nil
}

// checkNoUsers refuses users in the settings: they are rows of their own, and the gate would not know these.
func checkNoUsers(settings map[string]any) error {
	for name := range settings {
		if strings.EqualFold(name, "clients") || strings.EqualFold(name, "users") {
			return domain.Invalid("settings."+name, "is not a setting of an inbound: users are attached to it")
		}
	}
	return nil
}

// checkSettings refuses what would be built and would then serve nobody.
func checkSettings(in *domain.Inbound, settings map[string]any) error {
	if in.Protocol != domain.Shadowsocks {
		return nil
	}
	method := in.Method()
	if size := domain.ShadowsocksKeySize(method); size > 0 {
		password, _ := settings["password"].(string)
		if key, err := base64.StdEncoding.DecodeString(password); err != nil || len(key) != size {
			return domain.Invalid("settings.password", fmt.Sprintf("must be %d bytes in base64 for %s", size, method))
		}
		return nil
	}
	if method == "2022-blake3-chacha20-poly1305" {
		return domain.Invalid("settings.method", method+" is not served: the core has no users for it")
	}
	if _, ok := domain.NormalMethod(method); !ok {
		return domain.Invalid("settings.method", fmt.Sprintf("%q is not a method of the core", method))
	}
	return nil
}

// checkStream refuses transports that the core would build but never bring up.
func checkStream(in *domain.Inbound, doc map[string]any) error {
	s, err := in.Stream()
	if err != nil {
		return err
	}
	reality, _ := doc["realitySettings"].(map[string]any)
	certificates, _ := doc["tlsSettings"].(map[string]any)
	list, _ := certificates["certificates"].([]any)
	switch {
	case (in.Protocol == domain.Hysteria) != (s.Network == "hysteria"):
		return domain.Invalid("streamSettings.network", "hysteria and the protocol hysteria go together")
	case s.Network == "hysteria" && s.Security != "tls":
		return domain.Invalid("streamSettings.security", "must be tls on a hysteria inbound")
	case s.Security == "tls" && len(list) == 0:
		return domain.Invalid("streamSettings.tlsSettings.certificates", "is required by the security tls")
	case s.Security == "reality" && reality["target"] == nil && reality["dest"] == nil:
		return domain.Invalid("streamSettings.realitySettings.target", "is required by the security reality")
	}
	return nil
}

// checkCertificates refuses pairs that the core would load and then fail every handshake with.
func checkCertificates(cfg *xcore.InboundHandlerConfig) error {
	receiver, err := cfg.ReceiverSettings.GetInstance()
	if err != nil {
		return domain.Invalid("", "the inbound can not be used").Because(err)
	}
	for _, security := range receiver.(*proxyman.ReceiverConfig).GetStreamSettings().GetSecuritySettings() {
		settings, err := security.GetInstance()
		if err != nil {
			return domain.Invalid("", "the inbound can not be used").Because(err)
		}
		c, ok := settings.(*xtls.Config)
		if !ok {
			continue
		}
		for i, pair := range c.Certificate {
			if pair.Usage != xtls.Certificate_ENCIPHERMENT {
				continue
			}
			if _, err := tls.X509KeyPair(bytes.TrimSpace(pair.Certificate), bytes.TrimSpace(pair.Key)); err != nil {
				at := fmt.Sprintf("streamSettings.tlsSettings.certificates[%d]", i)
				return domain.Invalid(at, "is not a certificate with its key").Because(err)
			}
		}
	}
	return nil
}

// ss2022Config returns the shadowsocks 2022 settings of a built inbound, nil for every other inbound.
func ss2022Config(cfg *xcore.InboundHandlerConfig) (*shadowsocks_2022.MultiUserServerConfig, error) {
	if cfg.ProxySettings.Type != serial.GetMessageType(&shadowsocks_2022.MultiUserServerConfig{}) {
		return nil, nil
	}
	settings, err := cfg.ProxySettings.GetInstance()
	if err != nil {
		return nil, err
	}
	return settings.(*shadowsocks_2022.MultiUserServerConfig), nil
}
