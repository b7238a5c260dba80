package callgraph

// The walk over the real image. Change this file with the code: an indirect
// call that is not listed fails, and so does an entry that nothing reaches.

const board = "pdac/board/qemu-amd64."

// below is the policy for everything that runs below the runtime.
var below = policy{
	// What the assembly of the trap entries calls.
	roots: []string{
		board + "trapSyscall",
		board + "trap",
		board + "trapKernel",
	},

	// Not entered.
	cut: []string{
		// The stack check of a prologue never fires: the fake g's stackguard0 is 0.
		"runtime.morestack*",
		// A broken invariant ends the kernel: none of these returns. In the fake g
		// the first access to g.m faults, and the trap entry prints the crash dump.
		"runtime.panicBounds*", "runtime.panicIndex*", "runtime.panicSlice*",
		"runtime.panicdivide", "runtime.panicshift", "runtime.panicoverflow", "runtime.panicwrap",
		"runtime.panicnil*", "runtime.panicmem*", "runtime.panicunsafe*", "runtime.panicdottype*",
		"runtime.gopanic", "runtime.throw", "runtime.fatal",
	},

	forbidden: forbidden,

	indirect: []indirect{},
}

// forbidden is what code below the runtime must never reach.
var forbidden = []string{
	"runtime.mallocgc*", "runtime.newobject*", "runtime.newarray*", "runtime.growslice*", "runtime.makeslice*", "runtime.persistentalloc*",
	"runtime.gcWriteBarrier*", "runtime.wbZero*", "runtime.wbMove*", "runtime.typedmemmove*", "runtime.typedmemclr*", "runtime.bulkBarrier*",
	"runtime.makechan*", "runtime.chansend*", "runtime.chanrecv*", "runtime.closechan*", "runtime.selectgo*", "runtime.selectnb*", "runtime.block",
	"runtime.map*", "runtime.makemap*", "internal/runtime/maps.*",
	"runtime.newproc*", "runtime.gopark*", "runtime.goready*", "runtime.ready", "runtime.mcall*", "runtime.systemstack*",
	"runtime.deferproc*", "runtime.deferreturn", "runtime.gorecover",
	"runtime.lock*", "runtime.semacquire*", "runtime.semrelease*", "runtime.notetsleep*", "runtime.futex*",
	"runtime.concatstring*", "runtime.slicebytetostring*", "runtime.stringtoslice*", "runtime.convT*", "runtime.printlock*",
	"runtime.entersyscall*", "runtime.exitsyscall*",
	"sync.*", "internal/sync.*", "syscall.*", "os.*", "fmt.*", "errors.New",
}
