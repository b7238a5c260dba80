package board

import (
	"sync/atomic"

	"pdac/asm"
	"pdac/kernel/numa/acpi"
)

// The local APIC, in xAPIC mode by memory or, where the firmware left it so or
// an APIC ID needs more than 8 bits, in x2APIC mode by MSRs (SDM 3A, chapter
// 12). TamaGo's driver has 4-bit IDs and yields to the Go scheduler while an
// IPI is on its way, which traps may not: the few registers are written here.
const (
	apicID       = 0x20
	apicEOI      = 0xb0
	apicSpurious = 0xf0
	apicTPR      = 0x80
	apicICR      = 0x300
	apicICRHigh  = 0x310
	apicTimer    = 0x320
	apicLINT0    = 0x350
	apicLINT1    = 0x360
	apicError    = 0x370
	apicInitial  = 0x380
	apicCurrent  = 0x390
	apicDivide   = 0x3e0

	msrAPICBase = 0x1b
	apicBaseX2  = 1 << 10
	apicBaseOn  = 1 << 11
	msrX2APIC   = 0x800 // + register/16
	msrDeadline = 0x6e0

	apicEnable  = 1 << 8
	lvtMasked   = 1 << 16
	lvtNMI      = 4 << 8
	lvtDeadline = 2 << 17
	divideBy1   = 0xb
	icrPending  = 1 << 12
	icrAssert   = 1 << 14
	icrInit     = 5 << 8
	icrStartup  = 6 << 8
	icrNMI      = 4 << 8

	cpuidX2APIC   = 1 << 21 // leaf 1 ECX
	cpuidDeadline = 1 << 24 // leaf 1 ECX
)

var lapic struct {
	base     uint64 // of the registers, identity-mapped
	x2       bool
	deadline bool   // the timer takes a TSC value
	mult     uint64 // timer counts per nanosecond, 32.32
}

func apicRead(r uint64) uint32 {
	if lapic.x2 {
		return uint32(asm.RDMSR(uint32(msrX2APIC + r>>4)))
	}
	return atomic.LoadUint32((*uint32)(asm.Pointer(lapic.base + r)))
}

func apicWrite(r uint64, v uint32) {
	if lapic.x2 {
		asm.WRMSR(uint32(msrX2APIC+r>>4), uint64(v))
		return
	}
	*(*uint32)(asm.Pointer(lapic.base + r)) = v
}

// initAPIC enables this CPU's local APIC: no device input but the NMIs that the
// MADT names for its ACPI processor UID, timer set up.
func initAPIC(uid uint32) {
	base := asm.RDMSR(msrAPICBase)
	if lapic.x2 && base&apicBaseX2 == 0 {
		base |= apicBaseOn
		asm.WRMSR(msrAPICBase, base)
		asm.WRMSR(msrAPICBase, base|apicBaseX2)
	} else if base&apicBaseOn == 0 {
		asm.WRMSR(msrAPICBase, base|apicBaseOn)
	}
	apicWrite(apicSpurious, apicEnable|vecSpurious)
	apicWrite(apicTPR, 0)
	apicWrite(apicLINT0, lvtMasked)
	apicWrite(apicLINT1, lvtMasked)
	for _, n := range madt.LocalNMIs[:madt.NLocalNMIs] {
		if (n.UID == acpi.AllCPUs || n.UID == uid) && n.LINT <= 1 {
			apicWrite(apicLINT0+0x10*uint64(n.LINT), lvtNMI)
		}
	}
	apicWrite(apicError, lvtMasked)
	if lapic.deadline {
		apicWrite(apicTimer, lvtDeadline|vecTimer)
		asm.MFENCE() // before the first deadline is written (SDM 3A, 12.5.4.1)
		return
	}
	apicWrite(apicDivide, divideBy1)
	apicWrite(apicTimer, vecTimer)
}

// findAPIC chooses the mode, from the BSP and the largest APIC ID in use.
func findAPIC(madtBase uint64, largestID uint32) {
	b := asm.RDMSR(msrAPICBase)
	lapic.base = madtBase
	if lapic.base == 0 {
		lapic.base = b &^ 0xfff & (1<<36 - 1)
	}
	_, _, ecx, _ := asm.CPUID(1, 0)
	lapic.x2 = b&apicBaseX2 != 0 || largestID >= 255 && ecx&cpuidX2APIC != 0
	lapic.deadline = ecx&cpuidDeadline != 0
}

// sendIPI writes the interrupt command register. The shorthand and delivery
// bits are in cmd; id is ignored with a shorthand.
func sendIPI(id uint32, cmd uint32) {
	if lapic.x2 {
		// Unlike a store to the xAPIC, this may overtake the stores before it, which
		// the receiver is to see (SDM 3A, 12.12.3).
		asm.MFENCE()
		asm.LFENCE()
		asm.WRMSR(msrX2APIC+apicICR>>4, uint64(id)<<32|uint64(cmd))
		return
	}
	for apicRead(apicICR)&icrPending != 0 {
		asm.Pause()
	}
	apicWrite(apicICRHigh, id<<24)
	apicWrite(apicICR, cmd)
}

// kick makes a CPU look at its run queue.
func kick(cpu int) { sendIPI(records[cpu].apicID, vecKick) }

// shoot makes a CPU look at the pending TLB shootdown.
func shoot(cpu int) { sendIPI(records[cpu].apicID, vecShootdown) }

const (
	noDeadline = ^uint64(0)
	longWait   = 20_000_000 // ns; of it the rate's error of up to half a percent is 100 us
)

// arm sets this CPU's one-shot timer to a time of now(), in ns; noDeadline
// stops it. A time already past fires at once.
func arm(cpu int, deadline uint64) {
	if lapic.deadline {
		if deadline == noDeadline {
			asm.WRMSR(msrDeadline, 0)
			return
		}
		count := tscAt(deadline)
		if count != noDeadline {
			count -= records[cpu].tscOffset
		}
		asm.WRMSR(msrDeadline, count)
		return
	}
	if deadline == noDeadline {
		apicWrite(apicInitial, 0)
		return
	}
	n := now()
	count := uint64(1)
	if deadline > n {
		// Its rate was measured over a short window. A long wait ends a little
		// early, like one of more than 2^32 counts, and what is left is armed again.
		d := deadline - n
		if d > longWait {
			d -= d / 64
		}
		count = min(mul32(d, lapic.mult)+1, 1<<32-1)
	}
	apicWrite(apicInitial, uint32(count))
}
