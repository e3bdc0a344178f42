package install

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/sluicehq/sluice/kernel/domain"
	"github.com/sluicehq/sluice/sdk/wire"
)

var kv = []domain.PluginGrant{{Name: wire.PermissionKV}}

// ptr is a field of a Change.
func ptr[T any](v T) *T { return &v }

// upload installs a file, which has to work.
func (b *bench) upload(wasm []byte) {
	b.t.Helper()
	if _, err := b.Upload(b.t.Context(), wasm); err != nil {
		b.t.Fatal(err)
	}
}

// change says something about the plugin bell; the code is "" where that works.
func (b *bench) change(c Change, code domain.Code) {
	b.t.Helper()
	if _, err := b.Change(b.t.Context(), "bell", c); err == nil && code != "" || err != nil && domain.CodeOf(err) != code {
		b.t.Fatalf("change: %v, want the code %q", err, code)
	}
}

// What was granted to one file is another's only if the operator says just that.
func TestGrantsStayWithTheirFile(t *testing.T) {
	b := newBench(t)
	g, err := guests()
	if err != nil {
		t.Fatal(err)
	}
	b.upload(g.bell)
	b.change(Change{Grants: kv}, "")
	b.upload(g.newer)
	p, err := b.Find("bell")
	if err != nil || p.Waiting == nil {
		t.Fatalf("nothing waits: %v, %+v", err, p)
	}
	for name, c := range map[string]struct {
		change Change
		code   domain.Code
	}{
		"a new secret":                 {Change{Secret: true}, ""},
		"the same trust":               {Change{Trust: ptr(domain.TrustHash)}, ""},
		"what is shown of the old one": {Change{Grants: p.Granted, Trust: ptr(domain.TrustHash), SHA256: p.SHA256}, ""},
		"for a file that was there":    {Change{Grants: kv, SHA256: "00"}, domain.CodeConflict},
		"the same grant twice":         {Change{Grants: append(kv, kv...)}, domain.CodeInvalid},
		"hosts of the store":           {Change{Grants: []domain.PluginGrant{{Name: wire.PermissionKV, Hosts: []string{"a"}}}}, domain.CodeInvalid},
	} {
		t.Run(name, func(t *testing.T) {
			b.t = t
			b.change(c.change, c.code)
			if p, err := b.Find("bell"); err != nil || p.Version != "1.0.0" || p.Waiting == nil || p.Waiting.Version != "2.0.0" {
				t.Errorf("%v, %+v", err, p)
			}
		})
	}
	b.t = t
	b.change(Change{Grants: kv, SHA256: p.Waiting.SHA256}, "")
	b.want("bell.wasm bell 2.0.0 loaded")
	if err := b.Delete(t.Context(), "bell", true); err != nil {
		t.Fatal(err)
	}
	b.upload(g.bell)
	b.change(Change{Trust: ptr(domain.TrustHash)}, domain.CodeInvalid) // would be for this file
	b.want("bell.wasm bell 1.0.0 waiting")
}

// An upload takes the place of its own plugin only, whatever the files are called.
func TestUploadSparesOthers(t *testing.T) {
	b := newBench(t)
	g, err := guests()
	if err != nil {
		t.Fatal(err)
	}
	b.put("pronounceable.wasm", g.bell)
	b.scan(false)
	_, err = b.Upload(t.Context(), g.names)
	const want = "plugin can not be stored as pronounceable.wasm, which is the plugin bell: rename that file"
	if domain.CodeOf(err) != domain.CodeConflict || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
	b.holds("pronounceable.wasm", g.bell)
	b.want("pronounceable.wasm bell 1.0.0 waiting")
}

// holds compares a file of the folder.
func (b *bench) holds(name string, want []byte) {
	b.t.Helper()
	if got, err := os.ReadFile(filepath.Join(b.Dir, name)); err != nil || !bytes.Equal(got, want) {
		b.t.Errorf("%s has %d bytes, %v; want %d others", name, len(got), err, len(want))
	}
}

// Of two files with one name, what is said and done by that name is about the one that serves.
func TestTwoFilesOfOneName(t *testing.T) {
	b := newBench(t)
	g, err := guests()
	if err != nil {
		t.Fatal(err)
	}
	b.put("z.wasm", g.bell)
	b.scan(false)
	b.change(Change{Grants: kv}, "")
	b.put("a.wasm", g.newer)
	b.scan(false)
	b.want("a.wasm bell 2.0.0 refused", "z.wasm bell 1.0.0 loaded")
	b.upload(g.newer)
	b.holds("z.wasm", g.newer)
	b.upload(g.bell)
	if _, err := b.Change(t.Context(), "a.wasm", Change{Enabled: ptr(false)}); domain.CodeOf(err) != domain.CodeConflict {
		t.Errorf("about a file: %v", err)
	}
	if err := b.Delete(t.Context(), "a.wasm", false); err != nil {
		t.Fatal(err)
	}
	b.want("z.wasm bell 1.0.0 loaded")
	if len(b.Policy("bell").Grants) != 1 {
		t.Error("what was said about the other file of the name is gone")
	}
	b.put("a.wasm", g.newer)
	b.scan(false)
	if err := b.Delete(t.Context(), "bell", false); err != nil {
		t.Fatal(err)
	}
	b.want("a.wasm bell 2.0.0 waiting")
}

// A version that does not take the settings that there are changes nothing when it is uploaded; as a file it waits for
// others.
func TestSettingsOfAnotherVersion(t *testing.T) {
	b := newBench(t)
	g, err := guests()
	if err != nil {
		t.Fatal(err)
	}
	b.upload(g.loud)
	b.change(Change{Grants: kv, Settings: ptr(`{"volume":11}`)}, "")
	if _, err := b.Upload(t.Context(), g.long); domain.CodeOf(err) != domain.CodeInvalid {
		t.Fatalf("uploaded: %v", err)
	}
	b.holds("bell.wasm", g.loud)
	b.put("bell.wasm", g.long)
	b.scan(false)
	b.want("bell.wasm bell 1.0.0 loaded")
	b.change(Change{Settings: ptr("")}, "")
	if p, err := b.Find("bell"); err != nil || p.Waiting == nil || p.Waiting.Version != "2.0.0" {
		t.Errorf("without settings: %v, %+v", err, p)
	}

	b.upload(g.loud)
	b.change(Change{Settings: ptr(`{"volume":11}`)}, "")
	b.put("bell.wasm", g.long)
	b.last = ""
	b.open(b.Dir)
	b.want("bell.wasm bell 2.0.0 refused")
	b.change(Change{Settings: ptr(`{"width":1}`)}, domain.CodeInvalid)
	b.change(Change{Settings: ptr(`{"length":1}`)}, "")
	b.want("bell.wasm bell 2.0.0 waiting")
}

// What was said about a plugin can be taken back when its file has gone already.
func TestDeleteWhatHasGone(t *testing.T) {
	b := newBench(t)
	g, err := guests()
	if err != nil {
		t.Fatal(err)
	}
	b.upload(g.bell)
	b.change(Change{Grants: kv}, "")
	if err := os.Remove(filepath.Join(b.Dir, "bell.wasm")); err != nil {
		t.Fatal(err)
	}
	b.scan(false)
	b.want()
	for i, code := range []domain.Code{"", domain.CodeNotFound} {
		if err := b.Delete(t.Context(), "bell", false); err == nil && code != "" || err != nil && domain.CodeOf(err) != code {
			t.Errorf("%d: %v", i, err)
		}
	}
	b.upload(g.bell)
	b.want("bell.wasm bell 1.0.0 waiting")
}
