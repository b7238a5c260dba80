package linux

import (
	"unsafe"

	"pdac/kernel/sched"
)

// Config is what the board gives to Init. The slices are memory that is never freed; Threads may be a virtual array, of which the
// scheduler's growth of Tasks populates as many entries as it has tasks.
type Config struct {
	NCPU    int
	Nodes   []uint8       // NUMA node of each CPU
	NNodes  int           // NUMA nodes
	Threads []Thread      // one for each sched.Task
	Buckets []FutexBucket // for futexes; a power of two of them, 256 for each CPU is plenty
	Timers  []PosixTimer  // one for each of the scheduler's timers
	Counts  []uint64      // NCPU*Calls, zero

	MemoryNodes uint64 // a bit for each node with RAM

	Now  func() uint64 // monotonic time in ns, the scheduler's
	Wall uint64        // ns since 1970-01-01 UTC when Now was 0

	XSaveSize     uint64 // bytes of the standard XSAVE area, CPUID(0Dh).EBX; 512: FXSAVE
	XSaveFeatures uint64 // XCR0
	XSaveBase     uint64 // address of task 0's area; the others follow
	XSaveStride   uint64 // bytes between two

	Hooks Hooks
}

// Hooks are the ways out of this package. Exit and Fatal don't return on a machine; a test's may, and then the thread goes on.
type Hooks struct {
	Exit      func(cpu int, code int)                                     // exit_group, or the last thread's exit
	Fatal     func(cpu int, t sched.ID, sig int, code int32, addr uint64) // a signal killed the program
	MapDevice func(cpu int, pa, n uint64) int64                           // DeviceMapped, ...; see MapDevice
	Memory    func() (total, free uint64)                                 // bytes of RAM
	Room      func(n uint64) bool                                         // whether a mapping of n bytes could be filled now
}

var hooks Hooks

// Init sets the package up, and the scheduler's hooks; sched.Init comes first. It is called once at boot, by one CPU, before any
// task runs.
func Init(cfg *Config) {
	if n := len(cfg.Buckets); n == 0 || n&(n-1) != 0 || len(cfg.Counts) < cfg.NCPU*Calls {
		panic("linux: bad Config")
	}
	threads, futexBuckets, timers = cfg.Threads, cfg.Buckets, cfg.Timers
	futexMask = uint64(len(cfg.Buckets)-1) * uint64(unsafe.Sizeof(FutexBucket{}))
	counts = unsafe.Slice((*callCounts)(unsafe.Pointer(&cfg.Counts[0])), cfg.NCPU)
	clockNow, ncpu, nodes = cfg.Now, cfg.NCPU, cfg.Nodes
	nnodes, memoryNodes = cfg.NNodes, cfg.MemoryNodes
	SetWall(cfg.Wall)
	xsaveLayout.size, xsaveLayout.features = cfg.XSaveSize, cfg.XSaveFeatures
	xsaveLayout.base, xsaveLayout.stride = cfg.XSaveBase, cfg.XSaveStride
	hooks = cfg.Hooks
	userWord = wordFunc()
	sched.OnExit(exitThread)
	sched.OnTimeout(onTimeout)
	sched.OnTimer(onTimer)
}

// Start makes t, which the board has set up and not yet enqueued, the main thread.
func Start(t sched.ID) {
	if t != mainThread {
		panic("linux: the main thread is not task 1")
	}
	th := thread(t)
	th.begin(t, 0)
	c := &sched.Get(t).Ctx
	c.XSave, c.MXCSR = xsaveArea(t), mxcsrReset
}
