package board

import (
	_ "embed"
	"unsafe"

	"pdac/asm"
	"pdac/kernel"
	"pdac/kernel/linux"
	"pdac/kernel/sched"
	"pdac/kernel/vm"
)

// archive is the cpio archive of files that the image carries. The one that is
// committed is empty; kbuild -archive has another take its place. The compiler
// lays the string out, so it is there before the runtime starts.
//
//go:embed archive.cpio
var archive string

// bootKernel hands the machine to package kernel and lets all CPUs into the
// scheduler. The BSP's own first task is what start leaves in percpu.ctx.
func bootKernel() {
	_, _, _, _, program := entryAddrs()
	h := kernel.Hardware{
		NCPU:          ncpu,
		Nodes:         cpuNodes[:ncpu],
		Distances:     &topology.Distance,
		NNodes:        topology.NNodes,
		MemoryNodes:   topology.Memory(),
		Now:           Clock(),
		Kick:          kick,
		Arm:           arm,
		Reserve:       reserve,
		Back:          vm.Populate,
		Cmdline:       handover.cmdline[:handover.ncmdline],
		Entry:         program,
		XSaveSize:     512,
		XSaveFeatures: 3,
		Exit:          programExit,
		Fatal:         fatal,
		Memory:        memory,
		MapDevice:     mapDeviceFor,
		Room:          room,
		Output:        output,
	}
	if xsaveSize != 0 {
		h.XSaveSize, h.XSaveFeatures = xsaveSize, asm.XGETBV()
	}
	h.Files = unsafe.Slice(unsafe.StringData(archive), len(archive))
	if r := handover.initrd; r.base < r.limit {
		h.Files = unsafe.Slice((*byte)(asm.Pointer(directBase+r.base)), r.limit-r.base)
	}
	kernel.Boot(&h)
	for i, c := range records[:ncpu] {
		c.counts = uint64(linux.CountsOf(i))
		c.need = uint64(sched.NeedOf(i))
		c.contexts = uint64(uintptr(unsafe.Pointer(&sched.Get(0).Ctx)))
	}
	openScheduler()
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
