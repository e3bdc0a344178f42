package core

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/jonboulle/clockwork"
	xcore "github.com/xtls/xray-core/core"
	"github.com/xtls/xray-core/infra/conf"
	"go.uber.org/zap"

	"github.com/sluicehq/sluice/kernel/domain"
)

const defaultConfig = `{
  "outbounds": [
    {"tag": "direct", "protocol": "freedom"},
    {"tag": "block", "protocol": "blackhole"}
  ],
  "routing": {
    "rules": []
  }
}
`

// DefaultConfig is the base configuration of a new installation: everything goes out directly, nothing needs a geo file,
// and the core's refusal of private targets is left on, because it also protects what listens on our own loopback.
func DefaultConfig() string { return defaultConfig }

// ownSections are the sections that Sluice writes itself, with the reason that a caller is told.
var ownSections = map[string]string{
	"inbounds": "are kept in the database and can not be part of the base configuration",
	"api":      "of the core is not served: use Sluice's own",
	"stats":    "are counted by Sluice and can not be configured",
	"log":      "is not the core's own: set the level of Sluice",
}

// CheckConfig says whether the core could run with the base configuration, by building it. Files may be named below
// certDir only. The error is a domain.Invalid whose field is the path of the value at fault.
func CheckConfig(config, certDir string) error {
	cfg, err := buildConfig(config, certDir)
	if err != nil {
		return err
	}
	if err := tryBuild(scratchGate(), cfg); err != nil {
		return domain.Invalid("", "the base configuration can not be used: "+reason(err)).Because(err)
	}
	return nil
}

// scratchGate serves parts that are built to see whether they can be.
func scratchGate() *gate { return newGate(clockwork.NewRealClock(), &tasks{log: zap.NewNop()}) }

// buildConfig turns a base configuration into the core's form, with our parts in place of the stock ones. An instance uses
// it up, so each start needs its own.
func buildConfig(config, certDir string) (*xcore.Config, error) {
	if config == "" {
		config = defaultConfig
	}
	doc, err := parseObject("", config)
	if err != nil {
		return nil, err
	}
	for _, section := range slices.Sorted(maps.Keys(doc)) {
		if why, own := ownSections[section]; own {
			return nil, domain.Invalid(section, why)
		}
	}
	w := walker{certDir: certDir, what: "the base configuration"}
	if err := w.object("", doc, baseFields); err != nil {
		return nil, err
	}
	if err := checkOutbounds(doc); err != nil {
		return nil, err
	}
	raw, err := json.Marshal(doc)
	if err != nil {
		return nil, domain.Invalid("", "the base configuration can not be used").Because(err)
	}
	return assemble(raw)
}

// outboundProtocols are what distro.go registers.
var outboundProtocols = []string{
	"freedom", "direct", "blackhole", "block", "dns", "http", "socks",
	"vless", "vmess", "trojan", "shadowsocks", "hysteria", "wireguard",
}

// checkOutbounds refuses protocols that the core knows and this build does not have, where the core would only say that
// a type is not registered.
func checkOutbounds(doc map[string]any) error {
	outbounds, _ := doc["outbounds"].([]any)
	for i, item := range outbounds {
		protocol, _ := item.(map[string]any)["protocol"].(string)
		if !slices.Contains(outboundProtocols, strings.ToLower(protocol)) {
			at := fmt.Sprintf("outbounds[%d].protocol", i)
			return domain.Invalid(at, fmt.Sprintf("%q is not served", protocol))
		}
	}
	return nil
}

// assemble builds the core's configuration from checked JSON. Whatever the policy says, users are counted.
func assemble(raw []byte) (*xcore.Config, error) {
	var c conf.Config
	if err := json.Unmarshal(raw, &c); err != nil {
		return nil, domain.Invalid("", "the base configuration can not be used: "+reason(err)).Because(err)
	}
	if len(c.OutboundConfigs) == 0 {
		return nil, domain.Invalid("outbounds", "is required: without one no connection goes anywhere")
	}
	c.Stats = &conf.StatsConfig{}
	if c.Policy == nil {
		c.Policy = &conf.PolicyConfig{}
	}
	if c.Policy.Levels == nil {
		c.Policy.Levels = map[uint32]*conf.Policy{}
	}
	if c.Policy.Levels[0] == nil { // the level of every user
		c.Policy.Levels[0] = &conf.Policy{}
	}
	c.Policy.Levels[0].StatsUserUplink, c.Policy.Levels[0].StatsUserDownlink = true, true
	if s := c.Policy.System; s != nil {
		s.StatsInboundUplink, s.StatsInboundDownlink = false, false // nobody reads them, and they slow uploads down
	}
	cfg, err := c.Build()
	if err != nil {
		return nil, domain.Invalid("", "the base configuration can not be used: "+reason(err)).Because(err)
	}
	substitute(cfg)
	return cfg, nil
}
