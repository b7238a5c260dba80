package table

import (
	"fmt"
	"os"
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"

	"pdac/asm"
	"pdac/kernel/cap"
	"pdac/kernel/rcu"
	"pdac/test/bench/peers/keys"
)

// Names of the contestants from kernel/cap that the goals refer to.
const (
	Ours   = "cap Find or Lookup"
	Called = "cap Lookup"
	Check  = "cap Holds or Check"
	Gated  = "cap Find in a section"
)

// Own returns kernel/cap's table, read in four ways: as who needs the object does, by the inlined
// half first or by a call each time; as who needs only the answer; and as a gated call does, in a
// read section.
func Own() []Kind {
	return []Kind{
		{Name: Ours, Build: func(n int) (Table, []uint64) {
			t, ids := build(n)
			return find{t}, ids
		}},
		{Name: Called, Build: func(n int) (Table, []uint64) {
			t, ids := build(n)
			return lookup{t}, ids
		}},
		{Name: Check, Build: func(n int) (Table, []uint64) {
			t, ids := build(n)
			return check{t}, ids
		}},
		{Name: Gated, Build: func(n int) (Table, []uint64) {
			t, ids := build(n)
			return gated{t}, ids
		}},
	}
}

const (
	objectType = 1
	ownNeed    = cap.Read | cap.Write
)

// own is a table of capabilities without formula or gas, that are roots.
type own struct {
	t      *cap.Table
	d      *rcu.Domain
	second atomic.Uintptr // goroutine of the worker on CPU 1
	region
}

func build(n int) (*own, []uint64) {
	o := newOwn(n + n/2 + 4096) // revoked ones wait for a grace period
	made := make([]uint64, n)
	for i := range made {
		made[i] = o.create(0)
	}
	ids := make([]uint64, n)
	for i, k := range keys.Permutation(n) {
		ids[i] = made[k]
	}
	return o, ids
}

func newOwn(slots int) *own {
	o := &own{}
	o.d = rcu.New(rcu.Config{CPUs: 2, CPU: o.cpu})
	start := time.Now()
	t, err := cap.New(cap.Config{
		Slots:   slots,
		CPUs:    2,
		Now:     func() uint64 { return uint64(time.Since(start)) },
		Key:     [2]uint64{0x0123456789abcdef, 0xfedcba9876543210},
		RCU:     o.d,
		Reserve: o.reserve,
	})
	if err != nil {
		panic(err)
	}
	o.t = t
	return o
}

// Close gives the table's memory back. Nobody may use it any more.
func (o *own) Close() error {
	o.d.Barrier()
	return o.region.Close()
}

func (o *own) create(cpu int) uint64 {
	id, err := o.t.Create(cpu, 0, cap.MakeObject(objectType, 0), cap.AllPerms, cap.Options{})
	if err != nil {
		panic(fmt.Sprint("cap: Create: ", err))
	}
	return uint64(id)
}

// cpu stands for what tells the CPU number in an image, RDPID: of two workers it names the second.
func (o *own) cpu() int {
	if asm.Goroutine() == o.second.Load() {
		return 1
	}
	return 0
}

// Replace revokes a capability, with all that Revoke waits for, and creates another.
func (o *own) Replace(cpu int, old uint64) uint64 {
	if me := asm.Goroutine(); cpu == 1 && o.second.Load() != me {
		o.second.Store(me)
	}
	if err := o.t.Revoke(cap.ID(old), cap.ID(old)); err != nil {
		panic(fmt.Sprint("cap: Revoke: ", err))
	}
	return o.create(cpu)
}

// find is Lookup as its documentation says to write it.
type find struct{ *own }

func (o find) Read(cpu int, seq []uint64, from, n int) (passed int) {
	t := o.t
	mask := len(seq) - 1
	for i := range n {
		id := cap.ID(seq[(from+i)&mask])
		object, ok := t.Find(id, ownNeed)
		if !ok {
			var err error
			if object, err = t.Lookup(cpu, id, ownNeed); err != nil {
				continue
			}
		}
		passed += 1 + int(object.Ref())
	}
	return passed
}

