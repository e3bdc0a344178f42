package plugin

import (
	"crypto/ed25519"
	"encoding/base64"
	"fmt"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/sluicehq/sluice/kernel/domain"
	w "github.com/sluicehq/sluice/kernel/plugin/internal/wasmtest"
	"github.com/sluicehq/sluice/kernel/plugin/signature"
	"github.com/sluicehq/sluice/sdk/wire"
)

// policyBook is what the operator has said, to be changed in a test.
type policyBook struct {
	mu   sync.Mutex
	said map[string]domain.PluginPolicy
}

func (b *policyBook) of(name string) domain.PluginPolicy {
	b.mu.Lock()
	defer b.mu.Unlock()
	p := b.said[name]
	p.Name = name
	return p
}

func (b *policyBook) say(name string, p domain.PluginPolicy) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.said == nil {
		b.said = map[string]domain.PluginPolicy{}
	}
	b.said[name] = p
}

// asking is a plugin named hook that handles events and asks for permissions.
func asking(version, permissions string) []byte {
	return guest{
		manifest: fmt.Sprintf(`{"abi":1,"name":"hook","version":%q,"provides":[{"kind":"event","id":"e","events":["*"]}],"permissions":[%s]}`, version, permissions),
		unknown:  [][]byte{when(wire.OpEvent, w.Const64(0)), packed(atError, 9, true)},
	}.wasm()
}

const (
	wantsKV = `{"name":"kv","reason":"counts"}`
	wantsA  = `{"name":"http","reason":"calls","hosts":["a.example.com"]}`
	wantsAB = `{"name":"http","reason":"calls","hosts":["a.example.com","b.example.com:8443"]}`
	wantsIt = `{"name":"http","reason":"calls","hosts":["*"]}`
)

func kv() domain.PluginGrant { return domain.PluginGrant{Name: wire.PermissionKV} }

func hosts(list ...string) domain.PluginGrant {
	return domain.PluginGrant{Name: wire.PermissionHTTP, Hosts: list}
}

func TestGrants(t *testing.T) {
	key := ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))
	signer := base64.StdEncoding.EncodeToString(key.Public().(ed25519.PublicKey))
	for name, c := range map[string]struct {
		asks   string
		trust  string // hash, signer; with "other" in front: of something else; "" = of nothing
		grants []domain.PluginGrant
		waits  string // what it waits for, "" = it serves
		has    string // what it was granted in the end
	}{
		"asks for nothing":               {asks: ""},
		"asks for nothing, is given":     {trust: "hash", grants: []domain.PluginGrant{kv(), hosts("a.example.com")}},
		"nothing granted":                {asks: wantsKV, trust: "hash", waits: "kv, the key-value store"},
		"granted to nobody":              {asks: wantsKV, grants: []domain.PluginGrant{kv()}, waits: "kv, the key-value store"},
		"granted":                        {asks: wantsKV, trust: "hash", grants: []domain.PluginGrant{kv()}, has: "[{kv []}]"},
		"granted to another file":        {asks: wantsKV, trust: "other hash", grants: []domain.PluginGrant{kv()}, waits: "kv, the key-value store"},
		"granted to the signer":          {asks: wantsKV, trust: "signer", grants: []domain.PluginGrant{kv()}, has: "[{kv []}]"},
		"granted to another signer":      {asks: wantsKV, trust: "other signer", grants: []domain.PluginGrant{kv()}, waits: "kv, the key-value store"},
		"one of two":                     {asks: wantsKV + "," + wantsA, trust: "hash", grants: []domain.PluginGrant{kv()}, waits: "http to a.example.com", has: "[{kv []}]"},
		"both":                           {asks: wantsKV + "," + wantsA, trust: "hash", grants: []domain.PluginGrant{kv(), hosts("a.example.com")}, has: "[{kv []} {http [a.example.com]}]"},
		"fewer hosts to a file":          {asks: wantsAB, trust: "hash", grants: []domain.PluginGrant{hosts("a.example.com")}, has: "[{http [a.example.com]}]"},
		"fewer hosts to a signer":        {asks: wantsAB, trust: "signer", grants: []domain.PluginGrant{hosts("a.example.com")}, waits: "http to b.example.com:8443", has: "[{http [a.example.com]}]"},
		"all hosts to a signer":          {asks: wantsAB, trust: "signer", grants: []domain.PluginGrant{hosts("a.example.com", "b.example.com:8443")}, has: "[{http [a.example.com b.example.com:8443]}]"},
		"more hosts than asked for":      {asks: wantsA, trust: "signer", grants: []domain.PluginGrant{hosts("a.example.com", "c.example.com")}, has: "[{http [a.example.com]}]"},
		"other hosts than asked for":     {asks: wantsAB, trust: "hash", grants: []domain.PluginGrant{hosts("c.example.com")}, waits: "http to a.example.com, b.example.com:8443"},
		"any host":                       {asks: wantsIt, trust: "hash", waits: "http to a host of the operator's choice"},
		"any host, chosen":               {asks: wantsIt, trust: "signer", grants: []domain.PluginGrant{hosts("c.example.com")}, has: "[{http [c.example.com]}]"},
		"any host, and all of them":      {asks: wantsIt, trust: "hash", grants: []domain.PluginGrant{hosts("*")}, waits: "http to a host of the operator's choice"},
		"a permission that is not asked": {asks: wantsKV, trust: "hash", grants: []domain.PluginGrant{kv(), hosts("a.example.com")}, has: "[{kv []}]"},
	} {
		t.Run(name, func(t *testing.T) {
			wasm := signature.Sign(asking("1", c.asks), key)
			policy := domain.PluginPolicy{Grants: c.grants}
			other, trust, _ := strings.Cut(c.trust, " ")
			if policy.Trust = trust; trust == "" {
				policy.Trust, other = other, ""
			}
			policy.Trusted = map[string]string{domain.TrustHash: digest(wasm), domain.TrustSigner: signer}[policy.Trust]
			if other != "" {
				policy.Trusted = strings.ToUpper(policy.Trusted) + "x"
			}
			h, _ := openHost(t, Options{Policy: func(string) domain.PluginPolicy { return policy }})
			load(t, h, "hook.wasm", wasm)
			info := h.Plugins()[0]
			state, reason := StateLoaded, ""
			if c.waits != "" {
				state, reason = StateWaiting, "it waits for the operator to grant "+c.waits
			}
			if c.has == "" {
				c.has = "[]"
			}
			if info.State != state || info.Reason != reason || fmt.Sprint(info.Granted) != c.has || info.Signer != signer {
				t.Errorf("state %s (%s), granted %v, signer %s; want %s (%s), %s", info.State, info.Reason, info.Granted, info.Signer, state, reason, c.has)
			}
			if served := len(h.Items(wire.KindEvent)) == 1; served == (c.waits != "") || (info.Waiting != nil) == served {
				t.Errorf("it serves: %t, waiting %+v", served, info.Waiting)
			}
		})
	}
}

