package external

import (
	"encoding/json"
	"maps"
	"strings"
	"testing"
)

func TestRename(t *testing.T) {
	for _, c := range []struct{ name, link, want string }{
		{"a name", "vless://u@h:1?a=b#old", "vless://u@h:1?a=b#new%20old"},
		{"no name", "vless://u@h:1?a=b", "vless://u@h:1?a=b#new%20"},
		{"an empty name", "ss://YTpi@h:1#", "ss://YTpi@h:1#new%20"},
		{"an encoded name", "trojan://p@h:1#%F0%9F%87%A9%F0%9F%87%AA%20DE", "trojan://p@h:1#new%20%F0%9F%87%A9%F0%9F%87%AA%20DE"},
		{"a name that is not encoded", "trojan://p@h:1#🇩🇪 DE 100%", "trojan://p@h:1#new%20%F0%9F%87%A9%F0%9F%87%AA%20DE%20100%25"},
		{"a name with a #", "wg://k@h:1#a#b", "wg://k@h:1#new%20a%23b"},
		{"vmess as a URL", "vmess://u@h:1#old", "vmess://u@h:1#new%20old"},
	} {
		if got := rename(c.link, func(name string) string { return "new " + name }); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

// The name of an old vmess link is in its object, of which the rest stays as it is.
func TestRenameVMess(t *testing.T) {
	for _, c := range []struct{ name, object, want string }{
		{"a name", `{"v":"2","ps":"old","add":"h","port":443,"aid":"0"}`, "new old"},
		{"no name", `{"v":"2","add":"h","port":443,"aid":"0"}`, "new "},
		{"a name that is none", `{"v":"2","ps":7,"add":"h","port":443,"aid":"0"}`, "new "},
	} {
		got := rename("vmess://"+inBase64(c.object)+"#ignored", func(name string) string { return "new " + name })
		var want, have map[string]any
		if err := json.Unmarshal([]byte(c.object), &want); err != nil {
			t.Fatal(err)
		}
		want["ps"] = c.want
		text, ok := decodeBase64(strings.TrimPrefix(got, "vmess://"))
		if err := json.Unmarshal([]byte(text), &have); !ok || err != nil || !maps.Equal(have, want) {
			t.Errorf("%s: %s is %s, %v", c.name, got, text, err)
		}
	}
}
