//go:build integration

package main

import (
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/sluicehq/sluice/kernel/core/coretest"
)

// TestReadme runs the commands of the README's first five minutes as they stand there, on other ports.
func TestReadme(t *testing.T) {
	readme, err := os.ReadFile(filepath.Join("..", "..", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	var script strings.Builder
	for _, block := range regexp.MustCompile("(?s)```sh\n(.*?)```").FindAllSubmatch(readme, -1) {
		for line := range strings.Lines(string(block[1])) {
			script.WriteString(line)
		}
		script.WriteString("echo; echo ---\n")
	}
	dir := t.TempDir()
	s := start(t, filepath.Join(dir, "data"))
	text := strings.NewReplacer(
		"127.0.0.1:8080", strings.TrimPrefix(s.base, "http://"),
		"8443", fmt.Sprint(coretest.FreePort(t)), "1080", fmt.Sprint(coretest.FreePort(t)),
		"CGO_ENABLED=0 go build -o bin/xray github.com/xtls/xray-core/main", "cp "+coretest.Binary(t)+" bin/xray",
	).Replace(script.String())
	if err := os.Mkdir(filepath.Join(dir, "bin"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(binary, filepath.Join(dir, "bin", "sluice")); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("bash", "-euo", "pipefail", "-c", "set -m\n"+text) // set -m: kill %1 as at a terminal
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, want := range []string{
		`"tag":"in-`, `"msg":"Client added"`, `"totalGB":53687091200`, `"obj":["vless://`, "\nvless://", "\nok\n",
		`"msg":"Client updated"`, `{"adjusted":1,"skipped":[]}`, `"limitIp":1,"limitHwid":0,"totalGB":54760833024`,
		`"reason":"email already in use: alice@example.com"`, `"items":[{"email":"bob"`, `{"deleted":1,"skipped":[{"email":"nobody"`,
		`"created":5`, `"email":"m_user3"`, `"inbound_tags":["in-`, `"msg":"Client deleted"`,
	} {
		if !strings.Contains(string(out), want) {
			t.Errorf("the commands do not print %s", want)
		}
	}
	traffic := regexp.MustCompile(`"subId":"[^"]*","up":(\d+),"down":(\d+)`).FindSubmatch(out)
	if traffic == nil || string(traffic[2]) == "0" {
		t.Errorf("the download is not counted: %s", traffic)
	}
	if status, _ := s.do(http.MethodGet, "/readyz", ""); status != http.StatusOK {
		t.Errorf("/readyz answers %d", status)
	}
	if t.Failed() {
		t.Logf("%s", out)
	}
}
