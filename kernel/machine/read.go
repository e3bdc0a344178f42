package machine

import (
	"runtime"
	"strings"
	"time"

	"github.com/prometheus/procfs"
	"github.com/shirou/gopsutil/v4/cpu"
	"github.com/shirou/gopsutil/v4/disk"
	"github.com/shirou/gopsutil/v4/host"
	"github.com/shirou/gopsutil/v4/load"
	"github.com/shirou/gopsutil/v4/mem"
	"github.com/shirou/gopsutil/v4/net"
)

// read asks the operating system for everything once. A part that it does not tell must not hide the others.
func read() reading {
	var r reading
	r.Cores, _ = cpu.Counts(false)
	r.Threads, _ = cpu.Counts(true)
	if list, err := cpu.Info(); err == nil && len(list) > 0 {
		r.MHz = list[0].Mhz
	}
	if list, err := cpu.Times(false); err == nil && len(list) > 0 {
		r.busy, r.all = busy(list[0])
	}
	if v, err := load.Avg(); err == nil {
		r.Load = [3]float64{v.Load1, v.Load5, v.Load15}
	}
	if v, err := mem.VirtualMemory(); err == nil {
		r.Memory = Gauge{v.Used, v.Total}
	}
	if v, err := mem.SwapMemory(); err == nil {
		r.Swap = Gauge{v.Used, v.Total}
	}
	if v, err := disk.Usage("/"); err == nil {
		r.Disk = Gauge{v.Used, v.Total}
	}
	if seconds, err := host.Uptime(); err == nil {
		r.Uptime = time.Duration(seconds) * time.Second
	}
	r.Sent, r.Received = moved()
	r.TCP, r.UDP = sockets()
	return r
}

// busy is how many CPU seconds were worked, and how many there were. Linux counts guests' time as user time already.
func busy(t cpu.TimesStat) (busy, all float64) {
	all = t.User + t.System + t.Idle + t.Nice + t.Iowait + t.Irq + t.Softirq + t.Steal
	if runtime.GOOS != "linux" {
		all += t.Guest + t.GuestNice
	}
	return all - t.Idle - t.Iowait, all
}

// moved is what every interface but loopback has sent and received, in bytes.
func moved() (sent, received uint64) {
	list, err := net.IOCounters(true)
	if err != nil {
		return 0, 0
	}
	for _, nic := range list {
		if nic.Name == "lo" || strings.HasPrefix(nic.Name, "lo0") {
			continue
		}
		sent += nic.BytesSent
		received += nic.BytesRecv
	}
	return sent, received
}

// sockets counts the open sockets of this network namespace by the kernel's own sum: to list them would cost as much as
// there are connections.
func sockets() (tcp, udp int) {
	fs, err := procfs.NewDefaultFS()
	if err != nil {
		return 0, 0
	}
	for _, stat := range []func() (*procfs.NetSockstat, error){fs.NetSockstat, fs.NetSockstat6} {
		s, err := stat()
		if err != nil {
			continue
		}
		for _, p := range s.Protocols {
			switch p.Protocol {
			case "TCP", "TCP6":
				tcp += p.InUse
			case "UDP", "UDP6":
				udp += p.InUse
			}
		}
	}
	return tcp, udp
}
