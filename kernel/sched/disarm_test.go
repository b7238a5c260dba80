package sched

import (
	"testing"

	"pdac/kernel/numa"
	"pdac/kernel/vm"
)

// TestDisarmAcknowledgesShootdowns has CPU 0 wait for a callback on CPU 1 that ends only when CPU 0 has acknowledged a TLB
// shootdown. In the kernel the wait is indirect: the callback wants the lock of a wait queue whose holder touches memory that
// somebody is unmapping.
func TestDisarmAcknowledgesShootdowns(t *testing.T) {
	f := boot(t, 2, 1, 4, 4)
	const frames = 16
	frame := uint32(1) // the root
	vm.Init(vm.Config{
		Phys: make([]uint64, frames*vm.PageSize/8), Root: vm.PageSize, NCPU: 2, Nodes: make([]vm.Node, 1),
		Alloc:          func(int, numa.Policy, uint64, bool) (uint32, bool) { frame++; return frame, frame < frames },
		Zero:           func(uint32, bool) {},
		IPI:            func(int) {},
		InvalidatePage: func(uint64) {},
		FlushAll:       func() {},
	})
	vm.CPUOnline(0)
	vm.CPUOnline(1)
	const va = 0xffff_a000_0000_0000
	vm.MapKernel(1, va, 0, vm.PageSize, 0)

	began := make(chan bool)
	OnTimer(func(cpu int, _ Timer) {
		close(began)
		vm.MapKernel(cpu, va, 0, vm.PageSize, vm.KernelNone) // returns when CPU 0 cannot use the page any more
	})
	tm, _ := NewTimer(1)
	ArmTimer(1, tm, 2000)
	f.clock.Store(3000)
	go Tick(1)
	<-began
	DisarmTimer(0, tm)
}
