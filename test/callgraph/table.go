package callgraph

// The walk over the real image. Change this file with the code: an indirect
// call that is not listed fails, and so does an entry that nothing reaches.

const board = "pdac/board/qemu-amd64."

// below is the policy for everything that runs below the runtime.
var below = policy{
	// What the assembly of the trap entries calls.
	roots: []string{
		"pdac/kernel/linux.Syscall",
		"pdac/kernel/linux.Futex",
		"pdac/kernel/linux.Yield",
		board + "leave",
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

	indirect: []hooks{
		{ // Hardware.Back.
			pkg:     "pdac/kernel.",
			sites:   map[string]int{"growTasks": 6, "growTimers": 3},
			targets: []string{"pdac/kernel/vm.Populate"},
		},
		{ // The clock against which the TSC is measured.
			pkg: board,
			sites: map[string]int{
				"sample": 1,
			},
			targets: []string{board + "readHPET", board + "readPM", board + "readPIT"},
		},
		{ // Config.Now, of formulas that expire.
			pkg:     "pdac/kernel/cap.",
			sites:   map[string]int{"(*Table).look": 1},
			targets: []string{board + "readClock", board + "readClockAnywhere"},
		},
		{ // Readable, Peer, and klog.Out.
			pkg: "pdac/kernel/crash.",
			sites: map[string]int{
				"load": 2, "putCode": 1, "putHead": 1, "putPeers": 1, "putc": 2,
			},
			targets: []string{board + "readable", board + "peer", board + "putByte"},
		},
		{ // Out, Now and CPU.
			pkg: "pdac/kernel/klog.",
			sites: map[string]int{
				"Record.End": 2, "Seize": 2, "line": 3,
			},
			targets: []string{board + "putByte", board + "readClock", board + "readClockAnywhere", board + "thisCPU"},
		},
		{ // Config.Now, Hooks, ConsoleOut, Files.Populate, Entropy, userWord, and what SetAsk sets.
			pkg: "pdac/kernel/linux.",
			sites: map[string]int{
				"(*PosixTimer).arm": 1, "(*extent).grow": 1, "Deliver": 1, "deadlineOf": 1, "Syscall": 3, "Futex": 1,
				"epollWait": 2, "force": 1, "gather": 1, "handle": 1, "nap": 1, "putRemaining": 1, "readClock": 2,
				"consult": 1, "sysExit": 1, "sysGettimeofday": 1, "sysMapDevice": 1, "sysMmap": 1, "sysMremap": 1, "sysSigreturn": 1, "sysSysinfo": 2, "sysTime": 1, "sysTimes": 1,
				"writeConsole": 1,
			},
			targets: []string{board + "readClock", board + "readClockAnywhere", board + "exit", board + "fatal", board + "memory", board + "room", board + "mapDeviceFor", board + "output", "pdac/kernel/vm.Populate", "pdac/kernel/linux.hardwareEntropy", "pdac/kernel/linux.userWordAt", "pdac/kernel/gate.ask"},
		},
		{ // Machine, OnExit and OnTimeout.
			pkg: "pdac/kernel/sched.",
			sites: map[string]int{
				"(*CPU).contend": 1, "(*CPU).urge": 1, "record": 1, "(*CPU).rearm": 1, "(*table).take": 1, "(*CPU).search": 1, "Park": 1,
				"CPUTime": 1, "Exit": 2, "New": 1, "Stats": 1, "Tick": 1, "Urgent": 1, "(*timerQueue).expire": 1, "timeout": 1, "kick": 1,
				"Ready": 1,
			},
			targets: []string{board + "readClock", board + "readClockAnywhere", board + "kick", board + "arm", "pdac/kernel.growTasks", "pdac/kernel.growTimers", "pdac/kernel/linux.exitThread", "pdac/kernel/linux.onTimeout"},
		},
		{ // Config.
			pkg: "pdac/kernel/vm.",
			sites: map[string]int{
				"(*areaTree).reserve": 1, "(*batch).flush": 3, "LeaveIdle": 1, "ahead": 3, "clearPart": 1, "Populate": 3, "Poll": 1, "flush": 2, "grow": 3,
				"halves.split": 2, "reserveSplits": 3, "resolve": 8, "shoot": 1, "splitKernel": 1,
				"NodeAt": 1, "strays": 1, "migrate": 2, "(*migration).move": 4, "(*migration).flush": 1, "sampled": 1,
			},
			targets: []string{board + "growAreas", board + "allocFrame", board + "spareFrame", board + "freeFrame", board + "freeFrames", board + "zeroFrame", board + "taskPolicy", board + "nodeOfFrame", board + "shoot", "pdac/asm.INVLPG", "pdac/asm.FlushTLB"},
		},
	},
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
