package machine

import (
	"bufio"
	"net"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/jonboulle/clockwork"
)

// What is read is what the kernel says.
func TestRead(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	u, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = u.Close() }()

	s := New(clockwork.NewRealClock()).Status()
	if kib := meminfo(t, "MemTotal"); s.Memory.Total != kib<<10 || s.Memory.Used == 0 || s.Memory.Used >= s.Memory.Total {
		t.Errorf("memory %+v of %d KiB", s.Memory, kib)
	}
	if kib := meminfo(t, "SwapTotal"); s.Swap.Total != kib<<10 || s.Swap.Used > s.Swap.Total {
		t.Errorf("swap %+v of %d KiB", s.Swap, kib)
	}
	if s.Disk.Total == 0 || s.Disk.Used == 0 || s.Disk.Used > s.Disk.Total {
		t.Errorf("disk %+v", s.Disk)
	}
	if s.Threads < 1 || s.Cores < 1 || s.Cores > s.Threads || s.CPU <= 0 || s.CPU > 100 || s.Uptime <= 0 {
		t.Errorf("CPU: %+v", s)
	}
	if s.TCP < 1 || s.UDP < 1 {
		t.Errorf("%d TCP and %d UDP sockets are open, and one of each is this test's", s.TCP, s.UDP)
	}
}

// meminfo is a line of /proc/meminfo, in KiB.
func meminfo(t *testing.T, name string) uint64 {
	t.Helper()
	f, err := os.Open("/proc/meminfo")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if fields := strings.Fields(lines.Text()); fields[0] == name+":" {
			kib, err := strconv.ParseUint(fields[1], 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			return kib
		}
	}
	t.Fatalf("/proc/meminfo has no %s", name)
	return 0
}
