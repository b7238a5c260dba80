package crash

import (
	"sync/atomic"

	"pdac/kernel/klog"
)

// What the dump needs to know of the machine. All are set once, at boot.
var (
	// Readable reports whether the byte at va can be read without a fault. nil: nothing can.
	Readable func(va uint64) bool
	// Peers is the number of CPUs that Peer knows.
	Peers int
	// Peer returns what CPU cpu was last seen doing. It must not wait for it.
	Peer func(cpu int) PeerState
)

// PeerState is what is known of another CPU. RIP, RSP and RBP are of its last trap, zero if there was none.
type PeerState struct {
	Online, Idle  bool
	Task          uint32 // 0 if none
	RIP, RSP, RBP uint64
}

// Info is what the caller knows of the crash.
type Info struct {
	Reason string // becomes one line: "page fault in the kernel", the panic's text
	CPU    int
	Task   uint32 // 0 if none

	Trap   bool // Vector and Code are meaningful
	Vector uint8
	Code   uint64

	Regs               Regs
	CR0, CR2, CR3, CR4 uint64

	// Program is where the trap that the kernel was serving had interrupted the program. Zero RIP: none, Regs are the program's.
	ProgramRIP, ProgramRSP, ProgramRBP uint64
}

// dumping is 0, or 1 + the CPU that dumps, plus again for each time that it has crashed since.
var dumping atomic.Uint64

const again = 1 << 32

// Verdict says what the caller of Dump has to do next.
type Verdict uint8

const (
	PowerOff Verdict = iota // the dump is out, or as much of it as there will be: power off with the crash's exit code
	Halt                    // halt this CPU for good: another one is at it, or powering off crashes too
)

// Dump prints the crash dump to klog's line, in the format of docs/CRASH.md. The first CPU to call it gets the line; the others
// are to halt. A crash on the CPU that dumps adds one line, the next one nothing, and after that even powering off is given up.
//
// Preconditions: interrupts are off. The other CPUs may still run.
func Dump(i *Info) Verdict {
	me := uint64(i.CPU) + 1
	if !dumping.CompareAndSwap(0, me) {
		if dumping.Load()%again != me {
			return Halt
		}
		return dumpAgain(i, dumping.Add(again)/again)
	}
	klog.Seize()
	t, ok := Symbols()
	putHead(i)
	putRegs(i)
	putCode(i)
	if !ok {
		put("symbols: the pc-line table is damaged\n")
	}
	put("stack:\n")
	putStack(&t, i.Regs.RIP, i.Regs.RSP, i.Regs.RBP)
	if i.ProgramRIP != 0 {
		put("program:\n")
		putStack(&t, i.ProgramRIP, i.ProgramRSP, i.ProgramRBP)
	}
	putPeers(&t, i.CPU)
	put("*** end of dump ***\n")
	return PowerOff
}

// dumpAgain is about the nth crash after the one that is being dumped.
func dumpAgain(i *Info, n uint64) Verdict {
	if n > 2 {
		return Halt
	}
	if n == 1 {
		put("\n*** crash in the crash dump: ")
		putText(i.Reason)
		put(" at ")
		putAddr(i.Regs.RIP)
		put(" CR2 ")
		putAddr(i.CR2)
		putc('\n')
	}
	return PowerOff
}

func putHead(i *Info) {
	put("*** PDAC crash: ")
	putText(i.Reason)
	put(" ***\nCPU ")
	putDec(uint64(i.CPU))
	put(", ")
	putTask(i.Task)
	if klog.Now != nil {
		put(", ")
		us := klog.Now() / 1000
		putDec(us / 1e6)
		putc('.')
		for d := uint64(100_000); d > 0; d /= 10 {
			putc(byte('0' + us/d%10))
		}
		put(" s after boot")
	}
	putc('\n')
	if i.Trap {
		put("vector ")
		putDec(uint64(i.Vector))
		if int(i.Vector) < len(vectors) {
			putc(' ')
			put(vectors[i.Vector])
		}
		put(", error code ")
		putShort(i.Code)
		if i.Vector == pageFault {
			putAccess(i.Code)
			put(" at ")
			putAddr(i.CR2)
		}
		putc('\n')
	}
}

