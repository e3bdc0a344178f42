package text_test

import (
	"bytes"
	"encoding/json"
	"net/url"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/sluicehq/sluice/plugins/text"
)

// every has each character that is special somewhere, at each place of a group of four.
func every() []string {
	var all []string
	for r := range rune(0x180) {
		all = append(all, string(r), "a"+string(r)+"b", "abc"+string(r)+"defgh")
	}
	for _, r := range []rune{0x2027, 0x2028, 0x2029, 0x202a, 0xfefe, 0xfeff, 0xfffd, 0xfffe, 0xffff, 0x10000, 0x1f1e9, 0x10ffff} {
		all = append(all, string(r), strings.Repeat(string(r), 5))
	}
	return append(all, "", "\xff", "a\xc3", "\xf0\x9f\x87", "\xed\xa0\x80", strings.Repeat("\x01", 3000))
}

func TestQuoteIsJSONAndYAML(t *testing.T) {
	var w text.Writer
	for _, s := range every() {
		w.N = 0
		w.Quote(s)
		want := string([]rune(s)) // what is not UTF-8 becomes U+FFFD
		var fromJSON, fromYAML string
		if err := json.Unmarshal(w.Buf[:w.N], &fromJSON); err != nil || fromJSON != want {
			t.Errorf("JSON: %q became %s, read as %q, %v", s, w.Buf[:w.N], fromJSON, err)
		}
		if err := yaml.Unmarshal(w.Buf[:w.N], &fromYAML); err != nil || fromYAML != want {
			t.Errorf("YAML: %q became %s, read as %q, %v", s, w.Buf[:w.N], fromYAML, err)
		}
	}
}

func TestQuoteLeavesTextReadable(t *testing.T) {
	var w text.Writer
	w.Quote("🇩🇪 Zürich/語 <b>")
	if got := string(w.Buf[:w.N]); got != `"🇩🇪 Zürich/語 <b>"` {
		t.Errorf("got %s", got)
	}
}

func TestEscape(t *testing.T) {
	var w text.Writer
	for _, s := range every() {
		w.N = 0
		w.Escape(s)
		if got, err := url.PathUnescape(string(w.Buf[:w.N])); err != nil || got != s {
			t.Errorf("%q became %s, read as %q, %v", s, w.Buf[:w.N], got, err)
		}
		if want := strings.ReplaceAll(url.QueryEscape(s), "+", "%20"); string(w.Buf[:w.N]) != want {
			t.Errorf("%q: got %s, want %s", s, w.Buf[:w.N], want)
		}
	}
}

// TestTextStaysInItsRoom puts every character at every place of texts of all lengths around eight, and writes them where
// there is not a byte more room than promised.
func TestTextStaysInItsRoom(t *testing.T) {
	const slack = 16
	for _, c := range every()[:3*0x180] {
		for before := range 17 {
			for _, behind := range []int{0, 1, 7, 8} {
				s := strings.Repeat("a", before) + c + strings.Repeat("~", behind)
				buf := append([]byte("#"), make([]byte, 3*len(s)+slack)...)
				got := string(buf[:text.EscapeTo(buf, 1, s)])
				if want := "#" + strings.ReplaceAll(url.QueryEscape(s), "+", "%20"); got != want {
					t.Errorf("%q: got %s, want %s", s, got, want)
				}
				buf = append([]byte("#"), make([]byte, 2+6*len(s)+slack)...)
				var back string
				if err := json.Unmarshal(buf[1:text.QuoteTo(buf, 1, s)], &back); err != nil || back != s || buf[0] != '#' {
					t.Errorf("%q: got %q, %v", s, back, err)
				}
			}
		}
	}
}

func TestMembers(t *testing.T) {
	var w text.Writer
	w.Open('{')
	w.Optional(`"none":`, "")
	w.Number(`"zero":`, 0)
	w.True(`"false":`, false)
	w.List(`"nothing":`)
	w.Member(`"a":`, "")
	w.Optional(`"b":`, "x")
	w.Number(`"c":`, 4294967295)
	w.True(`"d":`, true)
	w.List(`"e":`, "1", "2")
	w.Key(`"f":`)
	w.Open('{')
	w.Close('}')
	w.Key(`"g":`)
	w.Uint(0)
	w.Close('}')
	want := `{"a":"","b":"x","c":4294967295,"d":true,"e":["1","2"],"f":{},"g":0}`
	if got := string(w.Buf[:w.N]); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// TestPartsStay holds parts while the buffer grows under them.
func TestPartsStay(t *testing.T) {
	var w text.Writer
	w.Str("not a part")
	w.Begin()
	var parts [][]byte
	for i := range 500 {
		parts = append(parts, w.Literal(strings.Repeat(string(rune('a'+i%26)), i)))
	}
	for i, part := range parts {
		if want := bytes.Repeat([]byte{byte('a' + i%26)}, i); !bytes.Equal(part, want) {
			t.Fatalf("part %d: got %q, want %q", i, part, want)
		}
	}
	_ = append(parts[1], "overwritten"...)
	if string(parts[2]) != "cc" {
		t.Errorf("appending to a part changed the next: %q", parts[2])
	}
}
