package core

import "github.com/sluicehq/sluice/kernel/domain"

// What an inbound and a base configuration may say. It is written out by hand, so that an update of the core can not
// open a field that nobody has looked at; schema_test.go names the fields of the core that are left out on purpose.
// Names: infra/conf of xray-core.

// settingsFields are the fields of an inbound's settings. 3x-ui sends more than the core knows: that is dropped.
var settingsFields = map[domain.Protocol]fields{
	domain.VLESS: {
		"decryption": value, "fallbacks": list(fallbackFields),
		"encryption": unused, "selectedAuth": unused, "testseed": unused,
	},
	domain.VMess:       {"default": unused, "disableInsecureEncryption": unused},
	domain.Trojan:      {"fallbacks": list(fallbackFields)},
	domain.Shadowsocks: values("method password network").with(fields{"ivCheck": unused, "email": unused, "level": unused}),
	domain.Hysteria:    values("version"),
}

// fallbackFields: the type is worked out from dest by the core; given by hand it could make a path of an address.
var fallbackFields = values("name alpn path xver").with(fields{"dest": target, "type": unused})

var sniffingFields = values("enabled destOverride domainsExcluded ipsExcluded metadataOnly routeOnly")

// streamFields are the transport of an inbound.
var streamFields = transportFields.with(fields{
	"tlsSettings":     object(tlsFields.with(fields{"settings": unused, "allowInsecure": unused, "echForceQuery": unused})),
	"realitySettings": object(realityFields),
	"externalProxy":   unused,
})

// outboundStreamFields are the transport of an outbound.
var outboundStreamFields = transportFields.with(fields{
	"tlsSettings":     object(tlsFields),
	"realitySettings": object(values("show fingerprint serverName password publicKey shortId mldsa65Verify spiderX")),
})

var transportFields = values("network security").with(fields{
	"rawSettings":         object(rawFields),
	"tcpSettings":         object(rawFields),
	"wsSettings":          object(values("host path headers acceptProxyProtocol heartbeatPeriod")),
	"httpupgradeSettings": object(values("host path headers acceptProxyProtocol")),
	"grpcSettings":        object(grpcFields),
	"xhttpSettings":       object(xhttpFields),
	"splithttpSettings":   object(xhttpFields),
	"kcpSettings":         object(kcpFields),
	"hysteriaSettings":    object(hysteriaFields),
	"sockopt":             object(sockoptFields),
	"finalmask":           object(finalmaskFields),
})

var rawFields = values("acceptProxyProtocol").with(fields{
	"header": object(fields{
		"type":     value,
		"request":  object(values("version method path headers")),
		"response": object(values("version status reason headers")),
	}),
})

// kcpFields: the core has dropped the unused ones; scripts still send them.
var kcpFields = values("mtu tti uplinkCapacity downlinkCapacity cwndMultiplier maxSendingWindow").with(fields{
	"congestion": unused, "readBufferSize": unused, "writeBufferSize": unused,
})

var grpcFields = values(`authority serviceName multiMode idle_timeout health_check_timeout permit_without_stream
	initial_windows_size user_agent`)

// extra holds the same fields once more; downloadSettings is a whole transport of a client and means nothing here.
var (
	xhttpExtraFields = values(`host path mode headers xPaddingBytes xPaddingObfsMode xPaddingKey xPaddingHeader
		xPaddingPlacement xPaddingMethod uplinkHTTPMethod sessionIDPlacement sessionIDKey sessionIDTable sessionIDLength
		seqPlacement seqKey uplinkDataPlacement uplinkDataKey uplinkChunkSize noGRPCHeader noSSEHeader scMaxEachPostBytes
		scMinPostsIntervalMs scMaxBufferedPosts scStreamUpServerSecs serverMaxHeaderBytes`).with(fields{
		"xmux": object(values(`maxConcurrency maxConnections cMaxReuseTimes hMaxRequestTimes hMaxReusableSecs
			hKeepAlivePeriod`)),
		"downloadSettings": unused,
		"enableXmux":       unused,
	})
	xhttpFields = xhttpExtraFields.with(fields{"extra": object(xhttpExtraFields)})
)

