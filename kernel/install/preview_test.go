package install

import (
	"encoding/base64"
	"strings"
	"testing"
)

func TestReadable(t *testing.T) {
	long := strings.Repeat("x", maxShown-1)
	for name, c := range map[string]struct{ body, want string }{
		"nothing":                 {"", ""},
		"text":                    {"a\n", "a\n"},
		"base64":                  {base64.StdEncoding.EncodeToString([]byte("vless://a\n")) + "\n", "vless://a\n"},
		"a picture":               {"\x89PNG", "(not text)\n"},
		"a picture in base64":     {base64.StdEncoding.EncodeToString([]byte("\x89PNG")), base64.StdEncoding.EncodeToString([]byte("\x89PNG"))},
		"as long as is shown":     {long + "\n", long + "\n"},
		"longer":                  {long + "\n\n\n", long + "\n\n(2 bytes more)\n"},
		"longer, cut in a letter": {long + "é", long + "\n(1 bytes more)\n"},
		"longer, in base64":       {base64.StdEncoding.EncodeToString([]byte(long + "\n!")), long + "\n\n(1 bytes more)\n"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := readable([]byte(c.body)); got != c.want {
				t.Errorf("%d bytes that end in %q", len(got), got[max(0, len(got)-40):])
			}
		})
	}
}
