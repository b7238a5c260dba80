package asm

// CPUID executes CPUID with EAX = leaf and ECX = sub.
func CPUID(leaf, sub uint32) (eax, ebx, ecx, edx uint32)

// RDTSC returns the time stamp counter, after all earlier loads (LFENCE).
func RDTSC() uint64

// RDRAND returns a random number of the CPU's generator; ok is false when it
// had none ready. The CPU must have it: CPUID.1:ECX[30].
func RDRAND() (v uint64, ok bool)

// RDSEED returns a seed of the CPU's entropy source; ok is false when it had
// none ready. The CPU must have it: CPUID.7.0:EBX[18].
func RDSEED() (v uint64, ok bool)

// RDMSR reads a model-specific register.
func RDMSR(msr uint32) uint64

// WRMSR writes a model-specific register.
func WRMSR(msr uint32, v uint64)

// Control registers.
func CR0() uint64
func CR2() uint64
func CR3() uint64
func CR4() uint64
func SetCR0(v uint64)
func SetCR3(v uint64)
func SetCR4(v uint64)

// XGETBV reads extended control register 0: which vector state is enabled.
func XGETBV() uint64

// XSETBV writes extended control register 0.
func XSETBV(v uint64)

// LGDT, LIDT load a descriptor table register from the 10 bytes at p.
func LGDT(p uintptr)
func LIDT(p uintptr)

// LTR loads the task register with a selector.
func LTR(selector uint16)

// Pause tells the CPU that it is in a spin loop.
func Pause()

// CLI and STI disable and enable interrupts.
func CLI()
func STI()

// HLT halts until the next interrupt.
func HLT()

// STIHLT enables interrupts and halts with nothing able to come between, and
// disables them again on the way out.
func STIHLT()

// MFENCE waits until all earlier loads and stores are visible.
func MFENCE()

// LFENCE waits until all earlier instructions have completed.
func LFENCE()

// Prefetch asks for the cache line at p.
func Prefetch(p uintptr)

// INVLPG forgets the translation of the page at va on this CPU.
func INVLPG(va uint64)

// Goroutine returns the address of the calling goroutine's descriptor, its g, from thread-local
// storage: no other goroutine has it while this one lives.
func Goroutine() uintptr

// FlushTLB forgets all translations but global ones on this CPU (reloads CR3).
func FlushTLB()
