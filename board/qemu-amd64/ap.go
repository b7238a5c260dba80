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

	apInitDelay = 10_000_000    // ns from INIT to SIPI (SDM 3A, 9.4.4.1): see initDelay
	apSIPIDelay = 200_000       // ns to the second SIPI
	apPatience  = 1_000_000_000 // ns without a new arrival until the rest count as absent
	nudgeDelay  = 1_000_000     // ns until a parked AP that gave no sign is woken again
)

// Life of an AP: states of percpu.online. The AP and the BSP race for absent.
const (
	cpuAbsent = iota // -> up by the AP, -> left by the BSP
	cpuUp
	cpuLeft // too late: it halts for good, and gets no interrupt
)

// startAPs starts all CPUs but this one at once, waits until they are up, and
// compares their time stamp counters one by one. One that doesn't answer is
// reported and stays out. Returns how many CPUs there are, this one included.
//
// An AP that is up halts with interrupts off until an NMI. Spinning would take
// the host's time from those that have not come yet, where there are more
// virtual CPUs than real ones.
func startAPs(root uint64) int {
	n := topology.NCPUs
	if n == 1 {
		return 1
	}
	_, _, ap, code, _ := entryAddrs()
	page := directBase + uint64(apPage)
	for i := range uint64(trampolineSize) {
		*(*byte)(asm.Pointer(page + i)) = load8(code + i)
	}
	*(*uint64)(asm.Pointer(page + apPageCR3)) = root
	*(*uint64)(asm.Pointer(page + apPageAddr)) = ap
	mapFixed(apPage, apPage+pageSize, vm.KernelExec)
	apFirst = uint64(uintptr(unsafe.Pointer(&cpus[1])))
	apCount = uint64(n - 1)

	toAbsent(icrInit | icrAssert)
	wait(initDelay())
	toAbsent(icrStartup | apPage>>12)
	wait(apSIPIDelay)
	toAbsent(icrStartup | apPage>>12)
	for up, end := 1, now()+apPatience; up < n && now() < end; asm.Pause() {
		if u := onlineCPUs(); u > up {
			up, end = u, now()+apPatience
		}
	}
	up := number()
	if up == n { // else one that is late needs the page on its way to the halt
		vm.MapKernel(0, apPage, apPage, pageSize, vm.KernelNone)
	}
	for _, c := range records[1:up] {
		serveSync(c)
	}
	return up
}

// initDelay returns how long an AP needs after INIT, in ns. CPUs of family 6 and
// later, which all that have long mode are, are ready at once; the manual's 10 ms are
// those of the discrete 82489DX.
func initDelay() uint64 {
	if eax, _, _, _ := asm.CPUID(1, 0); eax>>8&15 >= 6 {
		return 0
	}
	return apInitDelay
}

// toAbsent sends a command to each AP that is not up.
func toAbsent(cmd uint32) {
	for i := range cpus {
		if atomic.LoadUint32(&cpus[i].online) == cpuAbsent {
			sendIPI(cpus[i].apicID, cmd)
		}
	}
}

// number gives the CPUs that came up dense numbers, and returns how many they are.
func number() (up int) {
	for i := range cpus {
		c := &cpus[i]
		if atomic.CompareAndSwapUint32(&c.online, cpuAbsent, cpuLeft) {
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
	initAPIC(topology.CPUs[c.slot].UID)
	if !atomic.CompareAndSwapUint32(&c.online, cpuAbsent, cpuUp) {
		for {
			asm.CLI()
			asm.HLT()
		}
	}
	c.park(syncAsked)
	syncTSC(c)
	c.park(opened)
	vm.CPUOnline(int(c.id))
	leave(c)
}

// park halts until stage reaches s, and says so: the stage after it.
func (c *percpu) park(s uint32) {
	for atomic.LoadUint32(&c.stage) < s {
		asm.HLT() // interrupts are off: until an NMI, see nudge
	}
	atomic.StoreUint32(&c.stage, s+1)
}

// nudge takes a parked AP to stage s. The NMI may come between the AP's look and
// its halt, so it is repeated until there is a sign of life.
func (c *percpu) nudge(s uint32) {
	atomic.StoreUint32(&c.stage, s)
	for atomic.LoadUint32(&c.stage) == s {
		sendIPI(c.apicID, icrNMI|icrAssert)
		for end := now() + nudgeDelay; atomic.LoadUint32(&c.stage) == s && now() < end; {
			asm.Pause()
		}
	}
}

// Stages of an AP that is up: percpu.stage.
const (
	parked    = iota
	syncAsked // by the BSP
	syncReady // the AP is at it
	opened    // the scheduler, by the BSP
	released  // the AP is on its way
)

// openScheduler lets the APs into the scheduler.
func openScheduler() {
	for _, c := range records[1:ncpu] {
		c.nudge(opened)
	}
}