// vectors are the exceptions' mnemonics: Intel SDM volume 3A, table 6-1.
var vectors = [...]string{"#DE", "#DB", "NMI", "#BP", "#OF", "#BR", "#UD", "#NM", "#DF", "", "#TS", "#NP", "#SS", "#GP", "#PF", "",
	"#MF", "#AC", "#MC", "#XM", "#VE", "#CP"}

const pageFault = 14

// putAccess decodes a page fault's error code: Intel SDM volume 3A, section 4.7.
func putAccess(code uint64) {
	switch {
	case code&16 != 0:
		put(": execution of ")
	case code&2 != 0:
		put(": write to ")
	default:
		put(": read from ")
	}
	switch {
	case code&8 != 0:
		put("a page with reserved bits set")
	case code&1 != 0:
		put("a protected page")
	default:
		put("an unmapped page")
	}
}

func putTask(t uint32) {
	if t == 0 {
		put("no task")
		return
	}
	put("task ")
	putDec(uint64(t))
}

func putRegs(i *Info) {
	r := &i.Regs
	putReg("RIP", r.RIP, ' ')
	putReg("RSP", r.RSP, ' ')
	putReg("RBP", r.RBP, '\n')
	putReg("RAX", r.RAX, ' ')
	putReg("RBX", r.RBX, ' ')
	putReg("RCX", r.RCX, '\n')
	putReg("RDX", r.RDX, ' ')
	putReg("RSI", r.RSI, ' ')
	putReg("RDI", r.RDI, '\n')
	putReg("R8 ", r.R8, ' ')
	putReg("R9 ", r.R9, ' ')
	putReg("R10", r.R10, '\n')
	putReg("R11", r.R11, ' ')
	putReg("R12", r.R12, ' ')
	putReg("R13", r.R13, '\n')
	putReg("R14", r.R14, ' ')
	putReg("R15", r.R15, ' ')
	putReg("RFL", r.RFLAGS, '\n')
	putReg("FS ", r.FS, ' ')
	putReg("GS ", r.GS, ' ')
	putReg("CR0", i.CR0, '\n')
	putReg("CR2", i.CR2, ' ')
	putReg("CR3", i.CR3, ' ')
	putReg("CR4", i.CR4, '\n')
}

func putReg(name string, v uint64, after byte) {
	put(name)
	putc(' ')
	putAddr(v)
	putc(after)
}

// putCode prints the bytes around RIP, the one that RIP points at in angle brackets.
func putCode(i *Info) {
	const before, after = 12, 12
	put("code:")
	for a := i.Regs.RIP - before; a != i.Regs.RIP+after; a++ {
		putc(' ')
		if a == i.Regs.RIP {
			putc('<')
		}
		if Readable != nil && Readable(a) {
			putHex(uint64(peek8(uintptr(a))), 2)
		} else {
			put("??")
		}
		if a == i.Regs.RIP {
			putc('>')
		}
	}
	putc('\n')
	if n := noted(i.Regs.RIP); n != nil {
		put("instruction: ")
		n.put()
		putc('\n')
	}
}

// putPeers prints a line for each of the other CPUs.
func putPeers(t *Table, self int) {
	if Peer == nil {
		return
	}
	for cpu := range Peers {
		if cpu == self {
			continue
		}
		p := Peer(cpu)
		put("CPU ")
		putDec(uint64(cpu))
		switch {
		case !p.Online:
			put(": offline\n")
			continue
		case p.Idle:
			put(": idle\n")
			continue
		}
		put(": ")
		putTask(p.Task)
		if p.RIP != 0 {
			put(", RIP ")
			putAddr(p.RIP)
			put(" RSP ")
			putAddr(p.RSP)
			putc(' ')
			putSymbol(t, p.RIP)
		}
		putc('\n')
	}
}
