package kit

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/sluicehq/sluice/sdk/wire"
)

func TestBench(t *testing.T) {
	o := patient(nil)
	o.Params = `{"days":1}`
	wasm := guest(t, "good")
	m, err := Bench(context.Background(), "good.wasm", wasm, "", 20, o)
	if err != nil {
		t.Fatal(err)
	}
	if m.Cold <= m.Warm || m.Warm <= 0 || m.Instance <= 0 || m.Memory < 1<<20 || m.Size != len(wasm) {
		t.Errorf("measured %+v", m)
	}
	var items []string
	for _, i := range m.Items {
		items = append(items, i.Kind+" "+i.ID)
		if i.Calls != 20 || i.Median <= 0 || i.P99 < i.Median || i.Refuse != "" {
			t.Errorf("%+v", i)
		}
	}
	const want = "[username numbered username random period days format addresses event quiet]"
	if got := fmt.Sprint(items); got != want {
		t.Errorf("measured %s, want %s", got, want)
	}
	if text := m.String(); !strings.Contains(text, "cold load") || !strings.Contains(text, "period days") {
		t.Errorf("the table is %q", text)
	}
}

func TestBenchOfOneKind(t *testing.T) {
	m, err := Bench(context.Background(), "good.wasm", guest(t, "good"), wire.KindPeriod, 1, patient(nil))
	if err != nil || len(m.Items) != 1 || m.Items[0].ID != "days" {
		t.Errorf("%+v, %v", m.Items, err)
	}
	if _, err := Bench(context.Background(), "x.wasm", []byte("x"), "", 1, patient(nil)); err == nil {
		t.Error("a file that can not be loaded is measured")
	}
}
