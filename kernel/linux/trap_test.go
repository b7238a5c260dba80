package linux

import (
	"testing"

	"pdac/kernel/sched"
	"pdac/kernel/vm"
)

func TestTrapSignals(t *testing.T) {
	const rip, cr2 = 0x0040_5555, 0x1234_5678_9000
	for _, x := range []struct {
		name         string
		vector, code uint64
		sig          int
		info         int32
		addr         uint64
	}{
		{"#DE", vecDE, 0, sigFPE, fpeIntDiv, rip},
		{"#DB", vecDB, 0, sigTRAP, trapTrace, rip},
		{"#BP", vecBP, 0, sigTRAP, siKernel, 0},
		{"#OF", vecOF, 0, sigSEGV, siKernel, 0},
		{"#BR", vecBR, 0, sigSEGV, siKernel, 0},
		{"#UD", vecUD, 0, sigILL, illOpn, rip},
		{"#SS", 12, 0, sigSEGV, siKernel, 0},
		{"#GP", vecGP, 0, sigSEGV, siKernel, 0},
		{"#PF, nothing mapped", vecPF, 4, sigSEGV, segvMapErr, cr2},
		{"#AC", vecAC, 0, sigBUS, busAdrAln, 0},
		{"#MF", vecMF, 0, sigFPE, fpeFltDiv, rip},
		{"#XM", vecXM, 0, sigFPE, fpeFltInv, rip},
	} {
		m := boot(t, 1)
		m.handle(x.sig, 0, 0)
		c := &sched.Get(mainThread).Ctx
		c.RIP, c.Vector, c.XSave = rip, vectorSaved, addressOf(&m.xsave[0])
		m.xsave[0], m.xsave[2] = 0x3b, 0x24                       // control word: zero divide unmasked; status: it and precision
		m.xsave[mxcsrOffset], m.xsave[mxcsrOffset+1] = 0x21, 0x1f // invalid and precision; all but invalid masked
		m.xsave[mxcsrOffset] &^= 0x80
		Trap(0, mainThread, x.vector, x.code, cr2)
		if len(m.fatal) != 0 {
			t.Errorf("%s: fatal %v", x.name, m.fatal)
			continue
		}
		f := (*sigFrame)(kernelPtr(uintptr(c.RSP)))
		if c.RIP != handler || int(f.info.signo) != x.sig || f.info.code != x.info || f.info.first != x.addr {
			t.Errorf("%s: signal %d code %#x address %#x", x.name, f.info.signo, f.info.code, f.info.first)
		}
		if l := LastFault(mainThread); l.Vector != x.vector || l.Regs.RIP != rip || l.Signal != x.sig || l.CR2 != cr2 {
			t.Errorf("%s: last fault %+v", x.name, l)
		}
	}
}

func TestTrapPageFaults(t *testing.T) {
	m := boot(t, 1)
	m.handle(sigSEGV, 0, 0)
	m.handle(sigBUS, 0, 0)
	const at = 0xc0_0000_0000
	m.want(at, nrMmap, at, 1<<20, vm.ProtRead, vm.MapPrivate|vm.MapAnonymous|vm.MapFixed, ^uint64(0), 0)
	c := &sched.Get(mainThread).Ctx
	before := *c
	Trap(0, mainThread, vecPF, 0, at+123)
	if *c != before || LastFault(mainThread) != (Fault{}) {
		t.Fatalf("a fault on a valid page does not just go on: %+v", *c)
	}
	Trap(0, mainThread, vecPF, vm.CodeWrite|vm.CodePresent, at+123)
	f := (*sigFrame)(kernelPtr(uintptr(c.RSP)))
	if c.RIP != handler || f.info.signo != sigSEGV || f.info.code != segvAccErr || f.info.first != at+123 {
		t.Errorf("write to a read-only page: %+v", f.info)
	}
	*c = before
	thread(mainThread).mask.Store(0)
	m.frames.free = nil
	Trap(0, mainThread, vecPF, 0, at+1<<16)
	f = (*sigFrame)(kernelPtr(uintptr(c.RSP)))
	if c.RIP != handler || f.info.signo != sigBUS || f.info.code != busAdrErr || f.info.first != at+1<<16 {
		t.Errorf("no frame: %+v", f.info)
	}
}

func TestTrapBlockedOrWithoutHandlerKills(t *testing.T) {
	m := boot(t, 1)
	Trap(0, mainThread, vecGP, 0, 0)
	m.handle(sigSEGV, 0, 0)
	thread(mainThread).mask.Store(bit(sigSEGV))
	Trap(0, mainThread, vecPF, 4, 0x999000)
	thread(mainThread).mask.Store(0)
	ign := sigAction{handler: sigIgnore}
	m.want(0, nrRtSigaction, sigILL, addressOf(&ign), 0, sigsetSize)
	Trap(0, mainThread, vecUD, 0, 0)
	if len(m.fatal) != 3 || m.fatal[0].sig != sigSEGV || m.fatal[1].addr != 0x999000 || m.fatal[2].sig != sigILL {
		t.Errorf("fatal %v", m.fatal)
	}
}
