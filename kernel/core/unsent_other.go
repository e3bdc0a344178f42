//go:build !linux

package core

import "net"

// unsent is 0: how many bytes of a connection its peer has not confirmed can not be told here.
func unsent(*net.TCPConn) int { return 0 }
