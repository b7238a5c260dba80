package linux

import (
	"sync"
	"sync/atomic"
	"testing"
	"unsafe"
)

// backing records which bytes of a virtual array are backed, in pages.
type backing struct {
	base  uint64
	pages []atomic.Bool
	left  atomic.Int64 // pages there still are
}

const testPage = 4096

func (b *backing) populate(cpu int, va, n uint64) bool {
	if n == 0 {
		return true
	}
	for p := (va - b.base) / testPage; p <= (va+n-1-b.base)/testPage; p++ {
		if b.pages[p].CompareAndSwap(false, true) && b.left.Add(-1) < 0 {
			b.pages[p].Store(false)
			return false
		}
	}
	return true
}

type testRecord [100]byte

// TestPoolGrowth hands records out to several CPUs until memory ends: each record
// once, and only with memory behind it.
func TestPoolGrowth(t *testing.T) {
	const limit, cpus = 4000, 4
	records := make([]testRecord, limit)
	next := make([]uint32, limit)
	b := &backing{base: uint64(uintptr(unsafe.Pointer(&records[0]))), pages: make([]atomic.Bool, limit*100/testPage+2)}
	b.left.Store(40)
	first, size := b.base, uint64(limit*100)
	populate = func(cpu int, va, n uint64) bool { // the links are backed
		return va < first || va >= first+size || b.populate(cpu, va, n)
	}
	t.Cleanup(func() { populate = nil })
	var p pool
	p.init(unsafe.Pointer(&records[0]), unsafe.Sizeof(records[0]), limit, next)
	var taken [limit]atomic.Int32
	var wg sync.WaitGroup
	for cpu := range cpus {
		wg.Go(func() {
			var mine []uint32
			for i := range 4000 {
				n := p.get(cpu)
				if n == 0 {
					break
				}
				if taken[n].Add(1) != 1 {
					t.Errorf("record %d was handed out twice", n)
				}
				for _, at := range []uint64{uint64(n) * 100, uint64(n)*100 + 99} {
					if !b.pages[at/testPage].Load() {
						t.Errorf("record %d has no memory", n)
					}
				}
				if mine = append(mine, n); i%3 == 0 {
					taken[n].Add(-1)
					p.put(n)
					mine = mine[:len(mine)-1]
				}
			}
		})
	}
	wg.Wait()
	total := 0
	for i := range taken {
		total += int(taken[i].Load())
	}
	if enough := 40 * testPage / 100; total < enough-growStep/100-1 || total > enough {
		t.Errorf("%d records in the memory for %d", total, enough)
	}
}

// TestOutOfMemory: a table that cannot grow makes its calls fail, and they go on when
// there is memory again.
func TestOutOfMemory(t *testing.T) {
	m := bootFiles(t, 1, nil)
	starved := false
	populate = func(cpu int, va, n uint64) bool { return !starved }
	t.Cleanup(func() { populate = nil })
	starved = true
	fds := user(&[2]int32{})
	m.want(enfile, nrPipe2, fds, 0)
	ep := m.epoll() // from what the first step of growth left
	ev := user(&event{in})
	var r int64
	for n := 0; n < 1000 && r >= 0; n++ {
		if r = m.call(0, nrEventfd2, 0, 0); r >= 0 {
			if c := m.call(0, nrEpollCtl, ep, epollAdd, uint64(r), ev); c != 0 && c != enospc {
				t.Fatalf("epoll_ctl: %d", c)
			}
		}
	}
	if r != enfile {
		t.Errorf("eventfd without memory: %d", r)
	}
	starved = false
	m.want(0, nrPipe2, fds, 0)
	if r := m.call(0, nrEventfd2, 0, 0); r < 0 {
		t.Errorf("eventfd with memory again: %d", r)
	}
}
