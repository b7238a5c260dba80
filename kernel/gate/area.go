package gate

import (
	"slices"
	"sync"
	"syscall"
	"unsafe"

	"pdac/asm"
	"pdac/kernel/space"
)

// Addresses of memory that programs map through the gate: free of pointers, apart from Go's heap.
//
// A program keeps slices of memory that it unmapped, or whose pages it sent away. What they point to
// must fault, or be pointer-free memory of the same space: were it Go's heap, a write through the slice would
// break the types of Go. So the gate reserves a part of the address space for ever, without rights,
// gives only of that, and what a space had never to another one (region.go).
//
// An area belongs to a space, and only goroutines of that may unmap it, or send its pages. In a
// message pages are nobody's: they move to where no program has a slice, and from there to an address of
// who receives them.
//
// One mutex guards all of it, and is held during the system calls that change it.

const inTransit = space.Kernel // owner of pages in a message: no program's

// area is a range of whole pages and whose it is.
type area struct {
	from, to uintptr
	owner    uint32
}

// arena implements ipc.Pages.
type arena struct {
	sync.Mutex
	areas      []area              // by address
	regions    map[uint32]*regions // by space
	fresh, end uintptr             // addresses that nobody had; end 0: not reserved yet
}

var addresses arena

// Flags of mmap(2) and mremap(2) (Linux include/uapi/asm-generic/mman-common.h, linux/mman.h).
const (
	mapReserve = syscall.MAP_PRIVATE | syscall.MAP_ANON | syscall.MAP_NORESERVE
	mapMemory  = syscall.MAP_PRIVATE | syscall.MAP_ANON | syscall.MAP_FIXED

	remapMayMove   = 1
	remapFixed     = 2
	remapDontUnmap = 4

	readWrite = syscall.PROT_READ | syscall.PROT_WRITE
)

// mmap is mmap(2) without a file.
func mmap(at, n uintptr, prot, flags int) (uintptr, error) {
	at, _, e := syscall.Syscall6(syscall.SYS_MMAP, at, n, uintptr(prot), uintptr(flags), ^uintptr(0), 0)
	if e != 0 {
		return 0, e
	}
	return at, nil
}

// withdraw takes the pages of a range away. The addresses stay reserved.
func withdraw(at, n uintptr) {
	if _, err := mmap(at, n, syscall.PROT_NONE, mapReserve|syscall.MAP_FIXED); err != nil {
		panic("gate: addresses cannot be taken back: " + err.Error())
	}
}

// memory returns the bytes of a range.
func memory(at, n uintptr) []byte { return unsafe.Slice((*byte)(asm.Pointer(uint64(at))), n) }

// obtain maps n bytes, whole pages, for a space.
func (a *arena) obtain(n uintptr, owner uint32) ([]byte, error) {
	a.Lock()
	defer a.Unlock()
	at, err := a.place(owner, n, 0, pageSize)
	if err != nil {
		return nil, err
	}
	if _, err := mmap(at, n, readWrite, mapMemory); err != nil {
		return nil, ErrMemory
	}
	a.insert(area{at, at + n, owner})
	return memory(at, n), nil
}

// release unmaps a range that a space has. False: it hasn't.
func (a *arena) release(at, n uintptr, owner uint32) bool {
	a.Lock()
	defer a.Unlock()
	if !a.take(at, n, owner) {
		return false
	}
	withdraw(at, n)
	return true
}

// leave unmaps all that a space has, which has ended. Its addresses are lost.
func (a *arena) leave(owner uint32) {
	a.Lock()
	defer a.Unlock()
	delete(a.regions, owner)
	a.areas = slices.DeleteFunc(a.areas, func(x area) bool {
		if x.owner != owner {
			return false
		}
		withdraw(x.from, x.to-x.from)
		return true
	})
}

// has says whether a space has a range.
func (a *arena) has(at, n uintptr, owner uint32) bool {
	a.Lock()
	defer a.Unlock()
	return a.find(at, n, owner) >= 0
}

// usage returns how many areas a space has, and their bytes.
func (a *arena) usage(owner uint32) (areas int, bytes uintptr) {
	a.Lock()
	defer a.Unlock()
	for _, x := range a.areas {
		if x.owner == owner {
			areas++
			bytes += x.to - x.from
		}
	}
	return areas, bytes
}

