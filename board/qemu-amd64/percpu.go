package board

import (
	"syscall"
	"unsafe"

	"pdac/asm"
	"pdac/kernel/linux"
	"pdac/kernel/sched"
)

// context gives the assembly the field offsets of a task's saved registers.
type context sched.Context

// percpu is the record that GS points to on each CPU. It is written by its own
// CPU only, but for online, dump and local, which are atomic or read after a halt.
type percpu struct {
	// What every system call touches: one cache line.
	self  uint64 // address of this record
	ctx   uint64 // address of the running task's sched.Context, 0 when idle
	entry uint64 // where the kernel stack begins: spillRoom below its top
	tls   uint64 // FS base in the kernel: the address behind fakeG
	trap  uint64 // odd while in the kernel
	fakeG uint64 // thread-local slot that the compiler reads g from
	need  uint64 // address of sched's word that is not 0 when Leave has something to do
	id    uint64 // CPU number, 0 = BSP; dense over the CPUs that run

	counts   uint64   // address of linux's call counters of this CPU
	contexts uint64   // address of task 0's context
	task     sched.ID // running task, 0 when idle
	_        uint32
	scratch  uint64

	slot      uint64 // index into cpus
	apicID    uint32
	node      uint32
	online    uint32  // atomic: see ap.go
	stage     uint32  // atomic: of an AP's start
	stack     uint64  // top of the kernel stack
	tscOffset uint64  // what to add to this CPU's TSC
	local     uintptr // atomic: setLocal's
	nested    uint64  // 1 while a page fault of the kernel itself is being served
	irqs      [96]uint64

	dumped uint32 // atomic: the crash dump has this CPU's registers
	dump   frame
	gdt    [7]uint64
	_      [4]byte
	tss    [26]uint32 // SDM 3A, figure 8-11; RSP0 is unused in ring 0
	_      [8]byte
	g      [512]byte // the fake g: stack.lo and stackguard 0, so no stack check fires
	_      [64]byte  // keeps neighbours' lines apart
}

// frame is what the trap entries push: see stay in trap_amd64.s.
type frame struct {
	rax, rbx, rcx, rdx, rsi, rdi, rbp      uint64
	r8, r9, r10, r11, r12, r13, r14, r15   uint64
	vector, code, rip, cs, rflags, rsp, ss uint64
}

// For the assembly.
const (
	countedCalls = linux.CountedCalls
	ownTurn      = linux.OwnTurn // and the next is linux.OwnNumber
	futex        = syscall.SYS_FUTEX
	spillRoom    = 64 // for the register arguments of what the entries call
	programFlags = linux.CallFlags
)

const bootStackSize = 32 << 10

var (
	boot      percpu // the BSP's record until memory for all is there
	bootStack [bootStackSize]byte
	cpus      []percpu         // one for each CPU that the tables name
	records   [maxCPUs]*percpu // by CPU number; constant once the scheduler is open
	startInfo uint64           // hvm_start_info, physical; 0 in an ordinary process
	entryTSC  uint64
	xsaveSize uint64 // bytes of an XSAVE area; 0: FXSAVE
	apFirst   uint64 // what apEntry looks through
	apCount   uint64
)

const (
	codeSelector = 8
	tssSelector  = 24

	msrSTAR       = 0xc0000081
	msrLSTAR      = 0xc0000082
	msrSFMASK     = 0xc0000084
	sfmask        = 0x44700 // AC, NT (IRETQ faults on it), DF, IF, TF
	cr4OSXSAVE    = 1 << 18
	cr4FSGSBASE   = 1 << 16
	xcr0x87SSEAVX = 7
	xcr0AVX512    = 0xe0
	cpuidXSAVE    = 1 << 26 // leaf 1 ECX
	cpuidFSGSBASE = 1 << 0  // leaf 7 EBX
)

// vectorState enables the vector units of this CPU: XSAVE with x87, SSE, AVX
// and AVX-512 as they are there, else FXSAVE. The first CPU decides the size.
func vectorState(bsp bool) {
	_, _, ecx, _ := asm.CPUID(1, 0)
	if ecx&cpuidXSAVE == 0 {
		return
	}
	asm.SetCR4(asm.CR4() | cr4OSXSAVE)
	eax, _, _, _ := asm.CPUID(0xd, 0)
	mask := uint64(eax) & (xcr0x87SSEAVX | xcr0AVX512)
	if mask&4 == 0 {
		mask &= 3
	}
	asm.XSETBV(mask)
	if bsp {
		_, ebx, _, _ := asm.CPUID(0xd, 0)
		xsaveSize = uint64(ebx)
		asm.AVX = mask&4 != 0
	}
}

// loadTables gives the CPU its GDT, TSS with interrupt stacks, IDT and system
// call entry, and allows WRFSBASE where it exists. stacks are the tops of the
// stacks of IST 1 to 4.
func (c *percpu) loadTables(exception, nmi, double, check uint64) {
	c.entry = c.stack - spillRoom
	ist := [5]uint64{exception, c.stack, nmi, double, check}
	for i, top := range ist {
		c.tss[9+2*i] = uint32(top)
		c.tss[10+2*i] = uint32(top >> 32)
	}
	c.tss[25] = 104 << 16 // no I/O bitmap
	tss := uint64(uintptr(unsafe.Pointer(&c.tss)))
	c.gdt[1] = 0x00af9a000000ffff
	c.gdt[2] = 0x00cf92000000ffff
	c.gdt[3] = 103 | tss&0xffffff<<16 | 0x89<<40 | tss>>24&0xff<<56
	c.gdt[4] = tss >> 32
	loadDescriptors(uintptr(unsafe.Pointer(&c.gdt)), 39, asm.LGDT)
	asm.LTR(tssSelector)
	loadDescriptors(uintptr(unsafe.Pointer(&idt)), uint16(unsafe.Sizeof(idt)-1), asm.LIDT)

	_, entry, _, _, _ := entryAddrs()
	asm.WRMSR(msrSTAR, codeSelector<<32)
	asm.WRMSR(msrLSTAR, entry)
	asm.WRMSR(msrSFMASK, sfmask)
	if hasFSGSBase() {
		asm.SetCR4(asm.CR4() | cr4FSGSBASE)
	}
}

func loadDescriptors(base uintptr, limit uint16, load func(uintptr)) {
	var r [10]byte
	r[0], r[1] = byte(limit), byte(limit>>8)
	for i := range 8 {
		r[2+i] = byte(base >> (8 * i))
	}
	load(uintptr(unsafe.Pointer(&r)))
}

func imageAddrs() (text, etext, rodata, erodata, end uint64)
func entryAddrs() (stubs, syscall, ap, trampoline, program uint64)
func setBase(c *percpu)

// thisCPU returns the number of the CPU that calls.
func thisCPU() int
