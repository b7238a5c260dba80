package board

import (
	"math/bits"
	"sync/atomic"

	"pdac/asm"
	"pdac/kernel/klog"
)

// Time is the time stamp counter, scaled: ns = nsBase + (TSC - tscBase) * mult
// >> 32. Programs read it without a trap (vdso_amd64.s).
//
// A counter whose rate CPUID tells is taken at its word. Else the rate is
// measured against the best reference there is, first over a short window at
// boot and then over windows that grow eightfold, so that boot doesn't wait and
// the error falls to that of two readings in ten seconds. How far a reading may
// be off is known, since the TSC is read before and after it: a rate is taken
// only if it is more certain than the last (a virtual CPU may be stopped between
// two readings, for longer than any error that is tolerable). A new rate starts
// from the time that the old one has reached, so time never goes back.
//
// A reader loads written, reads, and loads begun: if the two are the same nothing
// was written in between.
type clock struct {
	written uint64 // atomic: the rates that the BSP has written
	tscBase uint64
	nsBase  uint64
	mult    uint64 // ns per count, 32.32 fixed point
	begun   uint64 // atomic: those that it began to write
	wall    uint64 // atomic: ns from 1970 to nsBase 0
}

const cpuidRDTSCP = 1 << 27 // leaf 0x80000001 EDX

var (
	wallclock clock

	// clockAnywhere is not 0 where percpu.tscOffset must be added, or there is no
	// RDTSCP. Atomic while the CPUs start, then constant.
	clockAnywhere uint32
)

// now returns nanoseconds since entry. It never goes back, on whichever CPU.
// Both worlds.
func now() uint64

// clockFunc returns now as a function value, whose call has no wrapper and is
// short unless it must work anywhere.
func clockFunc(anywhere bool) func() uint64

// writing says whether the BSP is writing a rate.
func (c *clock) writing() bool {
	return atomic.LoadUint64(&c.begun) != atomic.LoadUint64(&c.written)
}

// Clock returns the function that the kernel reads the time by: ns since entry, on whichever CPU. Both
// worlds.
func Clock() func() uint64 { return clockFunc(clockAnywhere != 0) }

// logTime is now for the log, which is also written by a CPU that has stopped the
// BSP in the middle of a new rate, or interrupted it there: 0 then.
func logTime() uint64 {
	if wallclock.writing() {
		return 0
	}
	return now()
}

// setRate has nsBase and tscBase name one moment, from which on mult holds.
func (c *clock) setRate(nsBase, tscBase, mult uint64) {
	atomic.AddUint64(&c.begun, 1)
	atomic.StoreUint64(&c.nsBase, nsBase)
	atomic.StoreUint64(&c.tscBase, tscBase)
	atomic.StoreUint64(&c.mult, mult)
	atomic.AddUint64(&c.written, 1)
}

// installClock makes the Go runtime read the clock by clockGettime, or
// clockGettimeAnywhere.
func installClock(anywhere bool)

// tscAt returns the BSP's count at a time of now(). Any CPU may call it while the
// BSP writes a new rate.
func tscAt(ns uint64) uint64 {
	c := &wallclock
	for {
		written := atomic.LoadUint64(&c.written)
		nsBase, tsc, mult := atomic.LoadUint64(&c.nsBase), atomic.LoadUint64(&c.tscBase), atomic.LoadUint64(&c.mult)
		if atomic.LoadUint64(&c.begun) != written {
			asm.Pause()
			continue
		}
		if ns <= nsBase {
			return tsc
		}
		d := ns - nsBase
		hi, lo := d>>32, d<<32
		if hi >= mult {
			return noDeadline
		}
		q, _ := bits.Div64(hi, lo, mult)
		return tsc + q
	}
}

// mul32 returns a * b >> 32.
func mul32(a, b uint64) uint64 {
	hi, lo := bits.Mul64(a, b)
	return hi<<32 | lo>>32
}

// div32 returns a << 32 / b.
func div32(a, b uint64) uint64 {
	q, _ := bits.Div64(a>>32, a<<32, b)
	return q
}

// reference is a counter of known rate.
type reference struct {
	name  string
	read  func() uint64
	fs    uint64 // femtoseconds a count
	mask  uint64
	first uint64 // ns that the first window takes
}

var (
	ref       reference
	tscSource string

	// The measurement. After startClock, the BSP's timer interrupt only.
	refTSC    uint64 // at its beginning
	refFuzz   uint64 // TSC counts that the first reading may be off
	refSpan   uint64 // the reference's counts since then, wraps added up
	refLast   uint64 // its last reading
	refSeen   uint64 // now() at that
	rateFuzz  uint64 // how far the rate in use may be off, in 1/2^32
	nextCheck uint64 // now() of the next refinement; noDeadline when done
)

const (
	nsPerSec   = 1000000000
	lastWindow = 10 * nsPerSec
	shortFirst = 200 * 1000
	longFirst  = 5 * 1000 * 1000
	enoughFuzz = 1 << 32 / 50_000 // of the rate: 20 ppm
)

// sample reads the TSC and the reference together: the closest of a few pairs,
// whose TSC is off by up to fuzz counts.
func sample() (tsc, ticks, fuzz uint64) {
	fuzz = noDeadline
	for range 5 {
		a := asm.RDTSC()
		r := ref.read()
		b := asm.RDTSC()
		if d := (b - a + 1) / 2; d < fuzz {
			fuzz, tsc, ticks = d, a+d, r
		}
	}
	return tsc, ticks, fuzz
}

