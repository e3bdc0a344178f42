package directory

import (
	"bytes"
	"strings"
	"testing"

	"github.com/sluicehq/sluice/kernel/domain"
)

func TestEntry(t *testing.T) {
	for _, c := range []struct{ name, username, key, sub, note string }{
		{"key is the username", "alice", "alice", "s1", "note"},
		{"key differs", "Zoë", "zoë", "s1", ""},
		{"sub id differs", "zoë", "zoë", "SUB", "note"},
		{"all differ", "Zoë", "zoë", "SUB", "Нота"},
		{"only the note differs, and is long", "zoë", "zoë", "s1", strings.Repeat("N", 200)},
		{"nothing", "", "", "", ""},
		{"long", strings.Repeat("Ж", 128), strings.Repeat("ж", 128), strings.Repeat("s", 128), strings.Repeat("n", 70_000)},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := makeEntry([]byte("written over"), 77, c.username, c.key, c.sub, c.note)
			if next := append(e[:len(e):len(e)], "the next entry"...); next.slot() != 77 || next.size() != len(e) {
				t.Errorf("slot %d, size %d, want 77, %d", next.slot(), next.size(), len(e))
			}
			if string(e.key()) != c.key || string(e.name()) != c.username || string(e.sub()) != c.sub {
				t.Errorf("key %q, name %q, sub %q", e.key(), e.name(), e.sub())
			}
			if name, sub, note := e.strings(); name != c.username || sub != c.sub || note != c.note {
				t.Errorf("strings %q, %q, %q", name, sub, note)
			}
			for _, text := range []string{c.username, c.sub, c.note} {
				if !e.contains([]byte(domain.NameKey(text)), 0, true) {
					t.Errorf("%q is not found", text)
				}
			}
		})
	}
}

// A needle is in one of the texts that are searched. What stands between and behind them is not.
func TestEntryContains(t *testing.T) {
	e := makeEntry(nil, 'a', "Bob", "bob", "sub", "c\x03d") // its slot and its lengths are letters and numbers as well
	for needle, want := range map[string]bool{
		"bob": true, "ob": true, "ub": true, "c\x03d": true, "": true,
		"a": false, "b\x03s": false, "bobs": false, "Bob": false, "\x03s": false, "subc": false, "a\x00": false,
	} {
		for _, hit := range []int{0, max(0, bytes.Index(e, []byte(needle)))} {
			if got := e.contains([]byte(needle), hit, true); got != want {
				t.Errorf("%q, seen at %d: %v, want %v", needle, hit, got, want)
			}
		}
	}
}
