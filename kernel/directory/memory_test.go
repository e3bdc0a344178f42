package directory

import (
	"runtime"
	"testing"
)

// A user with a name of 12 bytes and a sub id of 26 costs at most 240 bytes, and the directory knows about how many.
func TestMemory(t *testing.T) {
	const users, most = 100_000, 240
	before := heapBytes()
	d := New()
	for id := range int64(users) {
		d.Put(member(id, 1))
	}
	d.Due(0, 1) // lists them
	held := heapBytes() - before
	told := d.Memory()
	if told.Users != users || held > users*most {
		t.Errorf("%d users take %d bytes, want %d at most %d each", told.Users, held, users, most)
	}
	if told.Bytes < held*4/5 || told.Bytes > held*6/5 {
		t.Errorf("tells of %d bytes, and holds %d", told.Bytes, held)
	}
	for id := range int64(users) {
		d.Remove(id)
	}
	// Records stay for the next users. What is gone costs nothing of its own.
	if left := d.Memory(); left.Users != 0 || left.Bytes > told.Bytes*3/4 {
		t.Errorf("after all were removed %d users take %d bytes of %d", left.Users, left.Bytes, told.Bytes)
	}
}

func heapBytes() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
