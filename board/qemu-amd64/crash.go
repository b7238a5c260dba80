package board

import (
	"pdac/asm"
	"pdac/kernel/crash"
	"pdac/kernel/linux"
	"pdac/kernel/sched"
	"pdac/kernel/vm"
)

// initCrash tells package crash about this machine.
func initCrash() {
	crash.Readable = readable
	crash.Peer = peer
	crash.Peers = ncpu
}

func readable(va uint64) bool { return vm.Mapped(va) }

// peer reports what another CPU was last seen doing.
func peer(cpu int) (p crash.PeerState) {
	c := records[cpu]
	p.Online = c.online == cpuUp
	p.Task = c.task
	p.Idle = c.task == 0 && c.trap&1 == 0
	switch {
	case c.dumped != 0:
		p.RIP, p.RSP, p.RBP = c.dump.rip, c.dump.rsp, c.dump.rbp
	case c.ctx != 0:
		x := (*sched.Context)(asm.Pointer(c.ctx))
		p.RIP, p.RSP, p.RBP = x.RIP, x.RSP, x.RBP
	}
	return p
}

func (c *percpu) info(reason string) crash.Info {
	return crash.Info{Reason: reason, CPU: int(c.id), Task: c.task,
		CR0: asm.CR0(), CR2: asm.CR2(), CR3: asm.CR3(), CR4: asm.CR4()}
}

// program notes where the program was that the kernel was serving.
func (c *percpu) program(i *crash.Info) {
	if c.ctx != 0 {
		x := (*sched.Context)(asm.Pointer(c.ctx))
		i.ProgramRIP, i.ProgramRSP, i.ProgramRBP = x.RIP, x.RSP, x.RBP
	}
}

// dump stops the machine and prints the dump; code is the exit code.
func (c *percpu) crash(i *crash.Info, code int) {
	stopOthers(int(c.id))
	if crash.Dump(i) == crash.PowerOff {
		exit(int(c.id), code)
	}
	for {
		asm.CLI()
		asm.HLT()
	}
}

// crashKernel ends the machine for an exception in the kernel.
func crashKernel(c *percpu, f *frame, cr2 uint64) {
	reason := "exception in the kernel"
	switch {
	case f.vector == vecPage && onGuard(c, cr2), f.vector == vecDouble:
		reason = "kernel stack overflow"
	case f.vector == vecPage && cr2 < 4096:
		reason = "nil dereference or Go panic in the kernel"
	case f.vector == vecPage:
		reason = "page fault in the kernel"
	case f.vector == vecMachine:
		reason = "machine check"
	}
	i := c.info(reason)
	i.Trap, i.Vector, i.Code = true, uint8(f.vector), f.code
	i.CR2 = cr2
	i.Regs = crash.Regs{RAX: f.rax, RBX: f.rbx, RCX: f.rcx, RDX: f.rdx, RSI: f.rsi, RDI: f.rdi, RBP: f.rbp, RSP: f.rsp,
		R8: f.r8, R9: f.r9, R10: f.r10, R11: f.r11, R12: f.r12, R13: f.r13, R14: f.r14, R15: f.r15,
		RIP: f.rip, RFLAGS: f.rflags, FS: c.tls, GS: c.self}
	c.program(&i)
	c.crash(&i, exitPanic)
}

// crashIdle ends the machine for an exception on a CPU that had nothing to do.
func crashIdle(c *percpu, vector, code, cr2, rip uint64) {
	i := c.info("exception on an idle CPU")
	i.Trap, i.Vector, i.Code = true, uint8(vector), code
	i.CR2 = cr2
	i.Regs.RIP = rip
	c.crash(&i, exitPanic)
}

// fatal ends the machine for a program's signal that nobody handles, with
// 128 + signal as a shell would report it.
func fatal(cpu int, t sched.ID, sig int, code int32, addr uint64) {
	c := records[cpu]
	i := c.info(signalReason(sig))
	i.CR2 = addr
	i.Regs = c.regs(&sched.Get(t).Ctx)
	c.crash(&i, 128+sig)
}

// goExit is the exit code of a Go program that the runtime ends.
const goExit = 2