func (o find) Chase(cpu int, seq []uint64, from, n int) (passed int) {
	t := o.t
	mask := len(seq) - 1
	for range n {
		id := cap.ID(seq[from&mask])
		object, ok := t.Find(id, ownNeed)
		if !ok {
			var err error
			if object, err = t.Lookup(cpu, id, ownNeed); err != nil {
				continue
			}
		}
		passed++
		from += 1 + int(object.Ref())
	}
	return passed
}

type lookup struct{ *own }

func (o lookup) Read(cpu int, seq []uint64, from, n int) (passed int) {
	t := o.t
	mask := len(seq) - 1
	for i := range n {
		if object, err := t.Lookup(cpu, cap.ID(seq[(from+i)&mask]), ownNeed); err == nil {
			passed += 1 + int(object.Ref())
		}
	}
	return passed
}

func (o lookup) Chase(cpu int, seq []uint64, from, n int) (passed int) {
	t := o.t
	mask := len(seq) - 1
	for range n {
		if object, err := t.Lookup(cpu, cap.ID(seq[from&mask]), ownNeed); err == nil {
			passed++
			from += 1 + int(object.Ref())
		}
	}
	return passed
}

type check struct{ *own }

func (o check) Read(_ int, seq []uint64, from, n int) (passed int) {
	t := o.t
	mask := len(seq) - 1
	for i := range n {
		if id := cap.ID(seq[(from+i)&mask]); t.Holds(id, ownNeed) || t.Check(id, ownNeed) {
			passed++
		}
	}
	return passed
}

type gated struct{ *own }

func (o gated) Read(cpu int, seq []uint64, from, n int) (passed int) {
	t, d := o.t, o.d
	mask := len(seq) - 1
	for i := range n {
		id := cap.ID(seq[(from+i)&mask])
		section := d.ReadLock(cpu)
		object, ok := t.Find(id, ownNeed)
		if !ok {
			var err error
			object, err = t.Lookup(cpu, id, ownNeed)
			ok = err == nil
		}
		if ok {
			passed += 1 + int(object.Ref())
		}
		d.ReadUnlock(section)
	}
	return passed
}

// Bare is the check alone, to be read as machine code.
//
//go:noinline
func Bare(t *cap.Table, id cap.ID, need cap.Perm) bool { return t.Holds(id, need) }

// measureOwn weighs a table of n slots with a capability in each. Its memory comes by page as it is
// touched; the first array that the table asks for is the index (the entries that Check and Lookup
// read).
func measureOwn(n int) Memory {
	o := newOwn(n)
	defer o.Close()
	entries := 0
	for ; ; entries++ {
		if _, err := o.t.Create(0, 0, cap.MakeObject(objectType, 0), cap.AllPerms, cap.Options{}); err == cap.ErrFull {
			break
		} else if err != nil {
			panic(fmt.Sprint("cap: Create: ", err))
		}
	}
	m := Memory{Name: "cap"}
	for i, r := range o.reserved {
		touched := float64(resident(r)) / float64(entries)
		if i == 0 {
			m.Index = touched
		}
		m.Total += touched
	}
	return m
}

// resident returns how many bytes of mapped memory have pages: mincore(2).
func resident(m []byte) (bytes int) {
	size := os.Getpagesize()
	pages := make([]byte, (len(m)+size-1)/size)
	if _, _, e := syscall.Syscall(syscall.SYS_MINCORE, uintptr(unsafe.Pointer(&m[0])), uintptr(len(m)), uintptr(unsafe.Pointer(&pages[0]))); e != 0 {
		panic(fmt.Sprint("mincore: ", e))
	}
	for _, p := range pages {
		bytes += int(p&1) * size
	}
	return min(bytes, len(m))
}