// startClock finds the TSC's rate and the APIC timer's.
func startClock(hpetBase uint64, pmPort uint16, pmWide bool) {
	chooseReference(hpetBase, pmPort, pmWide)
	if max, _, _, _ := asm.CPUID(0x80000000, 0); max >= 0x80000001 {
		if _, _, _, edx := asm.CPUID(0x80000001, 0); edx&cpuidRDTSCP == 0 {
			clockAnywhere = 1
		}
	}
	apicWrite(apicInitial, 1<<32-1)
	t0, r0, f0 := sample()
	c0 := apicRead(apicCurrent)
	t1, r1, f1 := t0, r0, f0
	for (r1-r0)&ref.mask*(ref.fs/1000) < ref.first*1000 {
		t1, r1, f1 = sample()
	}
	c1 := apicRead(apicCurrent)
	apicWrite(apicInitial, 0)
	ns := (r1 - r0) & ref.mask * (ref.fs / 1000) / 1000
	if !lapic.deadline {
		lapic.mult = div32(uint64(c0-c1), ns)
	}
	c := &wallclock
	c.mult = div32(ns, t1-t0)
	c.tscBase = entryTSC
	tscSource = ref.name
	refTSC, refFuzz, refLast = t0, f0, r0
	rateFuzz = div32(f0+f1, t1-t0)
	refSeen = now()
	nextCheck = refSeen + 8*ref.first
	if khz := statedTSC(); khz != 0 {
		c.mult = div32(1000000, khz)
		tscSource = "CPUID"
		nextCheck = noDeadline
	}
	klog.New(klog.Info).Str("clock: TSC ").Dec(div32(1000, c.mult)).Str(" MHz by ").Str(tscSource).End()
}

// statedTSC returns the TSC's rate in kHz where CPUID tells it: leaf 0x15, or
// the hypervisors' leaf 0x40000010. 0 where it doesn't.
func statedTSC() uint64 {
	if max, _, _, _ := asm.CPUID(0, 0); max >= 0x15 {
		if den, num, hz, _ := asm.CPUID(0x15, 0); den != 0 && num != 0 && hz != 0 {
			return uint64(hz) * uint64(num) / uint64(den) / 1000
		}
	}
	if _, _, ecx, _ := asm.CPUID(1, 0); ecx>>31 != 0 {
		if max, _, _, _ := asm.CPUID(0x40000000, 0); max >= 0x40000010 && max < 0x40010000 {
			khz, _, _, _ := asm.CPUID(0x40000010, 0)
			return uint64(khz)
		}
	}
	return 0
}

// refineClock measures the rate over a longer window. BSP, from the timer.
func refineClock() {
	t, r, fuzz := sample()
	c := &wallclock
	at := c.nsBase + mul32(t-c.tscBase, c.mult)
	since := at - refSeen
	ticks := (r - refLast) & ref.mask
	refLast, refSeen = r, at
	if wrap := scaleFS(ref.mask, ref.fs); since > wrap-wrap/8 {
		// No timer came for so long that the reference may have wrapped around unseen.
		refTSC, refFuzz, refSpan = t, fuzz, 0
		nextCheck = at + 8*ref.first
		return
	}
	refSpan += ticks
	ns := scaleFS(refSpan, ref.fs)
	if f := div32(refFuzz+fuzz, t-refTSC); f < rateFuzz {
		rateFuzz = f
		c.setRate(at, t, div32(ns, t-refTSC))
	}
	switch {
	case ns >= lastWindow && rateFuzz <= enoughFuzz, ref.mask < 1<<24-1:
		nextCheck = noDeadline
	default:
		// Before a narrow counter wraps (24 bits of PM timer: 4.6 s).
		nextCheck = at + min(8*ns, nsPerSec)
	}
}

// scaleFS returns n times fs femtoseconds in ns.
func scaleFS(n, fs uint64) uint64 {
	hi, lo := bits.Mul64(n, fs)
	ns, _ := bits.Div64(hi, lo, 1000000)
	return ns
}

func chooseReference(hpetBase uint64, pmPort uint16, pmWide bool) {
	switch {
	case hpetBase != 0 && load64(hpetBase)>>32 != 0:
		hpet = hpetBase
		p := (*uint64)(asm.Pointer(hpet + hpetConfig))
		*p |= 1
		ref = reference{"HPET", readHPET, load64(hpetBase) >> 32, 1<<32 - 1, shortFirst}
	case pmPort != 0:
		pmTimer = pmPort
		mask := uint64(1<<24 - 1)
		if pmWide {
			mask = 1<<32 - 1
		}
		ref = reference{"PM timer", readPM, 279365115, mask, shortFirst}
	default:
		startPIT()
		ref = reference{"PIT", readPIT, 838095345, 1<<16 - 1, longFirst}
	}
}

// HPET: IA-PC HPET specification 1.0a, section 2.3.
const (
	hpetConfig  = 0x10
	hpetCounter = 0xf0
)

var (
	hpet    uint64
	pmTimer uint16
)

func readHPET() uint64 {
	return uint64(atomic.LoadUint32((*uint32)(asm.Pointer(hpet + hpetCounter))))
}

// readPM reads the ACPI timer, 3.579545 MHz (ACPI 6.5, section 4.8.2.1).
func readPM() uint64 { return uint64(asm.In32(pmTimer)) }

// PIT channel 2, 1.193182 MHz, counting down from 65536, gated on, speaker off
// (Intel 8254 data sheet; port 0x61 is the PC's).
func startPIT() {
	asm.Out8(0x61, asm.In8(0x61)&^3|1)
	asm.Out8(0x43, 0xb4) // channel 2, both bytes, rate generator
	asm.Out8(0x42, 0)
	asm.Out8(0x42, 0)
}

func readPIT() uint64 {
	asm.Out8(0x43, 0x80) // latch channel 2
	lo := uint64(asm.In8(0x42))
	return 1<<16 - (uint64(asm.In8(0x42))<<8 | lo)
}
