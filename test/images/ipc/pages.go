package main

import (
	"runtime"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"syscall"
	"unsafe"

	"pdac/kernel/ipc"
	"pdac/kernel/vm"
)

const pageSize = ipc.PageSize

var endpoints = must(ipc.New(ipc.Config{Pages: ipc.Remap{}}))

// reserve maps n bytes that read as zeros.
func reserve(n uintptr) []byte {
	return must(syscall.Mmap(-1, 0, int(n), syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE))
}

func rangeOf(b []byte) ipc.Range {
	return ipc.Range{At: uintptr(unsafe.Pointer(unsafe.SliceData(b))), Len: uintptr(len(b))}
}

// bytes returns the memory of a range, which is none of Go's.
func bytes(r ipc.Range) []byte {
	return unsafe.Slice(*(**byte)(unsafe.Pointer(&r.At)), r.Len)
}

func release(r ipc.Range) { ipc.Remap{}.Free(r.At, r.Len) }

func page(b []byte, i int) *uint64 { return (*uint64)(unsafe.Pointer(&b[i*pageSize])) }

// frames returns which frame is behind each page; none: no page is mapped.
func frames(r ipc.Range) (all []uint32, none bool) {
	none = true
	for at := r.At; at < r.At+r.Len; at += pageSize {
		f, ok := vm.Frame(uint64(at))
		none = none && !ok
		all = append(all, f)
	}
	return all, none
}

// faults reports whether f touches what is not there.
func faults(f func()) (yes bool) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() { yes = recover() != nil }()
	f()
	return false
}

// moveOne sends pages while another goroutine keeps its CPU's translation of them in use: they are
// the same frames with the same contents at the new address, and the old one faults there too.
func moveOne(size uintptr) {
	e := must(endpoints.Create(ipc.Options{}))
	old := reserve(size)
	pages := len(old) / pageSize
	for i := range pages {
		*page(old, i) = uint64(i) + 1
	}
	before, _ := frames(rangeOf(old))

	var sent atomic.Bool
	var watching, done sync.WaitGroup
	watching.Add(1)
	done.Go(func() {
		last := page(old, pages-1)
		if *last == uint64(pages) {
			watching.Done()
		}
		for over := false; !over; {
			over = sent.Load()
			var v uint64
			if faults(func() { v = atomic.LoadUint64(last) }) {
				continue
			}
			// Zero between the move and the end of the rights.
			check(!over && (v == uint64(pages) || v == 0), "%d bytes at their old address: %d, sent %v", size, v, over)
		}
	})
	watching.Wait()

	m := ipc.Message{Ranges: 1}
	m.Range[0] = rangeOf(old)
	err := e.Send(nil, nil, &m)
	sent.Store(true)
	done.Wait()
	check(err == nil, "sending %d bytes: %v", size, err)
	check(faults(func() { *page(old, 0) = 1 }), "%d bytes can be written at their old address", size)
	_, none := frames(rangeOf(old))
	check(none, "%d bytes: frames at the old address", size)

	got := make(chan ipc.Range)
	go func() {
		var m ipc.Message
		err := e.Recv(nil, nil, &m)
		check(err == nil && m.Ranges == 1, "receiving %d bytes: %v, %d ranges", size, err, m.Ranges)
		got <- m.Range[0]
	}()
	r := <-got
	check(r.Len == size && r.At != rangeOf(old).At, "sent %+v, received %+v", rangeOf(old), r)
	after, _ := frames(r)
	moved := bytes(r)
	for i := range pages {
		if v := *page(moved, i); v != uint64(i)+1 || after[i] != before[i] {
			check(false, "page %d of %d bytes: %d in frame %d, was in %d", i, size, v, after[i], before[i])
			break
		}
	}
	release(r)
	release(rangeOf(old))
	e.Kill(nil)
}

// passAround calls with the same pages over and over, from one CPU to another and back, where there
// are two.
func passAround() {
	const rounds, pages = 200, 3
	e := must(endpoints.Create(ipc.Options{}))
	var wg sync.WaitGroup
	wg.Go(func() {
		runtime.LockOSThread()
		var m ipc.Message
		for e.Recv(nil, nil, &m) == nil {
			b := bytes(m.Range[0])
			for i := range pages {
				*page(b, i)++
			}
			err := e.Reply(m.Call, &m)
			check(err == nil, "replying with pages: %v", err)
		}
	})
	wg.Go(func() {
		runtime.LockOSThread()
		m := ipc.Message{Ranges: 1}
		m.Range[0] = rangeOf(reserve(pages * pageSize))
		for n := range uint64(rounds) {
			left := m.Range[0]
			err := e.Call(nil, nil, 0, &m, &m)
			check(err == nil && m.Ranges == 1, "calling with pages: %v, %d ranges", err, m.Ranges)
			release(left)
			b := bytes(m.Range[0])
			for i := range pages {
				if v := *page(b, i); v != 2*n+1 {
					check(false, "page %d after %d rounds: %d, want %d", i, n, v, 2*n+1)
					return
				}
				*page(b, i)++
			}
		}
		release(m.Range[0])
		e.Kill(nil)
	})
	wg.Wait()
}

// lose sends pages that nobody receives: they end with their endpoint.
func lose() {
	e := must(endpoints.Create(ipc.Options{}))
	old := reserve(2 * pageSize)
	*page(old, 0), *page(old, 1) = 1, 1
	before := vm.ReadStats()
	m := ipc.Message{Ranges: 2}
	m.Range[0], m.Range[1] = rangeOf(old[:pageSize]), rangeOf(old[pageSize:])
	err := e.Send(nil, nil, &m)
	check(err == nil, "sending two ranges: %v", err)
	e.Kill(nil)
	after := vm.ReadStats()
	check(after.Unmapped >= before.Unmapped+2, "%d pages given back by an endpoint that died with 2", after.Unmapped-before.Unmapped)
	check(faults(func() { *page(old, 0) = 1 }), "pages that died with their endpoint are back")
	release(rangeOf(old))
}

// returnTables moves pages far and often, and counts page tables and areas, which come back. Those of
// the Go runtime may grow meanwhile, by far less than a table or an area for each move.
func returnTables() {
	const moves = 300
	e := must(endpoints.Create(ipc.Options{}))
	before := vm.ReadStats()
	for range moves {
		b := reserve(4 << 20)
		*page(b, 0), *page(b, len(b)/pageSize-1) = 1, 1
		m := ipc.Message{Ranges: 1}
		m.Range[0] = rangeOf(b)
		err := e.Send(nil, nil, &m)
		check(err == nil, "sending: %v", err)
		err = e.Recv(nil, nil, &m)
		check(err == nil, "receiving: %v", err)
		release(rangeOf(b))
		release(m.Range[0])
	}
	after := vm.ReadStats()
	check(after.Tables < before.Tables+moves/4, "%d page tables, were %d", after.Tables, before.Tables)
	check(after.Areas < before.Areas+moves/4, "%d areas, were %d", after.Areas, before.Areas)
}
