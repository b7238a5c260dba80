package linux

import (
	"bytes"
	"encoding/binary"
	"testing"
	"unsafe"

	"pdac/kernel/sched"
)

// The structures of the Go runtime (runtime/defs_linux_amd64.go): what a handler of this system is compiled against.
type (
	goStack struct {
		sp    uint64
		flags int32
		_     [4]byte
		size  uint64
	}
	goMcontext struct {
		gregs    [23]uint64
		fpregs   uint64
		reserved [8]uint64
	}
	goUcontext struct {
		flags, link uint64
		stack       goStack
		mcontext    goMcontext
		mask        uint64
	}
	goSiginfo struct {
		signo, errno, code int32
		addr               uint64
	}
)

func TestFrameLayoutIsLinuxs(t *testing.T) {
	var f sigFrame
	var u goUcontext
	var i goSiginfo
	for _, x := range []struct {
		name      string
		got, want uintptr
	}{
		{"ucontext", unsafe.Offsetof(f.uc), 8},
		{"siginfo", unsafe.Offsetof(f.info), 8 + 304},
		{"frame", unsafe.Sizeof(f), 8 + 304 + 128},
		{"stack", unsafe.Offsetof(f.uc.stack), unsafe.Offsetof(u.stack)},
		{"regs", unsafe.Offsetof(f.uc.regs), unsafe.Offsetof(u.mcontext)},
		{"regs at", unsafe.Offsetof(f.uc.regs), 40},
		{"fpstate", unsafe.Offsetof(f.uc.regs) + unsafe.Offsetof(f.uc.regs.fpstate), 224},
		{"fpregs", unsafe.Offsetof(f.uc.regs.fpstate), unsafe.Offsetof(u.mcontext.fpregs)},
		{"mask", unsafe.Offsetof(f.uc.mask), 296},
		{"sigmask", unsafe.Offsetof(f.uc.mask), unsafe.Offsetof(u.mask)},
		{"rip", unsafe.Offsetof(f.uc.regs.rip), 16 * 8},
		{"cs", unsafe.Offsetof(f.uc.regs.cs), 18 * 8},
		{"err", unsafe.Offsetof(f.uc.regs.err), 19 * 8},
		{"cr2", unsafe.Offsetof(f.uc.regs.cr2), 22 * 8},
		{"code", unsafe.Offsetof(f.info.code), unsafe.Offsetof(i.code)},
		{"address", unsafe.Offsetof(f.info.first), unsafe.Offsetof(i.addr)},
		{"sigaction", unsafe.Sizeof(sigAction{}), 32},
		{"stack_t", unsafe.Sizeof(altStack{}), 24},
		{"sw_reserved", unsafe.Sizeof(swBytes{}), 48},
		{"sigevent", unsafe.Sizeof(sigevent{}), 64},
	} {
		if x.got != x.want {
			t.Errorf("%s: %d, want %d", x.name, x.got, x.want)
		}
	}
}

// fill gives every register a value of its own.
func fill(c *sched.Context) sched.Context {
	for i, r := range []*uint64{&c.RAX, &c.RBX, &c.RCX, &c.RDX, &c.RSI, &c.RDI, &c.RBP, &c.R8, &c.R9, &c.R10, &c.R11, &c.R12, &c.R13,
		&c.R14, &c.R15} {
		*r = uint64(0x1111_0000_0000+i) << 4
	}
	c.RIP = 0x0043_2100
	c.RFLAGS = 0x202 | 0x8d5
	return *c
}

