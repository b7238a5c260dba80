// Reading the clock (clock.go) in assembly. Includers include go_asm.h first.

// AX := ns of the count in AX.
#define SCALE \
	SUBQ ·wallclock+clock_tscBase(SB), AX; \
	MULQ ·wallclock+clock_mult(SB); \
	SHRQ $32, DX, AX; \
	ADDQ ·wallclock+clock_nsBase(SB), AX

// AX := the time in ns, by two ways: where all CPUs have the same counter and
// RDTSCP, which waits for earlier loads as LFENCE does; and anywhere. CX, DX, R8,
// R9 and R10 are clobbered. A reading is good when every rate that was begun had
// been written before it began.
#define NOW(retry) \
retry: \
	MOVQ ·wallclock+clock_written(SB), R8; \
	RDTSCP; \
	SHLQ $32, DX; \
	ORQ  DX, AX; \
	SCALE; \
	CMPQ ·wallclock+clock_begun(SB), R8; \
	JNE  retry

// Counter and offset must be of one CPU: no trap may have come between, which
// percpu.trap tells: it grows with each. (A thread that went to another CPU and
// back between two instructions, with both counts the same, would be missed.)
#define NOW_ANYWHERE(retry) \
retry: \
	MOVQ ·wallclock+clock_written(SB), R8; \
	MOVQ percpu_self(GS), R9; \
	MOVQ percpu_trap(GS), R10; \
	LFENCE; \
	RDTSC; \
	MOVQ percpu_tscOffset(GS), CX; \
	CMPQ percpu_self(GS), R9; \
	JNE  retry; \
	CMPQ percpu_trap(GS), R10; \
	JNE  retry; \
	SHLQ $32, DX; \
	ORQ  DX, AX; \
	ADDQ CX, AX; \
	SCALE; \
	CMPQ ·wallclock+clock_begun(SB), R8; \
	JNE  retry

// AX := the time in ns, in the kernel, where the CPU stays the same. RDTSC may go
// before earlier loads: for what only this CPU compares.
#define NOW_HERE(retry) \
retry: \
	MOVQ ·wallclock+clock_written(SB), R8; \
	RDTSC; \
	SHLQ $32, DX; \
	ORQ  DX, AX; \
	ADDQ percpu_tscOffset(GS), AX; \
	SCALE; \
	CMPQ ·wallclock+clock_begun(SB), R8; \
	JNE  retry
