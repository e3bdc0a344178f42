// Package coretest gives tests real traffic: an xray client in a process of its own, a server on the loopback to talk to,
// certificates and keys. Everything listens on 127.0.0.1 and is stopped when its test ends.
package coretest
