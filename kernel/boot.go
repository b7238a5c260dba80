package kernel

import (
	"pdac/asm"
	"unsafe"

	"pdac/kernel/klog"
	"pdac/kernel/linux"
	"pdac/kernel/lockfree"
	"pdac/kernel/sched"
	"pdac/kernel/vm"
)

// Limits of the tables that grow: address space only, memory comes with use.
const (
	maxTasks  = sched.MaxTasks
	maxTimers = 1 << 16

	bucketsPerCPU = 256
	stackSize     = 256 << 10 // of the program's first thread
	programName   = "pdac"
)

var (
	hardware Hardware
	options  Options
	tables   struct {
		tasks      []sched.Task
		taskLinks  []uint32
		entries    []lockfree.Node
		entryLinks []uint32
		threads    []linux.Thread
		xsave      uint64
		stride     uint64
		grownTasks uint32
		timers     []sched.TimerNode
		timerLinks []uint32
		posix      []linux.PosixTimer
		grown      uint32
	}
)

// Boot starts the kernel on the calling CPU and makes the program's first thread
// runnable. When it returns, every CPU may call sched.Leave.
//
// Preconditions: vm runs; interrupts are off; the other CPUs wait.
func Boot(h *Hardware) {
	hardware = *h
	options.Parse(h.Cmdline)
	klog.SetLevel(options.level)
	vm.SetHuge(options.huge)

	t := &tables
	t.tasks = reserve[sched.Task](maxTasks)
	t.taskLinks = reserve[uint32](maxTasks)
	t.entries = reserve[lockfree.Node](sched.Entries(h.NCPU, maxTasks))
	t.entryLinks = reserve[uint32](len(t.entries))
	if n := sched.Entries(h.NCPU, 0); !back(0, t.entries, 0, n) || !back(0, t.entryLinks, 0, n) {
		panic("kernel: no memory for the run queues")
	}
	t.threads = reserve[linux.Thread](maxTasks)
	t.stride = (h.XSaveSize + 63) &^ 63
	t.xsave = h.Reserve(maxTasks * t.stride)
	t.timers = reserve[sched.TimerNode](maxTimers)
	t.timerLinks = reserve[uint32](maxTimers)
	t.posix = reserve[linux.PosixTimer](maxTimers)

	sched.Init(sched.Machine{
		NCPU:       h.NCPU,
		Nodes:      h.Nodes,
		Distances:  h.Distances,
		Now:        h.Now,
		Kick:       h.Kick,
		Arm:        h.Arm,
		CPUs:       table[sched.CPU](h.NCPU),
		Trace:      table[sched.TraceSlot](h.NCPU * sched.TraceSlots),
		Tasks:      t.tasks,
		TaskLinks:  t.taskLinks,
		GrowTasks:  growTasks,
		Entries:    t.entries,
		EntryLinks: t.entryLinks,
		Timers:     t.timers,
		TimerLinks: t.timerLinks,
		GrowTimers: growTimers,
	})
	linux.Init(&linux.Config{
		NCPU:          h.NCPU,
		Nodes:         h.Nodes,
		NNodes:        h.NNodes,
		MemoryNodes:   h.MemoryNodes,
		Threads:       t.threads,
		Buckets:       table[linux.FutexBucket](powerOfTwo(bucketsPerCPU * h.NCPU)),
		Timers:        t.posix,
		Counts:        table[uint64](h.NCPU * linux.Calls),
		Now:           h.Now,
		XSaveSize:     h.XSaveSize,
		XSaveFeatures: h.XSaveFeatures,
		XSaveBase:     t.xsave,
		XSaveStride:   t.stride,
		Hooks:         linux.Hooks{Exit: h.Exit, Fatal: h.Fatal, Memory: h.Memory, Room: h.Room, MapDevice: h.MapDevice},
	})
	initFiles()
	startProgram(0)
}

// startProgram makes the first thread, at the Go runtime's entry.
func startProgram(cpu int) {
	id, ok := sched.New(cpu)
	if !ok {
		panic("kernel: no memory for the first task")
	}
	base, errno := vm.Map(cpu, 0, stackSize, vm.ProtRead|vm.ProtWrite, vm.MapPrivate|vm.MapAnonymous)
	if errno != 0 {
		panic("kernel: no memory for the first stack")
	}
	var random [randomBytes]byte
	linux.Random(cpu, random[:])
	c := &sched.Get(id).Ctx
	c.RIP, c.RFLAGS = hardware.Entry, linux.CallFlags
	c.RSP = fillStack(unsafe.Slice((*byte)(asm.Pointer(base)), stackSize), base, programName, &options, &random)
	linux.Start(id)
	sched.Enqueue(cpu, id)
}

// reserve makes a table of n elements whose memory comes later.
func reserve[T any](n int) []T {
	var zero T
	return unsafe.Slice((*T)(asm.Pointer(hardware.Reserve(uint64(n)*uint64(unsafe.Sizeof(zero))))), n)
}

// table makes a table of n elements, with memory.
func table[T any](n int) []T {
	s := reserve[T](n)
	if !back(0, s, 0, n) {
		panic("kernel: no memory for the kernel's tables")
	}
	return s
}

// back gives memory to elements [from, to) of a table.
func back[T any](cpu int, s []T, from, to int) bool {
	size := uint64(unsafe.Sizeof(s[0]))
	return hardware.Back(cpu, uint64(uintptr(unsafe.Pointer(unsafe.SliceData(s))))+uint64(from)*size, uint64(to-from)*size)
}

// growTasks makes all tables that go by task number usable below n. The
// scheduler calls it under a lock.
func growTasks(cpu int, n uint32) bool {
	t := &tables
	from, to := int(t.grownTasks), int(n)
	firstEntry, lastEntry := sched.Entries(hardware.NCPU, t.grownTasks), sched.Entries(hardware.NCPU, n)
	if !back(cpu, t.tasks, from, to) || !back(cpu, t.taskLinks, from, to) || !back(cpu, t.threads, from, to) ||
		!hardware.Back(cpu, t.xsave+uint64(from)*t.stride, uint64(to-from)*t.stride) ||
		!back(cpu, t.entries, firstEntry, lastEntry) || !back(cpu, t.entryLinks, firstEntry, lastEntry) {
		return false
	}
	t.grownTasks = n
	return true
}

// growTimers does the same for timers.
func growTimers(cpu int, n uint32) bool {
	t := &tables
	from, to := int(t.grown), int(n)
	if !back(cpu, t.timers, from, to) || !back(cpu, t.timerLinks, from, to) || !back(cpu, t.posix, from, to) {
		return false
	}
	t.grown = n
	return true
}

func powerOfTwo(n int) int {
	p := 1
	for p < n {
		p <<= 1
	}
	return p
}
