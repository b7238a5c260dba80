package ipc

import (
	"runtime/debug"
	"syscall"
	"testing"
	"unsafe"
)

// pagesAt returns n bytes of memory that was mapped here.
func pagesAt(at, n uintptr) []byte { return unsafe.Slice((*byte)(unsafe.Add(nil, at)), n) }

// faults says whether an access to an address faults.
func faults(at uintptr, write bool) (yes bool) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() { yes = recover() != nil }()
	p := pagesAt(at, 1)
	if write {
		p[0] = 1
	} else {
		sink = p[0]
	}
	return false
}

var sink byte

func mmap(t *testing.T, n int) uintptr {
	t.Helper()
	p, err := syscall.Mmap(-1, 0, n, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_PRIVATE|syscall.MAP_ANON)
	if err != nil {
		t.Fatal(err)
	}
	return uintptr(unsafe.Pointer(&p[0]))
}

// Real memory travels: the receiver finds what the sender wrote, at another address, the sender
// faults, and his addresses are nobody else's until he releases them.
func TestPagesTravel(t *testing.T) {
	tab, err := New(Config{Pages: Remap{}})
	if err != nil {
		t.Fatal(err)
	}
	e, err := tab.Create(Options{})
	if err != nil {
		t.Fatal(err)
	}
	const n = 5 * PageSize
	at := mmap(t, n)
	for i := range uintptr(n) {
		pagesAt(at, n)[i] = byte(i * 7)
	}
	m := new(Message)
	m.Ranges, m.Range[0] = 1, Range{at, n}
	if err := e.TrySend(m); err != nil {
		t.Fatal(err)
	}
	if !faults(at, false) || !faults(at+n-1, true) {
		t.Error("the sender still has his pages")
	}
	for range 50 { // whoever maps memory now gets it elsewhere
		if got := mmap(t, n); got < at+n && at < got+n {
			t.Fatal("the old address was given to somebody else")
		}
	}
	var r Message
	if err := e.TryRecv(&r); err != nil || r.Ranges != 1 || r.Range[0].At == at {
		t.Fatalf("%+v, %v", r, err)
	}
	for i, b := range pagesAt(r.Range[0].At, n) {
		if b != byte(i*7) {
			t.Fatalf("byte %d is %d", i, b)
		}
	}
	pagesAt(r.Range[0].At, n)[3] = 9 // writable
	Remap{}.Free(at, n)
	Remap{}.Free(r.Range[0].At, n)
	if !faults(r.Range[0].At, false) {
		t.Error("freed pages are there")
	}
}

func TestPagesComeBack(t *testing.T) {
	tab, _ := New(Config{Pages: Remap{}})
	e, err := tab.Create(Options{})
	if err != nil {
		t.Fatal(err)
	}
	const gone = PageSize // nothing is ever mapped there
	at := mmap(t, PageSize)
	pagesAt(at, 1)[0] = 42
	m := new(Message)
	m.Ranges, m.Range = 2, [MaxRanges]Range{{at, PageSize}, {gone, PageSize}}
	if err, ok := e.TrySend(m).(*ItemError); !ok || !err.Pages || err.Index != 1 || err.Err != syscall.EFAULT {
		t.Fatalf("%v", err)
	}
	if faults(at, true) || pagesAt(at, 1)[0] == 0 {
		t.Error("the first range did not come back")
	}
	// A dead endpoint's pages are freed.
	m.Ranges = 1
	if err := e.TrySend(m); err != nil {
		t.Fatal(err)
	}
	e.Kill(nil)
	if i := e.Info(); i.Dropped != 1 || !faults(at, false) {
		t.Errorf("%+v", i)
	}
}
