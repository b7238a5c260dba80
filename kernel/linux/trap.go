package linux

import (
	"pdac/kernel/sched"
	"pdac/kernel/vm"
)

// Fault is the last synchronous fault of a thread, for the crash dump: what the CPU said, and where.
type Fault struct {
	Vector, Code, CR2 uint64
	Signal            int
	Regs              sched.Context // at the fault
}

// LastFault returns the last synchronous fault of t, all zero if it had none.
func LastFault(t sched.ID) Fault { return thread(t).fault }

// Exception vectors (SDM vol. 3, table 6-1).
const (
	vecDE = 0
	vecDB = 1
	vecBP = 3
	vecOF = 4
	vecBR = 5
	vecUD = 6
	vecGP = 13
	vecPF = 14
	vecMF = 16
	vecAC = 17
	vecXM = 19
)

// si_code values of faults (sigaction(2)).
const (
	fpeIntDiv  = 1
	fpeFltDiv  = 3
	fpeFltOvf  = 4
	fpeFltUnd  = 5
	fpeFltRes  = 6
	fpeFltInv  = 7
	illOpn     = 2
	segvMapErr = 1
	segvAccErr = 2
	busAdrAln  = 1
	busAdrErr  = 2
	trapTrace  = 2
)

// Trap handles exception vector of task t, with the CPU's error code (0 where the vector has none) and, for a page fault, CR2. A
// page fault that virtual memory resolves ends here; all else becomes the signal that Linux sends, taken at once.
//
// Out of memory is SIGBUS with the address: see nomemory.go.
//
// Preconditions: t is current on cpu, its context saved, vector registers included.
func Trap(cpu int, t sched.ID, vector, code, cr2 uint64) {
	out := vm.Done
	if vector == vecPF {
		if out = vm.Fault(cpu, cr2, code); out == vm.Done {
			return
		}
	}
	c := &sched.Get(t).Ctx
	sig, info := sigSEGV, sigInfo{code: siKernel}
	switch vector {
	case vecPF:
		info.first = cr2
		switch out {
		case vm.MapErr:
			info.code = segvMapErr
		case vm.AccErr:
			info.code = segvAccErr
		case vm.NoMemory:
			thread(t).tell(t, cr2)
			sig, info.code = sigBUS, busAdrErr
		}
	case vecDE:
		sig, info = sigFPE, sigInfo{fpeIntDiv, c.RIP, 0}
	case vecDB:
		sig, info = sigTRAP, sigInfo{trapTrace, c.RIP, 0}
	case vecBP:
		sig = sigTRAP
	case vecUD:
		sig, info = sigILL, sigInfo{illOpn, c.RIP, 0}
	case vecMF, vecXM:
		sig, info = sigFPE, sigInfo{floatCode(c, vector), c.RIP, 0}
	case vecAC:
		sig, info = sigBUS, sigInfo{busAdrAln, 0, 0}
	}
	thread(t).fault = Fault{vector, code, cr2, sig, *c}
	force(cpu, t, sig, info)
}

// floatCode finds which unmasked floating-point exception happened, in the saved state: the status and control word of the x87, or
// MXCSR (SDM vol. 1, 8.1.3 and 10.2.3).
func floatCode(c *sched.Context, vector uint64) int32 {
	const invalid, denormal, divide, overflow, underflow, precision = 1, 2, 4, 8, 16, 32
	if c.XSave == 0 {
		return fpeFltInv
	}
	area := kernelPtr(uintptr(c.XSave))
	var raised uint32
	if vector == vecMF {
		w := *(*[2]uint16)(area) // control, status
		raised = uint32(w[1] &^ w[0])
	} else {
		mxcsr := *(*uint32)(kernelPtr(uintptr(c.XSave) + mxcsrOffset))
		raised = mxcsr &^ (mxcsr >> 7)
	}
	switch {
	case raised&invalid != 0:
		return fpeFltInv
	case raised&divide != 0:
		return fpeFltDiv
	case raised&overflow != 0:
		return fpeFltOvf
	case raised&(underflow|denormal) != 0:
		return fpeFltUnd
	case raised&precision != 0:
		return fpeFltRes
	}
	return fpeFltInv
}
