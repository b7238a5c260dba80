package main

import (
	"runtime"
	"runtime/debug"
	"strings"
)

type record struct {
	pad [8]uint64
	v   uint64
}

//go:noinline
func loadField(r *record) uint64 { return r.v }

//go:noinline
func storeField(r *record, v uint64) { r.v = v }

//go:noinline
func quotient(a, b int) int { return a / b }

// recovered runs f and returns the text of its panic.
func recovered(f func()) (text string) {
	defer func() {
		if e, ok := recover().(runtime.Error); ok {
			text = e.Error()
		}
	}()
	f()
	return ""
}

// nils dereferences nil, by load and store, with live values around it.
func nils(w *worker) func() {
	var none *record
	return func() {
		for range 20 {
			a, b := w.Uint64(), w.Float64()
			x, y := a, b
			text := recovered(func() {
				x, y = x*3+1, y*1.5
				if a&1 == 0 {
					storeField(none, x)
				} else {
					x = loadField(none)
				}
			})
			if !strings.Contains(text, "nil pointer dereference") {
				bad("nil: recovered %q", text)
			}
			if x != a*3+1 || y != b*1.5 {
				bad("nil: %d and %v after a panic, want %d and %v", x, y, a*3+1, b*1.5)
			}
		}
	}
}

func divides(w *worker) func() {
	return func() {
		for range 20 {
			a, q := w.IntN(1000), 0
			zero := a * 0
			text := recovered(func() { q = quotient(a, zero) })
			if !strings.Contains(text, "divide by zero") || q != 0 {
				bad("divide: recovered %q, %d", text, q)
			}
			if q = quotient(a*7, 7); q != a {
				bad("divide: %d / 7 is %d", a*7, q)
			}
		}
	}
}

// faultAt runs f and says whether it touched memory that it may not, and where.
func faultAt(f func()) (address uintptr, faulted bool) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if r := recover(); r != nil {
			a, ok := r.(interface{ Addr() uintptr })
			if !ok {
				panic(r)
			}
			address, faulted = a.Addr(), true
		}
	}()
	f()
	return 0, false
}

var sink [64]struct {
	v uint64
	_ [56]byte
}

// badAccesses touches what it may not: guarded pages, the program's text.
func badAccesses(w *worker) func() {
	page := mmap(pageSize, protNone)
	slot := &sink[w.IntN(len(sink))].v
	return func() {
		offset := uintptr(w.IntN(pageSize/8) * 8)
		at, faulted := faultAt(func() { *slot = *page.word(offset) })
		if !faulted || at != uintptr(page)+offset {
			bad("faults: a load of %#x, PROT_NONE: fault %v at %#x", uintptr(page)+offset, faulted, at)
		}
		page.protect(pageSize, protRead)
		if v := *page.word(offset); v != 0 {
			bad("faults: %#x in fresh memory", v)
		}
		at, faulted = faultAt(func() { *page.word(offset) = 1 })
		if !faulted || at != uintptr(page)+offset {
			bad("faults: a store to %#x, PROT_READ: fault %v at %#x", uintptr(page)+offset, faulted, at)
		}
		page.protect(pageSize, protNone)
	}
}
