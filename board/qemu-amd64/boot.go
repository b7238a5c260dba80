package board

import (
	"sync/atomic"
	"unsafe"

	"pdac/asm"
	"pdac/kernel"
	"pdac/kernel/vm"
)

// bootKernel hands the machine to package kernel and lets all CPUs into the
// scheduler. The BSP's own first task is what start leaves in percpu.ctx.
func bootKernel() {
	_, _, _, _, program := entryAddrs()
	h := kernel.Hardware{
		NCPU:          ncpu,
		Nodes:         cpuNodes[:ncpu],
		Now:           now,
		Kick:          kick,
		Arm:           arm,
		Reserve:       reserve,
		Back:          vm.Populate,
		Cmdline:       handover.cmdline[:handover.ncmdline],
		Entry:         program,
		XSaveSize:     512,
		XSaveFeatures: 3,
		Exit:          exit,
		Fatal:         fatal,
		Memory:        memory,
		Output:        output,
	}
	if xsaveSize != 0 {
		h.XSaveSize, h.XSaveFeatures = xsaveSize, asm.XGETBV()
	}
	if r := handover.initrd; r.base < r.limit {
		h.Initrd = unsafe.Slice((*byte)(asm.Pointer(directBase+r.base)), r.limit-r.base)
	}
	kernel.Boot(&h)
	atomic.StoreUint32(&schedulerOpen, 1)
	leave(&cpus[0])
}

// memory returns the bytes of RAM, and those that are free.
func memory() (total, free uint64) {
	for n := range topology.NNodes {
		s := frames.Stats(n)
		total += s.Total
		free += s.Free
	}
	return total, free
}

// output writes to COM1.
func output(cpu int, b []byte) {
	for _, c := range b {
		putByte(c)
	}
}
