package linux

import (
	"unsafe"

	"pdac/kernel/sched"
)

// Signal frames, as Linux lays them out for x86-64 (arch/x86/include/uapi/asm/sigcontext.h, ucontext.h and
// asm-generic/siginfo.h; psABI 3.2.2 for the red zone). From the new RSP up: the restorer, where the handler returns to; ucontext;
// siginfo; and, where the trap saved them, the vector registers on a boundary of 64 bytes.

// sigFrame is what the handler finds at RSP.
type sigFrame struct {
	restorer uint64
	uc       sigUcontext
	info     sigUserInfo
}

// sigUcontext is the kernel's struct ucontext.
type sigUcontext struct {
	flags, link uint64
	stack       altStack
	regs        sigContext
	mask        uint64
}

// sigContext is struct sigcontext_64.
type sigContext struct {
	r8, r9, r10, r11, r12, r13, r14, r15   uint64
	rdi, rsi, rbp, rbx, rdx, rax, rcx, rsp uint64
	rip, rflags                            uint64
	cs, gs, fs, ss                         uint16
	err, trapno, oldMask, cr2              uint64
	fpstate                                uint64 // address, 0: none
	_                                      [8]uint64
}

// sigUserInfo is siginfo_t.
type sigUserInfo struct {
	signo, errno, code int32
	_                  int32
	first, second      uint64
	_                  [12]uint64
}

// Bits of sigUcontext.flags.
const (
	ucXstate       = 1 // fpstate is an XSAVE area with its header
	ucSegments     = 2 // SS is saved
	ucStrictRestor = 4 // and is to be restored

	// The interrupted call was woken and is still to run: Thread.interrupted was handled. Linux uses the low bits. A program that
	// sets it gets an EINTR more.
	ucHandled = 1 << 32
)

const (
	userCS = 0x33 // what a Linux program sees; nobody loads them here
	userSS = 0x2b

	redZone = 128 // bytes below RSP that a leaf function may use

	flagsIF   = 1 << 9
	flagsOne  = 1 << 1
	flagsUser = 0xcd5 // CF PF AF ZF SF DF OF: what a program may set (SDM vol. 1, 3.4.3)
)

// pushFrame builds the frame for a handler of sig and sets the registers to enter it. It fails on a bad stack or handler.
func pushFrame(th *Thread, c *sched.Context, sig int, info sigInfo, a *sigAction) bool {
	if a.flags&saRestorer == 0 || a.handler >= userEnd {
		return false
	}
	sp := c.RSP - redZone
	alt := th.altStack.state(c.RSP)
	if a.flags&saOnStack != 0 && alt.flags == 0 {
		sp = alt.base + alt.size
	}
	f := sigFrame{restorer: a.restorer}
	f.uc.flags = ucSegments | ucStrictRestor
	if c.Vector != 0 {
		var ok bool
		if sp, ok = pushVector(c, sp); !ok {
			return false
		}
		f.uc.regs.fpstate = sp
		if extended() {
			f.uc.flags |= ucXstate
		}
	}
	sp = (sp-uint64(unsafe.Sizeof(f)))&^15 - 8 // as if the handler had been called
	f.uc.stack = alt
	if th.interrupted == handled {
		f.uc.flags |= ucHandled
	}
	f.uc.regs.save(c)
	f.uc.regs.err, f.uc.regs.trapno, f.uc.regs.cr2 = th.fault.Code, th.fault.Vector, th.fault.CR2
	f.uc.regs.oldMask, f.uc.mask = th.mask.Load(), th.mask.Load()
	f.info = sigUserInfo{signo: int32(sig), code: info.code, first: info.first, second: info.second}
	if !copyOut(sp, unsafe.Pointer(&f), uint64(unsafe.Sizeof(f))) {
		return false
	}
	th.interrupted = 0
	c.RDI = uint64(sig)
	c.RSI = sp + uint64(unsafe.Offsetof(f.info))
	c.RDX = sp + uint64(unsafe.Offsetof(f.uc))
	c.RAX = 0
	c.RSP, c.RIP = sp, a.handler
	c.Vector, c.RFLAGS = 0, CallFlags // a handler is entered like a function: no vector register means anything
	return true
}

// sysSigreturn ends a handler: the restorer calls it with RSP at the ucontext. The program may have written anything there, so
// registers that could hurt the kernel are made harmless: RFLAGS keeps the arithmetic bits, the vector state is checked.
func sysSigreturn(cpu int, t sched.ID, c *sched.Context) int64 {
	th := thread(t)
	var uc sigUcontext
	if !copyIn(unsafe.Pointer(&uc), c.RSP, uint64(unsafe.Sizeof(uc))) ||
		uc.regs.rip >= userEnd || uc.regs.fpstate != 0 && !popVector(c, uc.regs.fpstate) {
		hooks.Fatal(cpu, t, sigSEGV, siKernel, c.RSP)
		return blocked
	}
	uc.regs.restore(c)
	if uc.regs.fpstate != 0 {
		c.Vector = vectorSaved
	} else {
		c.Vector, c.RFLAGS = 0, CallFlags
	}
	if uc.flags&ucHandled != 0 {
		th.interrupted = handled
	}
	th.altStack.set(&uc.stack, c.RSP) // a handler may have been moved to another; what is not valid changes nothing
	th.setMask(cpu, t, uc.mask)
	return blocked
}

// CallFlags is RFLAGS in a Context whose Vector is 0, as a system call leaves it: interrupts on, the rest clobbered.
const CallFlags = flagsIF | flagsOne

// vectorSaved is the Context.Vector of a task whose vector registers must be restored, whatever trapped.
const vectorSaved = ^uint64(0)

func (r *sigContext) save(c *sched.Context) {
	r.r8, r.r9, r.r10, r.r11 = c.R8, c.R9, c.R10, c.R11
	r.r12, r.r13, r.r14, r.r15 = c.R12, c.R13, c.R14, c.R15
	r.rdi, r.rsi, r.rbp, r.rbx = c.RDI, c.RSI, c.RBP, c.RBX
	r.rdx, r.rax, r.rcx, r.rsp = c.RDX, c.RAX, c.RCX, c.RSP
	r.rip, r.rflags = c.RIP, c.RFLAGS
	r.cs, r.ss = userCS, userSS
}

func (r *sigContext) restore(c *sched.Context) {
	c.R8, c.R9, c.R10, c.R11 = r.r8, r.r9, r.r10, r.r11
	c.R12, c.R13, c.R14, c.R15 = r.r12, r.r13, r.r14, r.r15
	c.RDI, c.RSI, c.RBP, c.RBX = r.rdi, r.rsi, r.rbp, r.rbx
	c.RDX, c.RAX, c.RCX, c.RSP = r.rdx, r.rax, r.rcx, r.rsp
	c.RIP, c.RFLAGS = r.rip, r.rflags&flagsUser|flagsIF|flagsOne
}
