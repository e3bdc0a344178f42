package kit

import (
	"slices"
	"strings"
	"testing"

	w "github.com/sluicehq/sluice/kernel/plugin/internal/wasmtest"
	"github.com/sluicehq/sluice/sdk/wire"
)

// handmade is a plugin with one period whose sluice_call does as call says. Without more, every op is unimplemented.
func handmade(call ...[]byte) []byte {
	const manifest = `{"abi":1,"name":"handmade","version":"1.0.0","provides":[{"kind":"period","id":"handmade"}]}`
	const atError, atManifest, atInput = 16, 1024, 16 << 10
	m := &w.Module{Memory: &w.Limits{Min: 64}}
	m.Data(atError, string((&wire.Error{Code: wire.CodeUnimplemented}).Append(nil)))
	m.Data(atManifest, manifest)
	i32, i64 := []byte{w.I32}, []byte{w.I64}
	m.Export(wire.ExportABI, m.Func(w.Signature{Results: i32}, 0, w.Const(wire.Version)))
	m.Export(wire.ExportAlloc, m.Func(w.Signature{Params: i32, Results: i32}, 0, w.Const(atInput)))
	m.Export(wire.ExportManifest, m.Func(w.Signature{Results: i64}, 0,
		w.Const64(int64(wire.Pack(atManifest, uint32(len(manifest)), false)))))
	code := append(call, w.Const64(int64(wire.Pack(atError, 2, true))))
	m.Export(wire.ExportCall, m.Func(w.Signature{Params: []byte{w.I32, w.I32}, Results: i64}, 0, code...))
	return m.Bytes()
}

// The arguments of sluice_call.
const (
	op   = 0
	size = 1
)

func TestABI(t *testing.T) {
	const (
		loads   = "a host loads it"
		unknown = "it does not know ops of later versions"
		garbage = "bytes that are no request are refused"
		empty   = "an empty request does no harm"
	)
	answersOp := func(n int32) []byte {
		return slices.Concat(w.Get(op), w.Const(n), w.Equal, w.If(w.Const64(0), w.Return))
	}
	for _, c := range []struct {
		name string
		wasm []byte
		want map[string]Verdict
	}{
		{"nothing is wrong", handmade(), map[string]Verdict{loads: Pass, unknown: Pass, garbage: Pass, empty: Pass}},
		{"no module", []byte("#!/bin/sh"), map[string]Verdict{loads: Fail}},
		{"no plugin", (&w.Module{}).Bytes(), map[string]Verdict{loads: Fail}},
		{"takes what is not there", handmade(answersOp(99)), map[string]Verdict{loads: Pass, unknown: Warn}},
		{"takes everything", handmade(answersOp(2)), map[string]Verdict{unknown: Pass, garbage: Warn, empty: Pass}},
		{
			"dies of any request", handmade(w.Get(size), w.If(w.Unreachable)),
			map[string]Verdict{loads: Pass, unknown: Pass, garbage: Fail, empty: Pass},
		},
		{
			"dies of an empty one", handmade(w.Get(op), w.Const(2), w.Equal, w.If(w.Get(size), w.Op(0x45), w.If(w.Unreachable))),
			map[string]Verdict{loads: Pass, unknown: Pass, garbage: Pass, empty: Fail},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			report := check(t, c.wasm, patient(nil))
			got := map[string]Verdict{}
			for _, f := range report.Findings {
				if f.Item == "" {
					got[f.Rule] = f.Verdict
				}
			}
			for rule, want := range c.want {
				if got[rule] != want {
					t.Errorf("%s: %s, want %s: %+v", rule, got[rule], want, report.Findings)
				}
			}
			if c.want[loads] == Fail && (report.OK || len(report.Findings) != 1 || report.Findings[0].Reason == "") {
				t.Errorf("a file that does not load: %+v", report)
			}
		})
	}
}

// TestPermissionsAreGranted checks a plugin that calls everything that there is for events.
func TestPermissionsAreGranted(t *testing.T) {
	report := check(t, guest(t, "../../../../sdk/testdata/greedy"), patient(nil))
	if !report.OK {
		t.Errorf("%+v", report.Findings)
	}
	o := patient(nil)
	o.Deny = true
	report = check(t, guest(t, "../../../../sdk/testdata/greedy"), o)
	if report.OK || !strings.Contains(report.Findings[0].Reason, "waits for the operator to grant") {
		t.Errorf("denied: %+v", report.Findings)
	}
}