func TestPermissionsInManifests(t *testing.T) {
	h, _ := openHost(t, Options{})
	format := `{"abi":1,"name":"a","version":"1","provides":[{"kind":"event","id":"e","events":["*"]},{"kind":"period","id":"p"}],"permissions":[` + wantsKV + `]}`
	for name, c := range map[string]struct {
		wasm []byte
		want string
	}{
		"unknown":       {asking("1", `{"name":"files","reason":"r"}`), `asks for the unknown permission "files"`},
		"twice":         {asking("1", wantsKV+","+wantsKV), "asks for the permission kv twice"},
		"no reason":     {asking("1", `{"name":"kv"}`), "does not say in one line of at most 300 bytes why it asks for the permission kv"},
		"long reason":   {asking("1", `{"name":"kv","reason":"`+strings.Repeat("x", 301)+`"}`), "does not say in one line of at most 300 bytes why it asks for the permission kv"},
		"no host":       {asking("1", `{"name":"http","reason":"r"}`), "names 0 hosts for the permission http; it takes 1 to 20"},
		"hosts of kv":   {asking("1", `{"name":"kv","reason":"r","hosts":["a"]}`), "names hosts for the permission kv"},
		"a wildcard":    {asking("1", `{"name":"http","reason":"r","hosts":["*.example.com"]}`), `asks for http to "*.example.com"; it takes host names in lower case, with a port or without`},
		"a URL":         {asking("1", `{"name":"http","reason":"r","hosts":["https://a.example.com/"]}`), `asks for http to "https://a.example.com/"; it takes host names in lower case, with a port or without`},
		"capitals":      {asking("1", `{"name":"http","reason":"r","hosts":["A.example.com"]}`), `asks for http to "A.example.com"; it takes host names in lower case, with a port or without`},
		"another kind":  {guest{manifest: format}.wasm(), "asks for the permission kv but provides period p: only plugins that handle events, and nothing else, are given permissions"},
		"unknown field": {asking("1", `{"name":"kv","reason":"r","quota":1}`), `is not readable: json: unknown field "quota"`},
	} {
		t.Run(name, func(t *testing.T) {
			check(t, h.Load(background, "x.wasm", c.wasm), nil, "plugin x.wasm is refused: its manifest "+c.want)
		})
	}
}

