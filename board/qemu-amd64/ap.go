package board

import (
	"sync/atomic"
	"unsafe"

	"pdac/asm"
	"pdac/kernel/klog"
	"pdac/kernel/vm"
)

// The page that APs start in (trampoline_amd64.s), and what they read there.
const (
	apPage     = 0x8000
	apPageCR3  = 0xff0
	apPageAddr = 0xff8

	trampolineSize = 0x80

	apInitDelay = 10_000_000    // ns from INIT to SIPI (SDM 3A, 9.4.4.1)
	apSIPIDelay = 200_000       // ns to the second SIPI
	apPatience  = 1_000_000_000 // ns until a CPU counts as absent
)

// startAPs starts all CPUs but this one at once and waits until they are up.
// One that doesn't answer is reported and stays offline. Returns how many CPUs
// there are, this one included.
func startAPs(root uint64) int {
	n := topology.NCPUs
	if n == 1 {
		return 1
	}
	_, _, ap, code, _ := entryAddrs()
	page := unsafe.Slice((*byte)(asm.Pointer(directBase+apPage)), pageSize)
	for i := range uint64(trampolineSize) { // copy() between constant addresses crashes the compiler of Go 1.26
		page[i] = load8(code + i)
	}
	*(*uint64)(unsafe.Pointer(&page[apPageCR3])) = root
	*(*uint64)(unsafe.Pointer(&page[apPageAddr])) = ap
	mapFixed(apPage, apPage+pageSize, vm.KernelExec)
	apFirst = uint64(uintptr(unsafe.Pointer(&cpus[1])))
	apCount = uint64(n - 1)

	toAll(n, icrInit|icrAssert)
	wait(apInitDelay)
	toAll(n, icrStartup|apPage>>12)
	wait(apSIPIDelay)
	toAll(n, icrStartup|apPage>>12) // only those still absent
	up := 1
	for end := now() + apPatience; up < n && now() < end; {
		asm.Pause()
		up = 1
		for i := 1; i < n; i++ {
			serveSync(i)
			if atomic.LoadUint32(&cpus[i].online) != 0 {
				up++
			}
		}
	}
	vm.MapKernel(0, apPage, apPage, pageSize, vm.KernelNone)
	return number(n)
}

// number gives the CPUs that came up dense numbers, and returns how many they are.
func number(n int) (up int) {
	for i := range n {
		c := &cpus[i]
		if atomic.LoadUint32(&c.online) == 0 {
			klog.New(klog.Error).Str("cpu: APIC ID ").Dec(uint64(c.apicID)).Str(" did not start; left out").End()
			continue
		}
		c.id = uint64(up)
		records[up] = c
		cpuNodes[up] = uint8(c.node)
		up++
	}
	return up
}

// toAll sends a command to each AP that is not up.
func toAll(n int, cmd uint32) {
	for i := 1; i < n; i++ {
		if atomic.LoadUint32(&cpus[i].online) == 0 {
			sendIPI(cpus[i].apicID, cmd)
		}
	}
}

func wait(ns uint64) {
	for end := now() + ns; now() < end; {
		asm.Pause()
	}
}

// startAP is an AP's first Go code, on its own stack.
func startAP(c *percpu) {
	vectorState(false)
	b := stackBase(int(c.slot))
	c.loadTables(b+excStackTop, b+nmiStackTop, b+dblStackTop, b+chkStackTop)
	initAPIC()
	syncTSC(c)
	atomic.StoreUint32(&c.online, 1)
	// The BSP numbers the CPUs and opens the scheduler when all have come.
	for atomic.LoadUint32(&schedulerOpen) == 0 {
		asm.Pause()
	}
	vm.CPUOnline(int(c.id))
	leave(c)
}

var schedulerOpen uint32 // atomic
