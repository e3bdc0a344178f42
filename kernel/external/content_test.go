package external

import (
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"testing"
)

func TestParse(t *testing.T) {
	two := link("one?>") + "\n" + link("two~~")
	want := []string{link("one?>"), link("two~~")}
	for name, body := range map[string]string{
		"lines":                      two,
		"lines of another system":    strings.ReplaceAll(two, "\n", "\r\n") + "\r\n",
		"empty lines and spaces":     "\n\n  " + strings.ReplaceAll(two, "\n", "  \n\n\t") + "\n\n",
		"byte order mark":            "\ufeff" + two,
		"other lines between":        "# provider\nSTATUS=left 3 GB\ntuic://u:p@h:1\n" + two + "\nhttps://provider.example/\nvless://\n",
		"lines that are too long":    link(strings.Repeat("x", maxValue)) + "\n" + two,
		"lines that are no text":     "vless://\x01@h:1\nvless://\xff@h:1\n" + two,
		"base64":                     base64.StdEncoding.EncodeToString([]byte(two)),
		"base64 without padding":     base64.RawStdEncoding.EncodeToString([]byte(two)),
		"URL base64":                 base64.URLEncoding.EncodeToString([]byte(two)),
		"URL base64 without padding": base64.RawURLEncoding.EncodeToString([]byte(two)),
		"base64 with a line break":   base64.StdEncoding.EncodeToString([]byte(two)) + "\n",
		"base64 in lines":            inLines(base64.StdEncoding.EncodeToString([]byte(two)), 76),
		"base64 with a mark":         "\ufeff" + base64.StdEncoding.EncodeToString([]byte(two)),
		"base64 of other lines too":  base64.StdEncoding.EncodeToString([]byte("# x\r\n" + two + "\r\n")),
	} {
		if got, err := parse(body); err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
}

func inLines(text string, width int) string {
	var b strings.Builder
	for part := range slices.Chunk([]byte(text), width) {
		b.Write(part)
		b.WriteString("\r\n")
	}
	return b.String()
}

func TestParseWhatHoldsNoLinks(t *testing.T) {
	for name, body := range map[string]string{
		"nothing":          "",
		"a page":           "<!doctype html><a href=\"https://provider.example/\">vless://u@h:1</a>",
		"Clash":            "proxies:\n- {name: a, type: vless, server: h}\n# https://example.com\n",
		"sing-box":         `{"outbounds":[{"type":"vless","server":"h"}],"url":"https://example.com"}`,
		"xray":             `[{"outbounds":[]}]`,
		"base64 of a text": base64.StdEncoding.EncodeToString([]byte("hello")),
		"half of base64":   "dmxlc3M6Ly91QGg6M",
		"binary":           "\x00\x01\x02://",
	} {
		if got, err := parse(body); err == nil || err.Error() != "the answer is not a list of share links" {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
}

func TestParseTakesTheFirstLinksOfALongList(t *testing.T) {
	var body strings.Builder
	for i := range maxLinks + 1 {
		_, _ = fmt.Fprintln(&body, link(fmt.Sprint(i)))
	}
	got, err := parse(body.String())
	if err != nil || len(got) != maxLinks || got[maxLinks-1] != link(fmt.Sprint(maxLinks-1)) {
		t.Errorf("%d links, %v", len(got), err)
	}
}

// Whatever a provider answers, what is handed on are links of one line that could have been stored by themselves, and
// that still are links with another name.
func FuzzParse(f *testing.F) {
	for _, l := range goodLinks {
		f.Add(l)
		f.Add(inBase64(l))
	}
	for _, l := range badLinks {
		f.Add(l)
	}
	f.Fuzz(func(t *testing.T, body string) {
		links, err := parse(body)
		if (err == nil) != (len(links) > 0) || len(links) > maxLinks {
			t.Fatalf("%d links, %v", len(links), err)
		}
		for _, l := range links {
			if err := checkValue("", l); err != nil {
				t.Errorf("%q: %v", l, err)
			}
			if renamed := rename(l, func(string) string { return "a # b" }); !isShareLink(renamed) || !isText(renamed) {
				t.Errorf("%q is renamed to %q", l, renamed)
			}
		}
	})
}
