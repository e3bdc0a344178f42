package pasarguard

import "github.com/sluicehq/sluice/kernel/domain"

// What is said of a method and a flow that there are not.
const (
	methodFault = "Input should be 'aes-128-gcm', 'aes-256-gcm', 'chacha20-ietf-poly1305' or 'xchacha20-poly1305'"
	flowFault   = "Input should be 'none' or 'xtls-rprx-vision'"
)

// methodNames are this dialect's spellings of shadowsocks methods, where they are not the usual ones.
var methodNames = map[string]string{"xchacha20-ietf-poly1305": "xchacha20-poly1305"}

// shownMethod is PasarGuard's spelling of a method, nil = none is set.
func shownMethod(method *string) *string {
	if method == nil {
		return nil
	}
	if name, other := methodNames[*method]; other {
		return &name
	}
	return method
}

// givenMethod is the method that a caller names in any of its spellings (decisions.md D7), nil for nil; ok is false for
// one that the core does not have.
func givenMethod(name *string) (method *string, ok bool) {
	if name == nil {
		return nil, true
	}
	normal, ok := domain.NormalMethod(*name)
	return &normal, ok
}

// givenFlow is the flow that a caller names, nil for nil: none is another word for the empty one (decisions.md D6). ok is
// false for one that the core does not have.
func givenFlow(name *string) (flow *string, ok bool) {
	switch {
	case name == nil || *name == "" || *name == domain.FlowVision:
		return name, true
	case *name == "none":
		return new(string), true
	}
	return nil, false
}