// Move implements ipc.Pages, for pages of the caller's space.
func (a *arena) Move(at, n uintptr) (to uintptr, err error) {
	a.Lock()
	defer a.Unlock()
	owner := space.Get()
	if a.find(at, n, owner) < 0 {
		return 0, &ArgumentError{Argument: "range", Want: "pages that the caller's space has mapped"}
	}
	return a.carry(at, n, owner, inTransit)
}

// carry moves pages from one owner to another. Errors: ErrMemory; the pages are where they were.
func (a *arena) carry(at, n uintptr, from, owner uint32) (to uintptr, err error) {
	if to, err = a.place(owner, n, at%hugeSize, hugeSize); err != nil {
		return 0, err
	}
	if _, _, e := syscall.Syscall6(syscall.SYS_MREMAP, at, n, n, remapMayMove|remapFixed|remapDontUnmap, to, 0); e != 0 {
		withdraw(to, n) // to was unmapped first
		return 0, ErrMemory
	}
	withdraw(at, n)
	a.take(at, n, from)
	a.insert(area{to, to + n, owner})
	return to, nil
}

// Restore implements ipc.Pages. Without memory for it the pages are lost, and their old address
// still faults. So they are if the space has used all its other addresses meanwhile, and the old one again.
func (a *arena) Restore(to, n, at uintptr) {
	a.Lock()
	defer a.Unlock()
	if !a.take(to, n, inTransit) {
		return
	}
	if a.free(at, n) {
		_, _, e := syscall.Syscall6(syscall.SYS_MREMAP, to, n, n, remapMayMove|remapFixed|remapDontUnmap, at, 0)
		if e == 0 {
			a.insert(area{at, at + n, space.Get()})
		} else {
			withdraw(at, n)
		}
	}
	withdraw(to, n)
}

// Keep implements ipc.Pages. A space that has ended gets none: nobody would unmap them.
func (a *arena) Keep(at, n uintptr) (to uintptr) {
	owner := space.Get()
	if !alive(Space(owner)) { // the call's section holds its end up
		a.Free(at, n)
		return 0
	}
	a.Lock()
	defer a.Unlock()
	if a.find(at, n, inTransit) < 0 {
		return 0
	}
	to, err := a.carry(at, n, inTransit, owner)
	if err != nil {
		a.take(at, n, inTransit)
		withdraw(at, n)
		return 0
	}
	return to
}

// Free implements ipc.Pages.
func (a *arena) Free(to, n uintptr) { a.release(to, n, inTransit) }

// above returns which area is the first to end above an address.
func (a *arena) above(at uintptr) int {
	i, _ := slices.BinarySearchFunc(a.areas, at, func(x area, at uintptr) int {
		if x.to <= at {
			return -1
		}
		return 1
	})
	return i
}

// free says whether a range is in no area.
func (a *arena) free(at, n uintptr) bool {
	i := a.above(at)
	return i == len(a.areas) || a.areas[i].from >= at+n
}

// find returns which area of a space a range is in, or -1.
func (a *arena) find(at, n uintptr, owner uint32) int {
	i := a.above(at)
	if i == len(a.areas) || n == 0 || at+n < at || at%pageSize != 0 || n%pageSize != 0 {
		return -1
	}
	if x := a.areas[i]; x.owner != owner || at < x.from || at+n > x.to {
		return -1
	}
	return i
}

// take removes a range from a space's areas. False: it isn't in one.
func (a *arena) take(at, n uintptr, owner uint32) bool {
	i := a.find(at, n, owner)
	if i < 0 {
		return false
	}
	x := a.areas[i]
	var rest []area
	if x.from < at {
		rest = append(rest, area{x.from, at, owner})
	}
	if at+n < x.to {
		rest = append(rest, area{at + n, x.to, owner})
	}
	a.areas = slices.Replace(a.areas, i, i+1, rest...)
	return true
}

// insert adds an area to those that it doesn't overlap.
func (a *arena) insert(x area) {
	i, _ := slices.BinarySearchFunc(a.areas, x.from, func(y area, at uintptr) int {
		if y.from < at {
			return -1
		}
		return 1
	})
	a.areas = slices.Insert(a.areas, i, x)
}
