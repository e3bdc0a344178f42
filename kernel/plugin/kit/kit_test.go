package kit

import (
	"context"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/sluicehq/sluice/kernel/plugin"
	"github.com/sluicehq/sluice/sdk/wire"
)

// codeDir keeps compiled guests between the tests of this package.
var codeDir string

func TestMain(m *testing.M) {
	var err error
	if codeDir, err = os.MkdirTemp("", "sluice-kit-"); err != nil {
		panic(err)
	}
	code := m.Run()
	_ = os.RemoveAll(codeDir)
	os.Exit(code)
}

// guest compiles a folder of testdata as an author would.
func guest(t *testing.T, dir string) []byte {
	t.Helper()
	out := filepath.Join(t.TempDir(), "guest.wasm")
	cmd := exec.Command("go", "build", "-buildmode=c-shared", "-ldflags=-s -w", "-o", out, "./testdata/"+dir)
	cmd.Env = append(os.Environ(), "GOOS=wasip1", "GOARCH=wasm", "CGO_ENABLED=0")
	if text, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	wasm, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	return wasm
}

// patient are limits for a busy machine: what is checked here does not depend on them. calls are those that do.
func patient(calls map[wire.Op]time.Duration) Options {
	l := plugin.Limits{Init: time.Minute, Call: map[wire.Op]time.Duration{}}
	for _, op := range []wire.Op{wire.OpUsername, wire.OpPeriod, wire.OpFormat, wire.OpPrepare, wire.OpConfigure, wire.OpEvent} {
		l.Call[op] = time.Minute
	}
	maps.Copy(l.Call, calls)
	return Options{CacheDir: codeDir, Limits: l}
}

func check(t *testing.T, wasm []byte, o Options) Report {
	t.Helper()
	report, err := Check(context.Background(), "guest.wasm", wasm, o)
	if err != nil {
		t.Fatal(err)
	}
	return report
}

func TestGoodPlugin(t *testing.T) {
	o := patient(nil)
	o.Params = `{"days":1}`
	report := check(t, guest(t, "good"), o)
	for _, f := range report.Findings {
		if f.Verdict != Pass {
			t.Errorf("%+v", f)
		}
	}
	if !report.OK || report.Name != "good" || report.Version != "1.0.0" || len(report.SHA256) != 64 {
		t.Errorf("the report says %+v", report)
	}
	rules := map[string]int{}
	for _, f := range report.Findings {
		rules[f.Item]++
	}
	for item, want := range map[string]int{
		"": 6, "username numbered": 7, "username random": 7, "period days": 5, "format addresses": 9, "event quiet": 5,
	} {
		if rules[item] != want {
			t.Errorf("%q was held against %d rules, want %d", item, rules[item], want)
		}
	}
}

func TestParametersAreAskedFor(t *testing.T) {
	report := check(t, guest(t, "good"), patient(nil))
	var found []Finding
	for _, f := range report.Findings {
		if f.Item == "period days" {
			found = append(found, f)
		}
	}
	if len(found) != 1 || found[0].Verdict != Warn || !strings.Contains(found[0].Reason, "--params") || !report.OK {
		t.Errorf("without parameters: %+v", found)
	}
}

// TestBadPlugin has one item that breaks each rule. Everything else about the item must pass.
func TestBadPlugin(t *testing.T) {
	report := check(t, guest(t, "bad"), patient(map[wire.Op]time.Duration{wire.OpEvent: 300 * time.Millisecond}))
	type broken struct {
		rule    string
		verdict Verdict
		reason  string
	}
	want := map[string][]broken{
		"username spaced": {
			{"it makes names", Fail, `the name "a name"`},
			{"every name can be used", Warn, ""},
			{"asked again", Fail, "offers only what was rejected"},
		},
		"username stubborn": {{"asked again", Fail, `"collision":"retry"`}},
		"username twice":    {{"it makes as many", Warn, "1 different names"}, {"every name", Warn, "comes twice"}},
		"username lucky":    {{"the same request", Fail, "the second time"}},
		"username counting": {{"the same request", Fail, "the second time"}},
		"username leaking":  {{"memory holds", Warn, "it grew by"}},
		"username picky":    {{"it works without a base", Warn, `"base":"required"`}},
		"username frail":    {{"a base of 1 MiB", Fail, "crashed"}},
		"period sliding":    {{"boundaries come in order", Fail, "asked at"}},
		"period late":       {{"boundaries come in order", Fail, "not in the future"}, {"there is an end", Warn, ""}},
		"period endless":    {{"there is an end", Warn, "after the year 9999"}},
		"period broken":     {{"boundaries come in order", Fail, "crashed"}},
		"format json":       {{"hostile remarks", Fail, "not JSON"}},
		"format yaml":       {{"hostile remarks", Fail, "not YAML"}},
		"format html":       {{"hostile remarks", Fail, "script"}},
		"format cut":        {{"it renders one", Fail, "not UTF-8"}, {"hostile remarks", Fail, "not UTF-8"}},
		"format dated":      {{"a body that may be kept", Fail, "depends on the time"}},
		"format metered":    {{"a body that may be kept", Fail, "depends on the usage"}},
		"format shuffled":   {{"a body that may be kept", Fail, "depends on the entropy"}},
		"format mute":       {{"it renders one", Warn, "empty"}},
		"format header":     {{"it renders one", Fail, "content type"}},
		"format empty":      {{"it renders a user without endpoints", Fail, "crashed"}},
		"format prepared":   {{"prepared or not", Fail, "differ at byte 0"}},
		"event strict":      {{"a type of a later version", Fail, "never heard of it"}},
		"event once":        {{"an event may come twice", Fail, "handled before"}},
		"event naive":       {{"a payload that is empty", Fail, "crashed"}},
		"event slow":        {{"it handles", Fail, "longer than 300 ms"}},
		"event typo":        {{"the types that it wants exist", Warn, "user.craeted"}},
	}
	seen := map[string][]Finding{}
	for _, f := range report.Findings {
		seen[f.Item] = append(seen[f.Item], f)
	}
	for item, list := range want {
		t.Run(item, func(t *testing.T) {
			for _, b := range list {
				found := false
				for _, f := range seen[item] {
					found = found || strings.HasPrefix(f.Rule, b.rule) && f.Verdict == b.verdict && strings.Contains(f.Reason, b.reason)
				}
				if !found {
					t.Errorf("want %s %s: ...%s... in\n%+v", b.verdict, b.rule, b.reason, seen[item])
				}
			}
		})
	}
	if report.OK {
		t.Error("the plugin passes")
	}
	for item := range seen {
		if _, ok := want[item]; item != "" && !ok {
			t.Errorf("%s is not expected", item)
		}
	}
}
