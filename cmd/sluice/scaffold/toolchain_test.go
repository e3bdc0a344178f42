//go:build integration

package scaffold

import (
	"os"
	"strings"
	"testing"
)

// TestOtherLanguages runs the commands of the READMEs with the toolchains that Debian has: cargo with
// libstd-rust-dev-wasm32 and lld-14, and node with npm.
func TestOtherLanguages(t *testing.T) {
	for _, lang := range Languages[1:] {
		for _, kind := range Kinds {
			t.Run(lang+" "+kind, func(t *testing.T) {
				dir := write(t, kind, lang)
				// Debian's own toolchain goes before others that the machine may have.
				run(t, dir, commands(t, dir), "PATH=/usr/bin:"+os.Getenv("PATH"))
				conforms(t, dir, kind)
				if lang == "rust" {
					run(t, dir, withoutCargo(t, dir), "PATH=/usr/bin:"+os.Getenv("PATH"))
					conforms(t, dir, kind)
				}
			})
		}
	}
}

// withoutCargo is the other command of the README in Rust.
func withoutCargo(t *testing.T, dir string) string {
	t.Helper()
	readme, err := os.ReadFile(dir + "/README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, command, _ := strings.Cut(string(readme), "Without cargo, `")
	command, _, ok := strings.Cut(command, "`")
	if !ok {
		t.Fatal("the README has no command without cargo")
	}
	return command
}