// A fault in the middle of a computation: the frame is compared byte by byte, and sigreturn brings everything back.
func TestFrameBytes(t *testing.T) {
	m := boot(t, 1)
	m.handle(sigSEGV, 0, bit(10))
	c := &sched.Get(mainThread).Ctx
	before := fill(c)
	c.Vector = vecPF
	for i := range m.xsave {
		m.xsave[i] = byte(i*7 + 1)
	}
	c.XSave = addressOf(&m.xsave[0])
	before = *c
	const bad = 0x1234_5678_9000
	Trap(0, mainThread, vecPF, 6, bad)

	sp := c.RSP
	if (sp+8)%16 != 0 || sp > before.RSP-128 {
		t.Errorf("RSP %#x (was %#x)", sp, before.RSP)
	}
	if c.RIP != handler || c.RDI != sigSEGV || c.RSI != sp+312 || c.RDX != sp+8 || c.RAX != 0 || c.Vector != 0 {
		t.Errorf("registers of the handler: %+v", *c)
	}
	frame := unsafe.Slice((*byte)(kernelPtr(uintptr(sp))), 440)
	fp := (before.RSP - 128 - 832 - 4) &^ 63
	var want bytes.Buffer
	le := func(v ...uint64) { binary.Write(&want, binary.LittleEndian, v) }
	le(restorer)
	le(1|2|4, 0)        // uc_flags, uc_link
	le(0, ssDisable, 0) // uc_stack
	le(before.R8, before.R9, before.R10, before.R11, before.R12, before.R13, before.R14, before.R15)
	le(before.RDI, before.RSI, before.RBP, before.RBX, before.RDX, before.RAX, before.RCX, before.RSP)
	le(before.RIP, before.RFLAGS, 0x33|0x2b<<48)
	le(6, 14, 0, bad, fp)        // err, trapno, oldmask, cr2, fpstate
	le(make([]uint64, 8)...)     // reserved
	le(0)                        // uc_sigmask
	le(sigSEGV, segvMapErr, bad) // si_signo and si_errno, si_code, si_addr
	le(make([]uint64, 13)...)
	if !bytes.Equal(frame, want.Bytes()) {
		for i := 0; i < len(frame); i += 8 {
			g, w := binary.LittleEndian.Uint64(frame[i:]), binary.LittleEndian.Uint64(want.Bytes()[i:])
			if g != w {
				t.Errorf("frame+%d: %#x, want %#x", i, g, w)
			}
		}
	}
	area := unsafe.Slice((*byte)(kernelPtr(uintptr(fp))), 832+4)
	for i, b := range area[:832] {
		if (i < swOffset || i >= fxsaveSize) && b != byte(i*7+1) {
			t.Fatalf("vector state byte %d: %#x", i, b)
		}
	}
	le32 := binary.LittleEndian.Uint32
	if le32(area[464:]) != 0x46505853 || le32(area[468:]) != 836 || binary.LittleEndian.Uint64(area[472:]) != 7 ||
		le32(area[480:]) != 832 || le32(area[832:]) != 0x46505845 {
		t.Errorf("marks: %x ... %x", area[464:512], area[832:])
	}
	if thread(1).mask.Load() != bit(10)|bit(sigSEGV) {
		t.Errorf("mask %#x", thread(1).mask.Load())
	}

	clear(m.xsave)
	c.RSP += 8
	c.RAX = nrRtSigreturn
	Syscall(0, mainThread)
	after := *c
	if after.Vector == 0 {
		t.Error("the vector registers would not be restored")
	}
	after.Vector = before.Vector
	if after != before {
		t.Errorf("after sigreturn %+v\nwant %+v", after, before)
	}
	if thread(1).mask.Load() != 0 {
		t.Errorf("mask %#x after sigreturn", thread(1).mask.Load())
	}
	for i, b := range m.xsave[:832] {
		switch {
		case i >= swOffset && i < fxsaveSize:
		case i == mxcsrOffset+2 || i == mxcsrOffset+3: // reserved bits of MXCSR
		case i >= headerOffset && i < headerOffset+headerSize:
			if i > headerOffset && b != 0 || i == headerOffset && b&^7 != 0 {
				t.Fatalf("XSAVE header byte %d: %#x", i, b)
			}
		case b != byte(i*7+1):
			t.Fatalf("vector state byte %d: %#x after sigreturn", i, b)
		}
	}
}

