package linux

import (
	"sync/atomic"

	"pdac/kernel/sched"
	"pdac/kernel/space"
)

// The calls that reach outside the program ask first, in the name of the calling
// goroutine's space; DESIGN.md's gate answers. Outside are the tree of files, what
// comes in on the console, and the machine. Not outside, and never asked for: what
// the program has made itself (memory, threads, pipes, eventfds, epolls, signals,
// timers), the time, random numbers, /dev/null and /dev/zero once open, what is
// written to the console, and the end of the program.
//
// A descriptor is a name and no authority: a call asks when it opens a file, and
// again each time that it reads it or looks at it. So what a space is refused it is
// refused at once, through files that were opened before or by others too.
//
//	open           Read and Write by the access mode; Write for O_CREAT and O_TRUNC
//	stat, readlink, getdents, getcwd, read, pread, lseek, FIONREAD    Read
//	access         Read, and Write and Execute as the mode asks
//	chdir          Write: there is one current directory for all spaces
//	read of the console                 FamilyConsole, Read
//	IRQWait, MapDevice, SampleMemory, SetClass, Crash   FamilyMachine, RightDrive
//
// Calls that would change the tree are refused to everybody, it being read-only.

// Family is what a call reaches for.
type Family uint32

const (
	FamilyFiles Family = iota + 1
	FamilyConsole
	FamilyMachine // interrupts and registers of devices
)

// Rights are what a call needs, by the bits of package cap's permissions: those of
// all objects, and from bit 8 a family's own.
type Rights uint32

const (
	RightRead    Rights = 1 << 0
	RightWrite   Rights = 1 << 1
	RightExecute Rights = 1 << 2
	RightDrive   Rights = 1 << 8 // of FamilyMachine: what drivers do
)

// Ask answers a call that reaches outside: 0, or a negated error number. It runs
// below the runtime, and again for a call that slept. space is never space.None,
// which has nothing outside.
type Ask func(cpu int, space uint32, family Family, rights Rights) int64

// asker is written by SetAsk and read by ask.
var asker atomic.Pointer[Ask]

// SetAsk has the function behind f asked from now on. f is the address of a variable
// of package level, which does not change. Callable from both worlds.
func SetAsk(f *Ask) { asker.Store(f) } // pairs with the load in ask

// ask says whether the call of the current task, which needs those rights to
// something of a family, may go on: 0, or the error number to return. While nobody is
// to be asked, all may.
func ask(cpu int, family Family, rights Rights) int64 {
	if f := asker.Load(); f != nil {
		return consult(cpu, *f, family, rights)
	}
	return 0
}

func consult(cpu int, f Ask, family Family, rights Rights) int64 {
	c := &sched.Get(sched.Current(cpu)).Ctx
	s, runtime := caller(c.FS)
	if runtime {
		return 0
	}
	r := eacces
	if s != space.None {
		r = f(cpu, s, family, rights)
	}
	if r != 0 {
		refused[slot(c.RAX)].Add(1)
	}
	return r
}

// caller returns the space of the goroutine that runs on the thread with that FS
// base. runtime: it is none, but the runtime at its own work, on an m's g0 or on its
// g for signals.
func caller(fs uint64) (s uint32, runtime bool) {
	const tlsG = 8 // bytes from g's thread-local slot to the FS base (psABI's variant II; cmd/internal/obj/x86)
	o := &space.Offsets
	g, ok := load64(fs - tlsG)
	if !ok {
		return space.None, false
	}
	if s, ok = load32(g + uint64(o.Space)); ok && s != space.None {
		return s, false
	}
	m, ok := load64(g + uint64(o.M))
	if !ok {
		return space.None, false
	}
	g0, ok0 := load64(m + uint64(o.G0))
	gsignal, ok1 := load64(m + uint64(o.Gsignal))
	return space.None, ok0 && g == g0 || ok1 && g == gsignal
}

// refused counts by call number, as slot gives it, the calls that were refused.
var refused [Calls]atomic.Uint64

// Refused returns how often call number i, 0 <= i < Calls, was refused because of the
// caller's space. Callable from both worlds.
func Refused(i int) uint64 { return refused[i].Load() }
