package directory

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/sluicehq/sluice/kernel/domain"
)

// crowd makes directories of n users, whose names have 12 bytes and whose sub ids have 26, all with an expiry and one of
// eight sets of inbounds. Each is made once for all benchmarks, and is settled.
var crowd = func() func(n int64) *Directory {
	made := map[int64]*Directory{}
	return func(n int64) *Directory {
		if made[n] == nil {
			d := New()
			for id := range n {
				d.Put(member(id, 1))
			}
			d.Due(0, 1)
			made[n] = d
		}
		return made[n]
	}
}()

func member(id, revision int64) domain.Account {
	return with(id, revision, func(a *domain.Account) {
		a.User.ExpireAt = ptr(1_000_000_000_000 + id*7919%1_000_003)
		a.Inbounds = []int64{1, 2 + id%8}
	})
}

// BenchmarkMemory is what a user costs, and what a garbage collection of all of them does.
func BenchmarkMemory(b *testing.B) {
	for _, n := range []int64{100_000, 1_000_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			for b.Loop() {
				before := heapBytes()
				d := New()
				began := time.Now()
				for id := range n {
					d.Put(member(id, 1))
				}
				built := time.Since(began)
				settled := timed(func() { d.Due(0, 1) })
				bytes := heapBytes() - before
				began = time.Now()
				runtime.GC()
				b.ReportMetric(float64(time.Since(began).Microseconds()), "us-gc")
				b.ReportMetric(float64(bytes)/float64(n), "B/user")
				b.ReportMetric(float64(d.Memory().Bytes)/float64(n), "B/user-told")
				b.ReportMetric(float64(built.Milliseconds()), "ms-build")
				b.ReportMetric(float64(settled.Milliseconds()), "ms-settle")
			}
		})
	}
}

// BenchmarkOperations compares what one user costs among a thousand and among a million. They take turns, so that a busy
// machine slows both.
func BenchmarkOperations(b *testing.B) {
	for _, c := range []struct {
		name string
		do   func(d *Directory, id, revision int64)
	}{
		{"ByID", func(d *Directory, id, _ int64) { d.ByID(id) }},
		{"ByName", func(d *Directory, id, _ int64) { d.ByName(fmt.Sprintf("user%08d", id)) }},
		{"BySubID", func(d *Directory, id, _ int64) { d.BySubID(fmt.Sprintf("sub%023d", id)) }},
		{"Put", func(d *Directory, id, revision int64) {
			a := member(id, revision)
			a.User.ExpireAt = ptr(1_000_000_000_000 + id*revision%1_000_003)
			d.Put(a)
		}},
		{"PutRenamed", func(d *Directory, id, revision int64) {
			a := member(id, revision)
			a.User.Username = fmt.Sprintf("u%010d%d", id, revision%10)
			d.Put(a)
			d.Put(member(id, revision))
		}},
	} {
		b.Run(c.name, func(b *testing.B) {
			const times = 1_000
			few, many := crowd(1_000), crowd(1_000_000)
			var small, large []time.Duration
			revision := int64(1)
			for b.Loop() {
				revision++
				small = append(small, timed(func() { each(few, times, func(id int64) { c.do(few, id, revision) }) }))
				large = append(large, timed(func() { each(many, times, func(id int64) { c.do(many, id, revision) }) }))
			}
			s, l := median(small)/times, median(large)/times
			b.ReportMetric(float64(s.Nanoseconds()), "ns-1k")
			b.ReportMetric(float64(l.Nanoseconds()), "ns-1M")
			b.ReportMetric(float64(l)/float64(s), "ratio-1M/1k")
			b.ReportMetric(0, "ns/op") // of both together it says nothing
		})
	}
}

// each calls do with ids of the directory by chance.
func each(d *Directory, times int, do func(id int64)) {
	n := int64(d.Len())
	for range times {
		do(rand.Int64N(n))
	}
}

func timed(do func()) time.Duration {
	began := time.Now()
	do()
	return time.Since(began)
}

func median(all []time.Duration) time.Duration {
	slices.Sort(all)
	return all[len(all)/2]
}

// BenchmarkDue asks for a thousand users that are due among a million.
func BenchmarkDue(b *testing.B) {
	d := crowd(1_000_000)
	now := d.dueMoment(1_000)
	d.Due(now, 1) // moves the buckets there
	b.ReportAllocs()
	for b.Loop() {
		if n := len(d.Due(now, 1_000)); n != 1_000 {
			b.Fatal(n)
		}
	}
}

// dueMoment is when n users are due.
func (d *Directory) dueMoment(n int) int64 {
	all := d.Due(1<<62, n)
	r, _ := d.ByID(all[n-1])
	return r.DueAt
}

// BenchmarkStale looks at a million users.
func BenchmarkStale(b *testing.B) {
	d := crowd(1_000_000)
	for b.Loop() {
		if n := len(d.Stale(0)); n != 0 {
			b.Fatal(n)
		}
	}
}

// BenchmarkSetDeleteLimited goes over a million users for whom it makes no difference.
func BenchmarkSetDeleteLimited(b *testing.B) {
	d := crowd(1_000_000)
	for b.Loop() {
		d.SetDeleteLimited(false)
	}
}

// BenchmarkMoved applies 100k deltas to a million users, while two readers look users up. Their longest waits say what
// else the machine did; the 99th percentile says whether they had to wait for the flush.
func BenchmarkMoved(b *testing.B) {
	d := crowd(1_000_000)
	ds := make([]domain.TrafficDelta, 100_000)
	for i := range ds {
		ds[i] = domain.TrafficDelta{UserID: int64(i) * 10, Up: 1}
	}
	for _, readers := range []int{0, 2} {
		b.Run(fmt.Sprintf("%dreaders", readers), func(b *testing.B) {
			done := make(chan struct{})
			waits := make([][]time.Duration, readers)
			var group sync.WaitGroup
			for i := range readers {
				group.Go(func() { waits[i] = lookups(d, done) })
			}
			for b.Loop() {
				d.Moved(ds)
			}
			close(done)
			group.Wait()
			if all := slices.Concat(waits...); len(all) > 0 {
				slices.Sort(all)
				b.ReportMetric(float64(all[len(all)*99/100].Nanoseconds()), "ns-p99")
				b.ReportMetric(float64(all[len(all)*9999/10000].Microseconds()), "us-p99.99")
				b.ReportMetric(float64(all[len(all)-1].Microseconds()), "us-max")
			}
		})
	}
}

// lookups measures look-ups until done.
func lookups(d *Directory, done chan struct{}) (took []time.Duration) {
	for {
		select {
		case <-done:
			return took
		default:
			took = append(took, timed(func() { d.ByID(rand.Int64N(1_000_000)) }))
		}
	}
}
