package board

import (
	"math/bits"
	"unsafe"

	"pdac/asm"
	"pdac/kernel/linux"
	"pdac/kernel/numa"
	"pdac/kernel/vm"
)

// Address map above the identity-mapped first 4 GiB and the program's areas.
const (
	directBase = 0xffff_8000_0000_0000 // all RAM, by physical address
	arrayBase  = 0xffff_a000_0000_0000 // virtual arrays, one after the other
)

// arrayNext is where the next virtual array goes.
var arrayNext uint64 = arrayBase

// reserve sets kernel address space aside for a virtual array: a table whose
// limit is large and whose memory comes as it grows. Boot only.
func reserve(bytes uint64) (va uint64) {
	va = arrayNext
	arrayNext += (bytes + hugeSize) &^ (hugeSize - 1) // at least a page apart
	return va
}

// array reserves a virtual array of n elements. Nothing backs it yet.
func array[T any](n int) []T {
	var zero T
	return unsafe.Slice((*T)(asm.Pointer(reserve(uint64(n)*uint64(unsafe.Sizeof(zero))))), n)
}

// back gives memory to elements [from, to) of a virtual array.
func back[T any](s []T, from, to int) {
	size := uint64(unsafe.Sizeof(s[0]))
	p := uint64(uintptr(unsafe.Pointer(unsafe.SliceData(s))))
	if from < to && !vm.Populate(0, p+uint64(from)*size, uint64(to-from)*size) {
		die("out of memory for the kernel's tables")
	}
}

const (
	pageSize = 4096
	hugeSize = 2 << 20
	gigaSize = 1 << 30

	pteBits  = 3 // present, writable
	pteHuge  = 1 << 7
	pteNX    = 1 << 63
	pteFrame = 0x000f_ffff_ffff_f000

	cpuidGiga = 1 << 26 // leaf 0x80000001 EDX
)

// early hands out frames before the pools exist: upwards through the free RAM,
// which ascends, so the first ones are below 4 GiB and identity-mapped.
var early struct {
	free  [160]span
	n     int
	next  int    // range that frames come from
	taken uint64 // frames
	ready bool   // the pools have taken over
}

// findFree lists the RAM that nothing occupies: without the first MiB (firmware
// data, AP start page), the entry's scratch memory, what is mapped of the image,
// and the initrd.
func findFree() {
	text, _, _, _, _ := imageAddrs()
	end, _ := lazyBss()
	e := &early
	for _, r := range handover.ram[:handover.nram] {
		if e.n == len(e.free) {
			break
		}
		e.free[e.n] = r
		e.n++
	}
	cut(0, 1<<20)
	cut(bootPML4, bootEnd)
	cut(text, end)
	cut(handover.initrd.base, handover.initrd.limit)
	for i := range e.n { // whole frames
		s := &e.free[i]
		s.base = (s.base + pageSize - 1) &^ (pageSize - 1)
		s.limit = max(s.limit&^(pageSize-1), s.base)
	}
}

// cut removes [base, limit) from the free ranges.
func cut(base, limit uint64) {
	e := &early
	for i := range e.n {
		s := &e.free[i]
		if limit <= s.base || base >= s.limit || base >= limit {
			continue
		}
		switch {
		case base <= s.base:
			s.base = min(limit, s.limit)
		case limit >= s.limit:
			s.limit = base
		case e.n < len(e.free):
			copy(e.free[i+2:e.n+1], e.free[i+1:e.n])
			e.free[i+1] = span{limit, s.limit}
			s.limit = base
			e.n++
		}
	}
}

// earlyFrame takes one frame, with any contents.
func earlyFrame() (pa uint64, ok bool) {
	for e := &early; e.next < e.n; e.next++ {
		s := &e.free[e.next]
		if s.base < s.limit {
			pa = s.base
			s.base += pageSize
			e.taken++
			return pa, true
		}
	}
	return 0, false
}

