package board

import (
	"sync/atomic"
	"unsafe"

	"pdac/asm"
	"pdac/kernel/klog"
	"pdac/kernel/linux"
	"pdac/kernel/sched"
	"pdac/kernel/vm"
)

// What the trap entries call.
var (
	onCall   = linux.Syscall
	onFutex  = linux.Futex
	onYield  = linux.Yield
	onSwitch = sched.Leave
	onLeave  = leave
	onTrap   = trap
)

const (
	attn     = int64(unsafe.Offsetof(sched.Task{}.Attn)) - int64(unsafe.Offsetof(sched.Task{}.Ctx)) // a task's Attn, as seen from its context
	taskSize = unsafe.Sizeof(sched.Task{})
)

// mustLeave says whether the CPU has more to do than to go back to its task, as
// syscallEntry does.
func (c *percpu) mustLeave() bool {
	return atomic.LoadUint32((*uint32)(asm.Pointer(c.need))) != 0 || c.current().Attn.Load() != 0
}

// current returns the record of the running task, which its context is part of.
func (c *percpu) current() *sched.Task {
	return (*sched.Task)(asm.Pointer(c.ctx - uint64(unsafe.Offsetof(sched.Task{}.Ctx))))
}

// trap serves interrupts, and exceptions of programs.
func trap(c *percpu, vector, code, cr2, rip uint64) {
	cpu := int(c.id)
	c.count(vector)
	if c.task == 0 {
		vm.LeaveIdle(cpu)
	}
	switch {
	case vector < 32:
		if c.task == 0 {
			crashIdle(c, vector, code, cr2, rip)
		}
		linux.Trap(cpu, c.task, vector, code, cr2)
	case vector == vecTimer:
		sched.Tick(cpu)
		if cpu == 0 && now() >= nextCheck {
			refineClock()
		}
		apicWrite(apicEOI, 0)
	case vector == vecShootdown:
		vm.Poll(cpu)
		apicWrite(apicEOI, 0)
	case vector == vecKick:
		apicWrite(apicEOI, 0)
	case vector == vecSpurious: // no EOI: SDM 3A, 12.9
	default:
		linux.IRQ(cpu, int(vector))
		apicWrite(apicEOI, 0)
	}
	if c.task == 0 || c.mustLeave() {
		leave(c)
	}
}

// count counts an interrupt or exception, of the kernel's own too.
func (c *percpu) count(vector uint64) {
	atomic.StoreUint64(&c.irqs[vector], c.irqs[vector]+1)
}

// leave decides what the CPU goes on with, and makes resume find it. It may be
// called again.
//
//go:nosplit
func leave(c *percpu) {
	for t := sched.Leave(int(c.id)); ; t = sched.Leave(int(c.id)) {
		c.task = t
		if t == 0 {
			c.ctx = 0
			vm.EnterIdle(int(c.id))
			klog.Flush() // a line takes its time; shootdowns need not wait for it
			return
		}
		task := sched.Get(t)
		c.ctx = uint64(uintptr(unsafe.Pointer(&task.Ctx)))
		if task.Attn.Load() == 0 {
			return
		}
		linux.Deliver(int(c.id), t)
		if !sched.NeedLeave(int(c.id)) {
			return
		}
	}
}

// trapKernel serves what interrupted the kernel itself. Called by stay; on
// return the kernel goes on where f says.
func trapKernel(c *percpu, f *frame, cr2 uint64) {
	cpu := int(c.id)
	c.count(f.vector)
	switch f.vector {
	case vecNMI:
		if atomic.LoadUint32(&stopping) != 0 {
			c.dump = *f
			atomic.StoreUint32(&c.dumped, 1)
			for {
				asm.CLI()
				asm.HLT()
			}
		}
		if cpu != 0 && atomic.LoadUint32(&c.stage) < released {
			return // nudge
		}
		klog.New(klog.Warn).Str("cpu ").Dec(c.id).Str(": NMI of unknown source, ignored").End()
		return
	case vecPage:
		// User memory that the kernel reads or writes may not be there yet, or
		// not at all. Page faults don't nest: the handler touches none.
		if c.nested == 0 {
			c.nested = 1
			done := vm.Fault(cpu, cr2, f.code) == vm.Done
			c.nested = 0
			if done {
				return
			}
			if to, ok := linux.Fixup(f.rip); ok {
				f.rip = to
				return
			}
		}
	case vecGP:
		if to, ok := linux.Fixup(f.rip); ok {
			f.rip = to
			return
		}
	}
	crashKernel(c, f, cr2)
}