func TestReaches(t *testing.T) {
	g := grants{hosts: []string{"a.example.com", "b.example.com:8443", "c.example.com:443", "i.example.com"}}
	for address, want := range map[string]bool{
		"https://a.example.com/": true, "http://a.example.com/x": true, "https://a.example.com:443/": true, "http://a.example.com:80/": true,
		"https://A.Example.com/": true, "http://a.example.com:443/": false, "https://a.example.com:80/": false, "https://a.example.com:8443/": false,
		"https://a.example.com./": false, "https://a.example.com.evil.org/": false, "https://evil.org/a.example.com": false,
		"https://b.example.com:8443/": true, "https://b.example.com/": false, "https://c.example.com/": true, "http://c.example.com/": false,
		"http://c.example.com:443/": true, "https://c.example.com:80/": false,
		"https://\u0130.example.com/": false, // a small i in lower case, another name when it is looked up
	} {
		u, err := url.Parse(address)
		if err != nil {
			t.Fatal(err)
		}
		if got := g.reaches(u); got != want {
			t.Errorf("%s: %t", address, got)
		}
	}
}

// A version that asks for more waits while the old one serves, and enters when it was granted.
func TestANewVersionWaits(t *testing.T) {
	var book policyBook
	var told []Notice
	h, _ := openHost(t, Options{Policy: book.of, OnNotice: func(n Notice) { told = append(told, n) }})
	handles := func(want bool) {
		t.Helper()
		if err := h.Event(background, &wire.EventRequest{ID: "e"}); (err == nil) != want {
			t.Errorf("the event is handled with %v", err)
		}
	}
	shown := func(version string, state State, waiting string) Info {
		t.Helper()
		info := h.Plugins()[0]
		next := ""
		if info.Waiting != nil {
			next = info.Waiting.Version
		}
		if len(h.Plugins()) != 1 || info.Version != version || info.State != state || next != waiting {
			t.Errorf("version %s is %s and %s waits, want %s, %s, %s", info.Version, info.State, next, version, state, waiting)
		}
		return info
	}
	v1, v2, v3 := asking("1", ""), asking("2", wantsKV), asking("3", wantsKV+","+wantsA)
	load(t, h, "hook.wasm", v1)
	handles(true)
	load(t, h, "hook.wasm", v2)
	info := shown("1", StateLoaded, "2")
	if w := info.Waiting; w.SHA256 != digest(v2) || len(w.Permissions) != 1 || w.Permissions[0].Reason != "counts" ||
		w.Reason != "it waits for the operator to grant kv, the key-value store" || info.SHA256 != digest(v1) {
		t.Errorf("waiting %+v", w)
	}
	handles(true)
	apply := func(p domain.PluginPolicy) {
		t.Helper()
		book.say("hook", p)
		if err := h.Apply(background, "hook"); err != nil {
			t.Error(err)
		}
	}
	apply(domain.PluginPolicy{Trust: domain.TrustHash, Trusted: digest(v2), Grants: []domain.PluginGrant{kv()}})
	shown("2", StateLoaded, "")
	load(t, h, "hook.wasm", v3) // another file, and more
	load(t, h, "hook.wasm", v3)
	shown("2", StateLoaded, "3")
	handles(true)
	apply(domain.PluginPolicy{Trust: domain.TrustHash, Trusted: digest(v3), Grants: []domain.PluginGrant{kv()}}) // too little
	info = shown("3", StateWaiting, "3")
	if !strings.Contains(info.Reason, "http to a.example.com") { // and the old one has lost what it had
		t.Errorf("reason %q", info.Reason)
	}
	handles(false)
	apply(domain.PluginPolicy{Trust: domain.TrustHash, Trusted: digest(v3), Grants: []domain.PluginGrant{kv(), hosts("a.example.com")}})
	shown("3", StateLoaded, "")
	handles(true)
	apply(domain.PluginPolicy{}) // everything is taken away
	shown("3", StateWaiting, "3")
	handles(false)
	load(t, h, "hook.wasm", v1) // less asked for: it just loads
	shown("1", StateLoaded, "")
	handles(true)
	var kinds []string
	for _, n := range told {
		kinds = append(kinds, n.Type+" "+n.Version)
	}
	expect(t, kinds, "plugin.loaded 1", "plugin.loaded 2", "plugin.loaded 3", "plugin.loaded 1")
	h.retiring.Wait()
}