// earlyTable takes a zeroed frame for a page table below 4 GiB.
func earlyTable() uint64 {
	pa, ok := earlyFrame()
	if !ok || pa >= 4<<30 {
		die("out of memory below 4 GiB for the first page tables")
	}
	asm.ZeroPages(uintptr(pa), 1)
	return pa
}

// child returns the table that entry i of table points to, made if it's absent.
// Tables are reached through the entry's identity map.
func child(table, i uint64) uint64 {
	p := (*uint64)(asm.Pointer(table + i*8))
	if *p&1 == 0 {
		*p = earlyTable() | pteBits
	}
	return *p & pteFrame
}

// buildDirect maps all RAM at directBase in both the entry's page tables, which
// this runs on, and the final ones, whose PML4 it returns. Where the image lies it
// uses 2 MiB pages, since mapImage splits them.
func buildDirect() (root uint64) {
	_, _, _, _, end := imageAddrs()
	root = earlyTable()
	top := child(root, directBase>>39&511)
	*(*uint64)(asm.Pointer(bootPML4 + directBase>>39&511*8)) = top | pteBits
	giga := false
	if max, _, _, _ := asm.CPUID(0x80000000, 0); max >= 0x80000001 {
		_, _, _, edx := asm.CPUID(0x80000001, 0)
		giga = edx&cpuidGiga != 0
	}
	for _, r := range handover.ram[:handover.nram] {
		for pa := r.base &^ (hugeSize - 1); pa < r.limit; {
			if pa>>39 != 0 {
				top = child(root, (directBase+pa)>>39&511)
				*(*uint64)(asm.Pointer(bootPML4 + (directBase+pa)>>39&511*8)) = top | pteBits
			}
			if giga && pa%gigaSize == 0 && pa >= end && r.limit-pa >= gigaSize {
				*(*uint64)(asm.Pointer(top + pa>>30&511*8)) = pa | pteHuge | pteNX | pteBits
				pa += gigaSize
				continue
			}
			t := child(top, pa>>30&511)
			*(*uint64)(asm.Pointer(t + pa>>21&511*8)) = pa | pteHuge | pteNX | pteBits
			pa += hugeSize
		}
	}
	return root
}

// The entry's page table and the end of its scratch memory: BOOT_PML4 and BOOT_SP
// of entry_amd64.s.
const (
	bootPML4 = 0x200000
	bootEnd  = 0x208000
)

// ramEnd returns the end of RAM.
func ramEnd() (end uint64) {
	for _, r := range handover.ram[:handover.nram] {
		end = max(end, r.limit)
	}
	return end
}

// initFrames hands the RAM that nothing occupies to the pools of its nodes.
func initFrames() {
	n := int((ramEnd() + hugeSize - 1) / hugeSize)
	c := numa.FramesConfig{
		Blocks:      array[numa.Block](n),
		NextPartial: array[uint32](n),
		NextWhole:   array[uint32](n),
		CPUs:        array[numa.FrameCPU](topology.NCPUs),
		CPUNode:     cpuNodes[:topology.NCPUs],
	}
	for _, r := range handover.ram[:handover.nram] {
		from, to := int(r.base/hugeSize), int((r.limit+hugeSize-1)/hugeSize)
		back(c.Blocks, from, to)
		back(c.NextPartial, from, to)
		back(c.NextWhole, from, to)
	}
	back(c.CPUs, 0, len(c.CPUs))
	frames.Init(c)
}

// openFrames ends the early allocator: what it has left goes to the pools, and
// some of that to the reserve.
func openFrames() {
	for _, s := range early.free[:early.n] {
		for _, r := range topology.RAM() {
			from, to := max(s.base, r.Base), min(s.limit, r.Limit)
			from, to = (from+pageSize-1)/pageSize, to/pageSize
			if from < to {
				frames.AddRange(uint32(from), uint32(to), r.Node)
			}
		}
	}
	early.ready = true

	n := linux.ReserveFrames(topology.NCPUs)
	slots, links := array[uint32](n), array[uint32](n)
	back(slots, 0, n)
	back(links, 0, n)
	reserved.Init(slots, links)
	for range n {
		fr, ok := frames.Alloc(0, topology.Order(int(cpuNodes[0])))
		if !ok {
			die("out of memory for the reserve")
		}
		reserved.Put(fr)
	}
}