// programExit ends the machine for the program. Where Go's runtime ends it for a
// fault that nobody recovered, the runtime has told of its goroutines; the dump
// adds the machine's side.
func programExit(cpu int, code int) {
	c := records[cpu]
	if code == goExit {
		if f, ok := unrecovered(&sched.Get(c.task).Ctx); ok {
			i := c.info(signalReason(f.Signal))
			i.Trap, i.Vector, i.Code = true, uint8(f.Vector), f.Code
			i.CR2 = f.CR2
			i.Regs = c.regs(&f.Regs)
			c.crash(&i, code)
		}
	}
	exit(cpu, code)
}

// unrecovered finds the fault for which Go's runtime ends the program, by the
// frames of the exit, whose registers are x: they lead through the runtime's
// fatalpanic or fatalthrow and, if it was a fault, its sigpanic, which the frame
// that the fault was in seems to have called.
func unrecovered(x *sched.Context) (linux.Fault, bool) {
	const depth = 64
	symbols, ok := crash.Symbols()
	if !ok {
		return linux.Fault{}, false
	}
	dying := false
	rbp := x.RBP
	for range depth {
		ret, ok1 := loadWord(rbp + 8)
		next, ok2 := loadWord(rbp)
		if !ok1 || !ok2 {
			break
		}
		rbp = next
		s, ok := symbols.Lookup(ret - 1)
		switch {
		case !ok:
		case hasPrefix(s.Outer, "runtime.fatalpanic"), hasPrefix(s.Outer, "runtime.fatalthrow"):
			dying = true
		case dying && string(s.Outer) == "runtime.sigpanic":
			return faultBefore(&symbols, rbp)
		}
	}
	return linux.Fault{}, false
}

// faultBefore finds the fault that led to the sigpanic with that frame. The
// goroutine may have changed threads since, so the faults of all are looked at. Its
// stack may have moved too, growing: then RBP is another, but its g has the stack.
// RSP and RBP are returned as they are now.
func faultBefore(symbols *crash.Table, frame uint64) (linux.Fault, bool) {
	rbp, ok1 := loadWord(frame)
	rip, ok2 := loadWord(frame + 8)
	if !ok1 || !ok2 {
		return linux.Fault{}, false
	}
	for t := sched.ID(1); t < sched.Tasks(); t++ {
		f := linux.LastFault(t)
		if f.Signal == 0 || f.Regs.RBP != rbp && !hasStack(f.Regs.R14, frame) {
			continue
		}
		rsp := frame + 16
		if f.Regs.RIP != rip {
			if _, ok := symbols.Lookup(f.Regs.RIP); ok {
				continue
			}
			rsp -= 8 // a jump to nowhere: its return address is the call's own (runtime.preparePanic)
		}
		f.Regs.RBP, f.Regs.RSP = rbp, rsp
		return f, true
	}
	return linux.Fault{}, false
}

// hasStack tells whether a frame is on the stack of a g, which begins with the
// stack's bounds. g may be any word: assembly is free to use R14.
func hasStack(g, frame uint64) bool {
	lo, ok1 := loadWord(g)
	hi, ok2 := loadWord(g + 8)
	return ok1 && ok2 && lo <= frame && frame < hi
}

// loadWord reads a word, if the address may be read.
func loadWord(va uint64) (uint64, bool) {
	if va%8 != 0 || !readable(va) {
		return 0, false
	}
	return load64(va), true
}

func hasPrefix(b []byte, prefix string) bool {
	return len(b) >= len(prefix) && string(b[:len(prefix)]) == prefix
}

// regs are a program's registers for the dump.
func (c *percpu) regs(x *sched.Context) crash.Regs {
	return crash.Regs{RAX: x.RAX, RBX: x.RBX, RCX: x.RCX, RDX: x.RDX, RSI: x.RSI, RDI: x.RDI, RBP: x.RBP, RSP: x.RSP,
		R8: x.R8, R9: x.R9, R10: x.R10, R11: x.R11, R12: x.R12, R13: x.R13, R14: x.R14, R15: x.R15,
		RIP: x.RIP, RFLAGS: x.RFLAGS, FS: x.FS, GS: c.self}
}

// signalReason names a signal that ended the program.
func signalReason(sig int) string {
	switch sig {
	case 4:
		return "program ended by SIGILL"
	case 5:
		return "program ended by SIGTRAP"
	case 6:
		return "program ended by SIGABRT"
	case 7:
		return "program ended by SIGBUS"
	case 8:
		return "program ended by SIGFPE"
	case 9:
		return "program ended by SIGKILL"
	case 11:
		return "program ended by SIGSEGV"
	case 15:
		return "program ended by SIGTERM"
	}
	return "program ended by a signal"
}