var hysteriaFields = values("version auth congestion up down udpIdleTimeout").with(fields{
	"udphop": object(values("ports interval")),
	"masquerade": object(values("type url rewriteHost insecure content headers statusCode").with(fields{
		"dir": file,
	})),
})

var sockoptFields = values(`mark tcpFastOpen tproxy acceptProxyProtocol domainStrategy dialerProxy tcpKeepAliveInterval
	tcpKeepAliveIdle tcpCongestion tcpWindowClamp tcpMaxSeg penetrate tcpUserTimeout v6only interface tcpMptcp customSockopt
	addressPortStrategy happyEyeballs trustedXForwardedFor`)

// finalmaskFields leave out the mask "realm", which calls a server of somebody else, by its fields, and the switch that
// writes to the environment.
var finalmaskFields = fields{
	"tcp": list(maskFields),
	"udp": list(maskFields),
	"quicParams": object(values(`congestion bbrProfile brutalUp brutalDown initStreamReceiveWindow maxStreamReceiveWindow
		initConnectionReceiveWindow maxConnectionReceiveWindow maxIdleTimeout keepAlivePeriod disablePathMTUDiscovery
		maxIncomingStreams`).with(fields{"udpHop": object(values("ports interval")), "debug": blank})),
}

var maskFields = fields{
	"type": value,
	"settings": object(values(`clients servers errors packets length delay lengths delays maxSplit reset noise mode client
		server header value password packetSize ascii customTable custom_table customTables custom_tables paddingMin
		padding_min paddingMax padding_max domain domains resolvers hostname profiles dgram ips`)),
}

var tlsFields = values(`serverName alpn enableSessionResumption disableSystemRoot minVersion maxVersion cipherSuites
	fingerprint rejectUnknownSni curvePreferences pinnedPeerCertSha256 verifyPeerCertByName echServerKeys
	echConfigList`).with(fields{
	"certificates": list(values("certificate key usage ocspStapling oneTimeLoading buildChain").with(fields{
		"certificateFile": file,
		"keyFile":         file,
	})),
	"masterKeyLog": blank, // a file that would hold every session key
})

var limitFallbackFields = values("afterBytes bytesPerSec burstBytesPerSec")

// realityFields are the server's; 3x-ui keeps the client's in settings, some scripts put them beside. minClient and
// maxClient are what older versions of it called the limits that the core has never read under these names.
var realityFields = values("show xver serverNames privateKey minClientVer maxClientVer maxTimeDiff shortIds mldsa65Seed").with(fields{
	"target": target, "dest": target, "type": unused,
	"limitFallbackUpload": object(limitFallbackFields), "limitFallbackDownload": object(limitFallbackFields),
	"settings": unused, "fingerprint": unused, "serverName": unused, "password": unused, "publicKey": unused,
	"shortId": unused, "mldsa65Verify": unused, "spiderX": unused, "minClient": unused, "maxClient": unused,
	"masterKeyLog": blank,
})

// baseFields are the sections of a base configuration. Settings of outbounds name no files and are left to the core.
var baseFields = fields{
	"dns": object(values(`servers hosts clientIp tag queryStrategy disableCache serveStale serveExpiredTTL disableFallback
		disableFallbackIfMatch enableParallelQuery useSystemHosts`)),
	"routing": object(values("domainStrategy").with(fields{
		"rules": list(values(`type ruleTag outboundTag balancerTag domain domains ip port network sourceIP source sourcePort
			user vlessRoute inboundTag protocol attrs localIP localPort`)),
		"balancers": list(values("tag selector fallbackTag").with(fields{"strategy": object(values("type settings"))})),
	})),
	"policy": object(fields{
		"levels": value,
		"system": object(values("statsInboundUplink statsInboundDownlink statsOutboundUplink statsOutboundDownlink")),
	}),
	"outbounds": list(values("protocol sendThrough tag settings targetStrategy").with(fields{
		"streamSettings": object(outboundStreamFields),
		"proxySettings":  object(values("tag transportLayer")),
		"mux":            object(values("enabled concurrency xudpConcurrency xudpProxyUDP443")),
	})),
}
