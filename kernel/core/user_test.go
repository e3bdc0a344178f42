package core

import (
	"testing"
	"unsafe"
)

// TestSizeOfAUser: with another word each of a million users would take 16 bytes more.
func TestSizeOfAUser(t *testing.T) {
	if size := unsafe.Sizeof(user{}); size != 128 {
		t.Errorf("a user takes %d bytes, want 128", size)
	}
}
