package sim

// Cost is something that takes time.
type Cost uint8

// The costs. See the table for what each covers.
const (
	Syscall Cost = iota
	New
	Push
	Park
	Futex
	Switch
	Requeue
	Exit
	Interrupt
	HaltExit
	Send
	Flight
	Look
	NearLine
	FarLine
	nCosts
)

// instruction is the ns that one instruction takes: one a cycle at 2.5 GHz. Kernel code that misses no cache does better on
// current cores; misses are charged apart. Servers average about one (Kanev et al., "Profiling a Warehouse-Scale Computer",
// ISCA 2015).
const instruction = 0.4

// Overlap is how many independent cache misses are under way at a time. A core has 10 to 16 line fill buffers (Intel 64 and
// IA-32 Architectures Optimization Reference Manual, chapter 2); a scan with a branch after each load fills some of them.
const Overlap = 4

// recordLines is how many lines of a task another CPU reads to run it: the record's first, and three of registers.
const recordLines = 4

// committed is the one place where the simulator's costs are. The scheduler's own instructions were counted on the host, by
// callgrind over the benchmarks beside this file (docs/SIMULATION.md), what surrounds them in the guest: they are what
// test/bench/linux/record.txt has for system calls more than the scheduler's own at that time.
var committed = [nCosts]struct {
	name         string
	instructions float64
	ns           float64 // more
	source       string
}{
	Syscall: {"syscall", 52, 50,
		"RawSyscall 52; SYSCALL and the return take some 50 ns more than instructions (Humphries et al., ghOSt, SOSP 2021: 72 ns)"},
	New: {"new", 142, 0,
		"BenchmarkSpawn: New"},
	Push: {"push", 249, 0,
		"BenchmarkWake: Wake (Enqueue is 241)"},
	Park: {"park", 51, 0,
		"BenchmarkWake: Park"},
	Futex: {"futex", 106, 0,
		"a futex call around Wake or Park: half a round trip of 1,529, less two system calls, the scheduler's 322 and 127 for registers, by 2"},
	Switch: {"switch", 241 + 127, 0,
		"BenchmarkWake: Leave; registers saved and restored: sched_yield 397 less the system call and the scheduler's 218"},
	Requeue: {"requeue", 33 + 481 - 241, 0,
		"BenchmarkYield: Yield, and Leave with a current task, less Leave without"},
	Exit: {"exit", 100, 0,
		"BenchmarkSpawn: Exit"},
	Interrupt: {"interrupt", 0, 500,
		"1,212 cycles at 2.3 GHz to take an IPI and return (Kaffes et al., Shinjuku, NSDI 2019)"},
	HaltExit: {"halt exit", 0, 2000,
		"C1 exit latency of Skylake-SP, the worst case (Linux, drivers/idle/intel_idle.c, skx_cstates; 1,000 for Ice Lake)"},
	Send: {"send", 0, 150,
		"298 cycles at 2.3 GHz to send an IPI (Shinjuku)"},
	Flight: {"flight", 0, 700,
		"IPI sent to handler's first instruction: of 1,772 ns to wake a remote CPU, all but the target's own 1,064 (ghOSt)"},
	Look: {"look", 23, 0,
		"kernel/sched's BenchmarkSearch, by callgrind: 63 queues without a task"},
	NearLine: {"near line", 0, 50,
		"modified in another core's cache, same node (Molka et al., Haswell-EP, ICPP 2015)"},
	FarLine: {"far line", 0, 115,
		"modified in a core of the other socket, which SLITs call 21 (Molka et al.)"},
}

// Costs are ns by Cost.
type Costs [nCosts]uint64

// Committed returns the committed costs times scale, at least 1 ns each.
func Committed(scale float64) (c Costs) {
	for i := range c {
		c[i] = max(1, uint64((committed[i].instructions*instruction+committed[i].ns)*scale+0.5))
	}
	return c
}

// Source returns what a cost is called, and where its value is from.
func (c Cost) Source() (name, source string) { return committed[c].name, committed[c].source }

// line returns what a line costs that was written at a SLIT distance, in ns: along the straight line through NearLine, at
// 10, and FarLine, at 21.
func (c *Costs) line(distance uint8) uint64 {
	d := min(max(uint64(distance), 10), 100) - 10
	return c[NearLine] + max(c[FarLine], c[NearLine])*d/11 - c[NearLine]*d/11
}
