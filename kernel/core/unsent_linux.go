package core

import (
	"net"

	"golang.org/x/sys/unix"
)

// unsent is how many bytes of a connection its peer has not confirmed, 0 when that can not be told.
func unsent(c *net.TCPConn) int {
	raw, err := c.SyscallConn()
	if err != nil {
		return 0
	}
	n := 0
	_ = raw.Control(func(fd uintptr) { // one that is closed already has nothing unsent
		if n, err = unix.IoctlGetInt(int(fd), unix.SIOCOUTQ); err != nil {
			n = 0
		}
	})
	return n
}
