package linux

import (
	"pdac/kernel/klog"
	"pdac/kernel/sched"
	"pdac/kernel/vm"
)

// Out of memory. The program must be able to say so, which takes memory:
//
//   - A mapping that is larger than what is free is refused, so that the Go runtime
//     learns of it where it asks, and ends with "out of memory" and a stack. (Linux
//     refuses what exceeds all RAM and has a killer for the rest.) MAP_NORESERVE
//     asks for one that is to stay mostly empty.
//   - A page of an older mapping may still find no frame. The thread gets SIGBUS
//     with the address, which the runtime reports as a fault, with a stack.
//   - What that takes, pages of stacks that were never used before above all, comes
//     from a reserve of frames, which serves threads that report and no others.

// lastFrames is how many frames of the reserve a thread gets in its life: the
// runtime's signal stack (32 KiB) and system stack (16 KiB) are 12, a page table
// for each 2, and as many again for the goroutine's stack and the heap.
const lastFrames = 32

// ReserveFrames is the size of the reserve: what two threads get, since the first
// that reports ends the program, and a signal frame and a handler's on the thread
// of each CPU, which the runtime stops for that.
func ReserveFrames(ncpu int) int { return 2*lastFrames + 4*ncpu }

// lastResort is the part of a thread that decides about the reserve. It is the
// thread's own, in the kernel.
type lastResort struct {
	told    bool   // it got SIGBUS for lack of memory
	telling bool   // a signal frame is being written for it
	left    uint32 // frames
}

// LastResort says whether a frame of the reserve may be spent on task t, where
// there is no other, and counts it: if t was told that memory has run out, is
// being told, or cannot be told, as a handler that blocks SIGBUS.
//
// Preconditions: t is current on the calling CPU, or 0.
func LastResort(t sched.ID) bool {
	if t == 0 {
		return false
	}
	th := thread(t)
	r := &th.lastResort
	if r.left == 0 || !r.told && !r.telling && th.mask.Load()&bit(sigBUS) == 0 {
		return false
	}
	r.left--
	return true
}

// tell notes that t is about to get SIGBUS since there is no frame for va.
func (r *lastResort) tell(t sched.ID, va uint64) {
	if !r.told {
		klog.New(klog.Error).Str("linux: out of memory: no frame for a page fault at ").Hex(va).Str(", task ").Dec(uint64(t)).End()
	}
	r.told = true
}

// heapIndex is the size of a mapping that every Go program makes at start and
// uses 8 bytes of for each 64 MiB of heap (runtime/malloc.go, "heap index").
const heapIndex = 32 << 20

// room says whether there is memory for a new mapping.
func room(n, prot, flags uint64) bool {
	return prot == vm.ProtNone || flags&vm.MapNoReserve != 0 || n == heapIndex || hooks.Room(n)
}