// neverFree returns the bytes of RAM that were in use before the kernel was.
func neverFree() uint64 {
	n := ramBytes() - early.taken*pageSize
	for node := range topology.NNodes {
		n -= frames.Stats(node).Total
	}
	return n
}

// frames are the pools, reserved is what is left to report that they are empty,
// cpuNodes the node of each CPU.
var (
	frames   numa.Frames
	reserved numa.Reserve
	cpuNodes [maxCPUs]uint8
)

// roomSlack is what a large mapping must leave, so that a program whose mappings
// are refused still gets small ones, which the Go runtime makes for itself.
const roomSlack = 512 << 10

// room says whether n bytes more, and page tables for them, could be used now.
func room(n uint64) bool { return n < 1<<52 && frames.Has(n+n>>9+min(n, roomSlack)) }

// allocFrame is vm's and the kernel's source of frames: by policy first, the
// reserve last, whatever the policy, since that is for telling that there is no more.
func allocFrame(cpu int, p numa.Policy, page uint64, huge bool) (uint32, bool) {
	if !early.ready {
		if huge {
			return 0, false
		}
		pa, ok := earlyFrame()
		return uint32(pa >> 12), ok
	}
	frame, ok := uint32(0), false
	switch {
	case huge:
		var buf [numa.MaxNodes]uint8
		return frames.AllocHuge(cpu, topology.Place(p, int(cpuNodes[cpu]), page, &buf))
	case p.Mode == numa.Default:
		frame, ok = frames.Alloc(cpu, topology.Order(int(cpuNodes[cpu])))
	default:
		frame, ok = placed(cpu, p, page, numa.MaxNodes)
	}
	if ok {
		return frame, true
	}
	if linux.LastResort(records[cpu].task) {
		return reserved.Take()
	}
	return 0, false
}

// spareFrame is vm's source of frames that nobody needs yet: of the first node only.
func spareFrame(cpu int, p numa.Policy, page uint64) (uint32, bool) {
	if p.Mode == numa.Default {
		return frames.Alloc(cpu, topology.Order(int(cpuNodes[cpu]))[:1])
	}
	return placed(cpu, p, page, 1)
}

// placed takes a frame by a policy, from the first n nodes that it names at most. It is apart from
// the two above for its array, which is cleared at each call.
//
//go:noinline
func placed(cpu int, p numa.Policy, page uint64, n int) (uint32, bool) {
	var buf [numa.MaxNodes]uint8
	order := topology.Place(p, int(cpuNodes[cpu]), page, &buf)
	return frames.Alloc(cpu, order[:min(n, len(order))])
}

// taskPolicy is the policy of the task on cpu.
func taskPolicy(cpu int) numa.Policy {
	if t := records[cpu].task; t != 0 {
		return linux.MemoryPolicy(t)
	}
	return numa.Policy{}
}

// nodeOfFrame returns the node of a frame of RAM.
func nodeOfFrame(frame uint32) uint8 {
	node, _ := topology.NodeOf(uint64(frame) * pageSize)
	return node
}

func freeFrame(cpu int, frame uint32, huge bool) {
	switch {
	case huge:
		frames.FreeHuge(cpu, frame)
	case !reserved.Room() || !reserved.Put(frame):
		frames.Free(cpu, frame)
	}
}

func freeFrames(cpu int, first uint32, set uint64) {
	for reserved.Room() && set != 0 && reserved.Put(first+uint32(bits.TrailingZeros64(set))) {
		set &= set - 1
	}
	if set != 0 {
		frames.FreeSet(cpu, first, set)
	}
}

func zeroFrame(frame uint32, huge bool) {
	n := uintptr(1)
	if huge {
		n = hugeSize / pageSize
	}
	asm.ZeroPages(uintptr(directBase+uint64(frame)<<12), n)
}
