package httpapi

import (
	"bytes"
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"github.com/sluicehq/sluice/kernel/core"
)

// machineStatus is what scripts read of the status; unknown fields would be an error.
type machineStatus struct {
	CPU         *float64 `json:"cpu"`
	CPUCores    int      `json:"cpuCores"`
	LogicalPro  int      `json:"logicalPro"`
	CPUSpeedMHz *float64 `json:"cpuSpeedMhz"`
	Mem         gauge    `json:"mem"`
	Swap        gauge    `json:"swap"`
	Disk        gauge    `json:"disk"`
	Xray        struct {
		State    string `json:"state"`
		ErrorMsg string `json:"errorMsg"`
		Version  string `json:"version"`
	} `json:"xray"`
	Uptime     uint64    `json:"uptime"`
	Loads      []float64 `json:"loads"`
	TCPCount   int       `json:"tcpCount"`
	UDPCount   *int      `json:"udpCount"`
	NetIO      rates     `json:"netIO"`
	NetTraffic struct {
		Sent *uint64 `json:"sent"`
		Recv *uint64 `json:"recv"`
	} `json:"netTraffic"`
	PublicIP struct {
		IPv4 string `json:"ipv4"`
		IPv6 string `json:"ipv6"`
	} `json:"publicIP"`
	AppStats struct {
		Threads int    `json:"threads"`
		Mem     uint64 `json:"mem"`
		Uptime  uint64 `json:"uptime"`
	} `json:"appStats"`
}

type gauge struct {
	Current *uint64 `json:"current"`
	Total   uint64  `json:"total"`
}

type rates struct {
	Up   *uint64 `json:"up"`
	Down *uint64 `json:"down"`
}

func (b *bench) status() (s machineStatus) {
	b.t.Helper()
	var answer struct {
		Success bool
		Msg     string
		Obj     json.RawMessage
	}
	body := b.panel(http.MethodGet, "/server/status", "")
	if err := json.Unmarshal([]byte(body), &answer); err != nil || !answer.Success || answer.Msg != "" {
		b.t.Fatalf("%s: %v", body, err)
	}
	if err := readStrictly(answer.Obj, &s); err != nil {
		b.t.Fatalf("%s: %v", body, err)
	}
	return s
}

func TestXUIStatus(t *testing.T) {
	b := newBench(t)
	s := b.status()
	if s.CPU == nil || s.CPUSpeedMHz == nil || s.CPUCores < 1 || s.LogicalPro < s.CPUCores || len(s.Loads) != 3 {
		t.Errorf("CPU: %+v", s)
	}
	for name, g := range map[string]gauge{"mem": s.Mem, "swap": s.Swap, "disk": s.Disk} {
		if g.Current == nil || *g.Current > g.Total || g.Total == 0 && name != "swap" {
			t.Errorf("%s: %+v", name, g)
		}
	}
	if s.Xray.State != "running" || s.Xray.ErrorMsg != "" || s.Xray.Version != core.Version() || s.Xray.Version == "" {
		t.Errorf("core: %+v", s.Xray)
	}
	if s.NetIO.Up == nil || s.NetIO.Down == nil || s.NetTraffic.Sent == nil || s.NetTraffic.Recv == nil || s.TCPCount < 1 || s.UDPCount == nil {
		t.Errorf("network: %+v", s)
	}
	if s.PublicIP.IPv4 != "N/A" || s.PublicIP.IPv6 != "N/A" {
		t.Errorf("addresses: %+v", s.PublicIP)
	}
	if s.Uptime == 0 || s.AppStats.Threads < 2 || s.AppStats.Mem < 1<<20 || s.AppStats.Uptime != 0 {
		t.Errorf("this server: %+v", s)
	}
	b.clock.Advance(90 * time.Second)
	if got := b.status().AppStats.Uptime; got != 90 {
		t.Errorf("after 90 s the server is up for %d s", got)
	}
}

func TestXUIStatusOfAStoppedCore(t *testing.T) {
	b := newBench(t)
	if err := b.kernel.Core.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := b.status().Xray; got.State != "error" || got.ErrorMsg != "the core is not running" || got.Version != core.Version() {
		t.Errorf("core: %+v", got)
	}
}

// readStrictly refuses what the type has no field for.
func readStrictly(data []byte, to any) error {
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	return d.Decode(to)
}