// What a program writes into its frame cannot give it RFLAGS that hurt, an address that IRETQ faults on, or a signal mask without
// SIGKILL.
func TestSigreturnTrustsNothing(t *testing.T) {
	m := boot(t, 1)
	m.handle(sigURG, 0, 0)
	c := &sched.Get(mainThread).Ctx
	m.handled = func(cpu int, t sched.ID, sig int, f *sigFrame) {
		f.uc.regs.rflags = ^uint64(0)
		f.uc.mask = ^uint64(0)
		f.uc.regs.rbx = 77
	}
	m.call(0, nrTgkill, 1, 1, sigURG)
	m.settled()
	if c.RFLAGS != CallFlags { // of a system call
		t.Errorf("RFLAGS %#x", c.RFLAGS)
	}
	thread(1).mask.Store(0)
	c.Vector, c.XSave = vectorSaved, addressOf(&m.xsave[0]) // of an interrupt
	m.call(0, nrTgkill, 1, 1, sigURG)
	m.settled()
	if c.RFLAGS != 0xcd5|CallFlags {
		t.Errorf("RFLAGS %#x", c.RFLAGS)
	}
	c.Vector, c.RFLAGS = 0, CallFlags
	if c.RBX != 77 {
		t.Error("a register that the handler changed did not change")
	}
	if thread(1).mask.Load() != ^uint64(unblockable) {
		t.Errorf("mask %#x", thread(1).mask.Load())
	}
	thread(1).mask.Store(0)
	for _, rip := range []uint64{userEnd, 1 << 63, ^uint64(0)} {
		m.fatal = nil
		thread(1).mask.Store(0)
		m.handled = func(cpu int, t sched.ID, sig int, f *sigFrame) { f.uc.regs.rip = rip; m.handled = nil }
		m.call(0, nrTgkill, 1, 1, sigURG)
		m.step(0)
		if len(m.fatal) != 1 || m.fatal[0].sig != sigSEGV {
			t.Errorf("sigreturn to %#x: fatal %v", rip, m.fatal)
		}
	}
	m.fatal = nil
	c.RSP = 64
	m.call(0, nrRtSigreturn)
	if len(m.fatal) != 1 {
		t.Error("sigreturn without a frame goes on")
	}
}

func TestFrameOnABadStack(t *testing.T) {
	m := boot(t, 1)
	m.handle(sigURG, 0, 0)
	c := &sched.Get(mainThread).Ctx
	c.RSP = 1 << 12
	m.call(0, nrTgkill, 1, 1, sigURG)
	if len(m.fatal) != 1 || m.fatal[0].sig != sigSEGV {
		t.Errorf("fatal %v", m.fatal)
	}
	c.RSP = m.stack(mainThread)
	a := sigAction{handler: handler}
	m.want(0, nrRtSigaction, sigURG, addressOf(&a), 0, sigsetSize)
	m.call(0, nrTgkill, 1, 1, sigURG)
	if len(m.fatal) != 2 {
		t.Error("a handler without a restorer runs")
	}
}

func TestFXSAVEFrames(t *testing.T) {
	m := boot(t, 1)
	xsaveLayout.size = fxsaveSize
	m.handle(sigFPE, 0, 0)
	c := &sched.Get(mainThread).Ctx
	c.Vector, c.XSave = vectorSaved, addressOf(&m.xsave[0])
	for i := range m.xsave {
		m.xsave[i] = byte(i)
	}
	Trap(0, mainThread, vecDE, 0, 0)
	f := (*sigFrame)(kernelPtr(uintptr(c.RSP)))
	area := unsafe.Slice((*byte)(kernelPtr(uintptr(f.uc.regs.fpstate))), fxsaveSize)
	if f.uc.flags&ucXstate != 0 || !bytes.Equal(area, m.xsave[:fxsaveSize]) {
		t.Errorf("flags %#x, area %x", f.uc.flags, area)
	}
	m.xsave[600] = 99
	area[100] = 0xee
	c.RSP += 8
	c.RAX = nrRtSigreturn
	Syscall(0, mainThread)
	if m.xsave[100] != 0xee || m.xsave[600] != 99 {
		t.Error("the area did not come back, or more of it than there is")
	}
}
