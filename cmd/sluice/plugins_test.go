package main

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestBadPluginFiles starts with a folder full of files that are no good. Each is refused with its reason, and the
// server serves.
func TestBadPluginFiles(t *testing.T) {
	dir := t.TempDir()
	folder := filepath.Join(dir, "plugins")
	if err := os.Mkdir(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	files := map[string][]byte{
		"not-wasm.wasm":  []byte("#!/bin/sh\n"),
		"truncated.wasm": module(abi1, starts)[:100],
		"looping.wasm":   module(abi1, loops),
		"recursing.wasm": module(abi1, recurses),
		"newer.wasm":     module(abi2, starts),
		"empty.wasm":     {},
		"readme.txt":     []byte("not looked at"),
	}
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(folder, name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s := start(t, dir)
	if _, word := s.do(http.MethodGet, "/readyz", ""); word != "degraded\n" {
		t.Errorf("/readyz says %q", word)
	}
	s.login()
	var health struct {
		Core    struct{ State string }
		Plugins []struct{ Name, State, Problem string }
	}
	_, body := s.do(http.MethodGet, "/readyz", "")
	decode(t, body, &health)
	got := map[string]string{}
	for _, p := range health.Plugins {
		got[p.Name+" "+p.State] = p.Problem
	}
	for key, want := range map[string]string{
		"sluice-builtin loaded":  "",
		"not-wasm.wasm refused":  "it is not a WebAssembly 1 module",
		"truncated.wasm refused": "it is truncated",
		"looping.wasm refused":   "longer than 2000 ms while it was started",
		"recursing.wasm refused": "longer than 2000 ms while it was started",
		"newer.wasm refused":     "ABI 2.0",
		"empty.wasm refused":     "it is empty",
	} {
		problem, ok := got[key]
		if !ok || !strings.Contains(problem, want) || (want != "") != (problem != "") {
			t.Errorf("%s: %v %q, want a reason with %q", key, ok, problem, want)
		}
	}
	if len(got) != 7 || health.Core.State != "up" {
		t.Errorf("the health is %s", body)
	}
	refused := 0
	for _, line := range s.log() {
		if line["msg"] == "plugin refused" {
			refused++
		}
	}
	if refused != 6 {
		t.Errorf("%d refusals are logged, want 6", refused)
	}
}

// abi1 and abi2 are what sluice_abi returns for the majors 1 and 2, as wasm encodes the numbers.
const (
	abi1 = "\x80\x80\x04"
	abi2 = "\x80\x80\x08"
)

// The bodies of the start function, after their count of locals.
const (
	starts = "\x0b"
	loops  = "\x03\x40\x0c\x00\x0b\x0b" // (loop (br 0))
	// recurse calls function 5 with 60, which calls itself twice with one less: 2^60 calls without a loop.
	recurses = "\x41\x3c\x10\x05\x0b"
	twice    = "\x20\x00\x45\x04\x40\x0f\x0b\x20\x00\x41\x01\x6b\x10\x05\x20\x00\x41\x01\x6b\x10\x05\x0b"
)

// module assembles a plugin with every export that ABI 1 wants, and a start function.
func module(abi, start string) []byte {
	section := func(id byte, content string) string { return string([]byte{id, byte(len(content))}) + content }
	export := func(name string, kind, index byte) string {
		return string([]byte{byte(len(name))}) + name + string([]byte{kind, index})
	}
	body := func(code string) string { return string([]byte{byte(len(code) + 1), 0}) + code }
	return []byte("\x00asm\x01\x00\x00\x00" +
		section(1, "\x06"+"\x60\x00\x01\x7f"+"\x60\x00\x00"+"\x60\x01\x7f\x01\x7f"+"\x60\x00\x01\x7e"+
			"\x60\x02\x7f\x7f\x01\x7e"+"\x60\x01\x7f\x00") +
		section(3, "\x06\x00\x01\x02\x03\x04\x05") +
		section(5, "\x01\x00\x01") +
		section(7, "\x05"+export("memory", 2, 0)+export("sluice_abi", 0, 0)+export("sluice_alloc", 0, 2)+
			export("sluice_manifest", 0, 3)+export("sluice_call", 0, 4)) +
		section(8, "\x01") +
		section(10, "\x06"+body("\x41"+abi+"\x0b")+body(start)+body("\x41\x00\x0b")+body("\x42\x00\x0b")+
			body("\x42\x00\x0b")+body(twice)))
}
