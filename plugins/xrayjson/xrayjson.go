// Package xrayjson renders the JSON that apps around xray-core take as a subscription (v2rayNG, v2rayN, Happ, Streisand):
// a list of complete configurations, one for each endpoint, each with its name in "remarks".
//
// It is the one format besides links that can say all that the core can do: the streamSettings are the endpoint's own.
// Only links of others are left out. allowInsecure is not written: the core has given it up and refuses it.
package xrayjson

import (
	"strings"

	"github.com/sluicehq/sluice/plugins/profile"
	"github.com/sluicehq/sluice/sdk/wire"
)

// Format is the format.
var Format = profile.Format{Entry: entry, Document: document}

// head has the ways in on the ports that the apps expect.
const head = `"log":{"loglevel":"warning"},"dns":{"servers":["1.1.1.1","8.8.8.8"]},"inbounds":[` +
	`{"tag":"socks","listen":"127.0.0.1","port":10808,"protocol":"socks","settings":{"auth":"noauth","udp":true},` +
	`"sniffing":{"enabled":true,"destOverride":["http","tls","quic"]}},` +
	`{"tag":"http","listen":"127.0.0.1","port":10809,"protocol":"http","settings":{}}],"outbounds":[`

// tail keeps the user's own network where it is, without the geo files, which not every app has.
const tail = `,{"tag":"direct","protocol":"freedom"},{"tag":"block","protocol":"blackhole"}],` +
	`"routing":{"domainStrategy":"AsIs","rules":[{"type":"field","ip":["10.0.0.0/8","172.16.0.0/12","192.168.0.0/16",` +
	`"169.254.0.0/16","fc00::/7","fe80::/10"],"outboundTag":"direct"},` +
	`{"type":"field","network":"tcp,udp","outboundTag":"proxy"}]}}`

func document(d *profile.Document) {
	d.Byte('[')
	d.Entries(",\n", 0)
	d.Str("]\n")
}

// entry writes one configuration.
func entry(w *profile.Writer, e *wire.Endpoint) profile.Need {
	write, known := protocols[e.Protocol]
	if !known {
		return profile.Nothing
	}
	w.Open('{')
	w.Hole(`"remarks":`, profile.Name)
	w.Key(head)
	w.Open('{')
	w.Member(`"tag":`, "proxy")
	w.Member(`"protocol":`, e.Protocol)
	w.Key(`"settings":`)
	w.Open('{')
	need := write(w, e)
	w.Close('}')
	stream(w, e)
	if e.Mux != "" { // the core's mux and its flow exclude each other
		w.WithoutFlow(`"mux":`, e.Mux)
	}
	w.Close('}')
	w.Str(tail)
	return need
}

// protocols write the settings of an outbound.
var protocols = map[string]func(w *profile.Writer, e *wire.Endpoint) profile.Need{
	"vless": func(w *profile.Writer, e *wire.Endpoint) profile.Need {
		server(w, e, `"vnext":`)
		w.Key(`"users":`)
		w.Str("[")
		w.Open('{')
		w.Hole(`"id":`, profile.ID)
		w.Member(`"encryption":`, orNone(e.VLESSEncryption))
		w.FlowHole(`"flow":`)
		w.Str("}]}]")
		return profile.AnID
	},
	"vmess": func(w *profile.Writer, e *wire.Endpoint) profile.Need {
		server(w, e, `"vnext":`)
		w.Key(`"users":`)
		w.Str("[")
		w.Open('{')
		w.Hole(`"id":`, profile.ID)
		w.Hole(`"security":`, profile.Cipher)
		w.Str("}]}]")
		return profile.AnID
	},
	"trojan": func(w *profile.Writer, e *wire.Endpoint) profile.Need {
		server(w, e, `"servers":`)
		w.Hole(`"password":`, profile.Password)
		w.Str("}]")
		return profile.APassword
	},
	"shadowsocks": func(w *profile.Writer, e *wire.Endpoint) profile.Need {
		server(w, e, `"servers":`)
		w.Hole(`"method":`, profile.Method)
		w.Hole(`"password":`, profile.Secret)
		w.Str("}]")
		return profile.APassword
	},
	"hysteria": func(w *profile.Writer, e *wire.Endpoint) profile.Need {
		w.Number(`"version":`, 2)
		w.Member(`"address":`, e.Address)
		w.Number(`"port":`, e.Port)
		return profile.APassword
	},
}

// server starts the list of servers with the only one that it has. The older form with a list is the one that apps read
// the address from.
func server(w *profile.Writer, e *wire.Endpoint, key string) {
	w.Key(key)
	w.Str("[")
	w.Open('{')
	w.Member(`"address":`, e.Address)
	w.Number(`"port":`, e.Port)
}

// stream writes the streamSettings; without any the core's defaults are right.
func stream(w *profile.Writer, e *wire.Endpoint) {
	const open = `"hysteriaSettings":{`
	switch {
	case e.Protocol == "hysteria": // the user's secret is in there
		before, after, found := strings.Cut(e.StreamSettings, open)
		switch {
		case len(e.StreamSettings) <= len("{}"):
			before, after = "{", `"version":2},"network":"hysteria"}`
		case !found:
			before, after = "{", `"version":2},`+e.StreamSettings[1:]
		}
		w.Key(`"streamSettings":`)
		w.Str(before)
		w.Str(open)
		w.Sep = 0
		w.Hole(`"auth":`, profile.Password)
		if !strings.HasPrefix(after, "}") {
			w.Byte(',')
		}
		w.Str(after)
	case e.StreamSettings != "":
		w.Key(`"streamSettings":`)
		w.Str(e.StreamSettings)
	}
}

// orNone spells out the default, which the core wants spelled out.
func orNone(encryption string) string {
	if encryption == "" {
		return "none"
	}
	return encryption
}
