package guard

import (
	"net/netip"
	"testing"
)

// What the internet is made of is let through; nothing else could be shown without leaving the machine.
func TestPublicAddressesAreLetThrough(t *testing.T) {
	for _, address := range []string{
		"1.1.1.1:443", "8.8.8.8:80", "9.255.255.255:80", "11.0.0.0:80", "100.63.255.255:80", "100.128.0.0:80", "172.15.255.255:80",
		"172.32.0.0:80", "192.167.255.255:80", "192.169.0.0:80", "223.255.255.255:2096", "[2606:4700:4700::1111]:443", "[2a00:1450::1]:8443",
	} {
		if err := (Options{}).check("tcp", address, nil); err != nil {
			t.Errorf("%s: %v", address, err)
		}
	}
}

// Allow is asked about the very address, and can not be meant for another.
func TestAllow(t *testing.T) {
	o := Options{Allow: func(a netip.Addr) bool { return a == netip.MustParseAddr("::1") }}
	for address, allowed := range map[string]bool{
		"[::1]:80": true, "127.0.0.1:80": false, "[::ffff:127.0.0.1]:80": false, "1.1.1.1:80": true, "nonsense": false,
	} {
		if err := o.check("tcp", address, nil); (err == nil) != allowed {
			t.Errorf("%s: %v", address, err)
		}
	}
}
