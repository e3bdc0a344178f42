package xui

import (
	"context"
	"runtime"
	"runtime/metrics"
	"time"

	"github.com/sluicehq/sluice/kernel/core"
	"github.com/sluicehq/sluice/kernel/machine"
)

const serverTag = "server"

func (r routes) server() {
	p := process{r, machine.New(r.Accounts.Clock), r.Accounts.Clock.Now()}
	handle(r, get("/server/status", "How the machine, the core and this server are", serverTag), p.status)
}

// process is this server on its machine.
type process struct {
	routes
	machine *machine.Machine
	started time.Time
}

// gauge is what is used of something, in bytes.
type gauge struct {
	Current uint64 `json:"current" doc:"bytes in use"`
	Total   uint64 `json:"total" doc:"bytes that there are"`
}

type serverStatus struct {
	CPU         float64 `json:"cpu" doc:"percent of all cores, since the last look at them"`
	CPUCores    int     `json:"cpuCores" doc:"physical cores"`
	LogicalPro  int     `json:"logicalPro" doc:"logical cores"`
	CPUSpeedMHz float64 `json:"cpuSpeedMhz"`

	Mem  gauge `json:"mem"`
	Swap gauge `json:"swap"`
	Disk gauge `json:"disk"`

	Xray struct {
		State    string `json:"state" enum:"running,error" doc:"error = the core does not run"`
		ErrorMsg string `json:"errorMsg" doc:"why not, empty when it does"`
		Version  string `json:"version" doc:"of xray-core"`
	} `json:"xray"`

	Uptime   uint64     `json:"uptime" doc:"seconds since the machine's boot"`
	Loads    [3]float64 `json:"loads" doc:"load averages over 1, 5 and 15 minutes"`
	TCPCount int        `json:"tcpCount" doc:"open TCP sockets"`
	UDPCount int        `json:"udpCount" doc:"open UDP sockets"`

	NetIO struct {
		Up   uint64 `json:"up" doc:"bytes per second"`
		Down uint64 `json:"down" doc:"bytes per second"`
	} `json:"netIO"`
	NetTraffic struct {
		Sent uint64 `json:"sent" doc:"bytes since the machine's boot"`
		Recv uint64 `json:"recv" doc:"bytes since the machine's boot"`
	} `json:"netTraffic"`
	PublicIP struct {
		IPv4 string `json:"ipv4"`
		IPv6 string `json:"ipv6"`
	} `json:"publicIP" doc:"always N/A: to learn it, a stranger's server would have to be asked"`

	AppStats struct {
		Threads int    `json:"threads" doc:"goroutines"`
		Mem     uint64 `json:"mem" doc:"bytes of memory that this server has of the machine"`
		Uptime  uint64 `json:"uptime" doc:"seconds since this server started"`
	} `json:"appStats"`
}

func (p process) status(context.Context, *struct{}) (serverStatus, string, error) {
	m := p.machine.Status()
	s := serverStatus{
		CPU: m.CPU, CPUCores: m.Cores, LogicalPro: m.Threads, CPUSpeedMHz: m.MHz, Loads: m.Load,
		Mem:  gauge{m.Memory.Used, m.Memory.Total},
		Swap: gauge{m.Swap.Used, m.Swap.Total},
		Disk: gauge{m.Disk.Used, m.Disk.Total},

		Uptime: uint64(m.Uptime / time.Second), TCPCount: m.TCP, UDPCount: m.UDP,
	}
	s.Xray.State, s.Xray.Version = "running", core.Version()
	if err := p.Accounts.Core.Health(); err != nil {
		s.Xray.State, s.Xray.ErrorMsg = "error", err.Error()
	}
	s.NetIO.Up, s.NetIO.Down = m.SentRate, m.ReceivedRate
	s.NetTraffic.Sent, s.NetTraffic.Recv = m.Sent, m.Received
	s.PublicIP.IPv4, s.PublicIP.IPv6 = "N/A", "N/A"
	s.AppStats.Threads, s.AppStats.Mem = runtime.NumGoroutine(), memory()
	s.AppStats.Uptime = uint64(p.Accounts.Clock.Since(p.started) / time.Second)
	return s, "", nil
}

// memory is what the Go runtime has of the machine, in bytes.
func memory() uint64 {
	sample := []metrics.Sample{{Name: "/memory/classes/total:bytes"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}
