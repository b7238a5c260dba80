package linux

import (
	"math/bits"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"unsafe"

	"pdac/kernel/lockfree"
	"pdac/kernel/numa"
	"pdac/kernel/sched"
	"pdac/kernel/vm"
)

// The fake machine: CPUs are driven by the test, one step at a time or by a goroutine each; time is virtual; the program of a task
// is a Go function that sets up its next system call. User memory is Go memory that the test keeps alive.

const (
	tick     = 1000        // ns of virtual time for a step
	codeAt   = 0x0040_1000 // RIP of the SYSCALL instruction that all programs use
	handler  = 0x0040_2000 // signal handler
	restorer = 0x0040_3000 // what it returns to
	maxTasks = 1 << 14     // of the fake machine
	stackLen = 64 << 10    // bytes of each stack
	xsaveLen = 1024        // bytes of an XSAVE area
	wallTime = 1_700_000_000 * second
)

// program sets up the next call of task t in c, or returns false if it computes for a while. It runs when the last call is over.
type program func(cpu int, t sched.ID, c *sched.Context) bool

type machine struct {
	*testing.T
	ncpu   int
	time   atomic.Uint64
	armed  []atomic.Uint64
	kicked []atomic.Bool
	frames frameStock
	room   uint64 // bytes that mmap may give, without a limit if 0

	programs  []program
	handled   func(cpu int, t sched.ID, sig int, frame *sigFrame)
	stackBase uint64 // user stacks, by task
	xsave     []byte

	exited atomic.Int64 // exit code + 1
	fatal  []fatalSignal
}

type fatalSignal struct {
	t    sched.ID
	sig  int
	code int32
	addr uint64
}

// frameStock is physical memory for vm.
type frameStock struct {
	phys    []uint64
	free    []uint32
	reserve []uint32
}

const frameWords = vm.PageSize / 8

// boot makes a machine with one task, the main thread, current on CPU 0.
func boot(t *testing.T, ncpu int) *machine {
	m := &machine{T: t, ncpu: ncpu, armed: make([]atomic.Uint64, ncpu), kicked: make([]atomic.Bool, ncpu)}
	for i := range m.armed {
		m.armed[i].Store(sched.Never)
	}
	m.time.Store(second)
	m.programs = make([]program, maxTasks)
	pins.list = nil
	m.xsave = make([]byte, xsaveLen)

	const timers = 4096
	sched.Init(sched.Machine{
		NCPU: ncpu, Nodes: make([]uint8, ncpu), CPUs: make([]sched.CPU, ncpu),
		Now:  m.time.Load,
		Kick: func(cpu int) { m.kicked[cpu].Store(true) },
		Arm:  func(cpu int, deadline uint64) { m.armed[cpu].Store(deadline) },

		Tasks: make([]sched.Task, maxTasks), TaskLinks: make([]uint32, maxTasks),
		GrowTasks: func(cpu int, n uint32) bool { return true },
		Entries:   make([]lockfree.Node, sched.Entries(ncpu, maxTasks)), EntryLinks: make([]uint32, sched.Entries(ncpu, maxTasks)),
		Timers: make([]sched.TimerNode, timers), TimerLinks: make([]uint32, timers),
		GrowTimers: func(cpu int, n uint32) bool { return true },
	})

	m.frames.phys = make([]uint64, 1024*frameWords)
	for f := uint32(1023); f > 0; f-- {
		m.frames.free = append(m.frames.free, f)
	}
	vm.Init(vm.Config{
		Phys: m.frames.phys, Root: 0, NCPU: ncpu, Nodes: make([]vm.Node, 1<<14),
		Spare: func(int, numa.Policy, uint64) (uint32, bool) { return 0, false }, // so that tests know who takes how many
		Alloc: func(cpu int, p numa.Policy, page uint64, huge bool) (uint32, bool) {
			if f, ok := m.frames.take(p, page); ok && !huge {
				return f, true
			}
			if n := len(m.frames.reserve); !huge && n != 0 && LastResort(sched.Current(cpu)) {
				f := m.frames.reserve[n-1]
				m.frames.reserve = m.frames.reserve[:n-1]
				return f, true
			}
			return 0, false
		},
		Free: func(cpu int, frame uint32, huge bool) { m.frames.free = append(m.frames.free, frame) },
		FreeSet: func(cpu int, first uint32, set uint64) {
			for ; set != 0; set &= set - 1 {
				m.frames.free = append(m.frames.free, first+uint32(bits.TrailingZeros64(set)))
			}
		},
		Zero:       func(frame uint32, huge bool) { clear(m.frames.phys[frame*frameWords:][:frameWords]) },
		TaskPolicy: func(cpu int) numa.Policy { return MemoryPolicy(sched.Current(cpu)) },
		Memory:     testMemory, NodeOf: nodeOfFrame, CPUNode: make([]uint8, ncpu),
		IPI: func(cpu int) {}, InvalidatePage: func(uint64) {}, FlushAll: func() {},
	})
	for i := range ncpu {
		vm.CPUOnline(i)
	}

	actions, processPending = [sigMax]sigAction{}, signalSet{}
	living.Store(0)
	high.Store(0)
	highTimer.Store(0)
	itimer = [itimers]atomic.Uint32{}
	Init(&Config{
		NCPU: ncpu, Nodes: make([]uint8, ncpu), NNodes: testNodes, MemoryNodes: testMemory,
		Threads: make([]Thread, maxTasks), Buckets: make([]FutexBucket, 256), Timers: make([]PosixTimer, timers),
		Counts: make([]uint64, ncpu*Calls), Now: m.time.Load, Wall: wallTime,
		XSaveSize: 832, XSaveFeatures: 7, XSaveBase: addressOf(&m.xsave[0]),
		Hooks: Hooks{
			Exit: func(cpu int, code int) { m.exited.Store(int64(code) + 1) },
			Fatal: func(cpu int, t sched.ID, sig int, code int32, addr uint64) {
				m.fatal = append(m.fatal, fatalSignal{t, sig, code, addr})
			},
			Memory: func() (total, free uint64) { return 1 << 30, 1 << 29 },
			Room:   func(n uint64) bool { return m.room == 0 || n <= m.room },
		},
	})
	m.stackBase = addressOf(new([256 * stackLen]byte))

	id, ok := sched.New(0)
	if !ok {
		t.Fatal("no task")
	}
	c := &sched.Get(id).Ctx
	c.RIP, c.RSP, c.RFLAGS = codeAt+syscallLength, m.stack(id), 0x202
	Start(id)
	sched.Enqueue(0, id)
	if got := m.leave(0); got != id {
		t.Fatalf("Leave gives %d, want the main thread", got)
	}
	return m
}

// addressOf makes what p points to user memory: it stays where it is, alive, until the next boot.
func addressOf[T any](p *T) uint64 {
	pins.Lock()
	pins.list = append(pins.list, p)
	pins.Unlock()
	return uint64(uintptr(unsafe.Pointer(p)))
}

var pins struct {
	sync.Mutex
	list []any
}

// stack is the top of t's stack.
func (m *machine) stack(t sched.ID) uint64 {
	return m.stackBase + uint64(t%256+1)*stackLen - 256
}

// leave is the way out of a trap: what the board does.
func (m *machine) leave(cpu int) sched.ID {
	for {
		t := sched.Leave(cpu)
		if t == 0 || sched.Get(t).Attn.Load() == 0 {
			return t
		}
		Deliver(cpu, t)
	}
}

// set puts a call into the registers of the task, which runs at the SYSCALL instruction.
func set(c *sched.Context, nr uint64, args ...uint64) {
	c.RAX, c.RIP = nr, codeAt+syscallLength
	for i, a := range args {
		*[]*uint64{&c.RDI, &c.RSI, &c.RDX, &c.R10, &c.R8, &c.R9}[i] = a
	}
}

// call makes the task that is current on cpu call, and returns its result if it is still (or again) current.
func (m *machine) call(cpu int, nr uint64, args ...uint64) int64 {
	m.Helper()
	t := sched.Current(cpu)
	if t == 0 {
		m.Fatalf("CPU %d: a call without a task", cpu)
	}
	c := &sched.Get(t).Ctx
	set(c, nr, args...)
	if nr < CountedCalls {
		count(cpu, nr) // as the trap entry does
	}
	Syscall(cpu, t)
	if m.leave(cpu) != t {
		return blocked
	}
	return int64(c.RAX)
}

// want checks the result of a call of the main thread.
func (m *machine) want(want int64, nr uint64, args ...uint64) {
	m.Helper()
	m.spin(func() bool { return sched.Current(0) == mainThread })
	if got := m.call(0, nr, args...); got != want {
		m.Fatalf("%s%#x = %d, want %d", Name(nr), args, got, want)
	}
}

// clone makes a thread as the Go runtime does, and returns its number.
func (m *machine) clone(cpu int, p program) sched.ID {
	m.Helper()
	r := m.call(cpu, nrClone, cloneNeeded|cloneSysvsem|cloneSettls, 0, 0, 0, 0x1000)
	if r <= 0 {
		m.Fatalf("clone = %d", r)
	}
	t := sched.ID(r)
	sched.Get(t).Ctx.RSP = m.stack(t)
	m.programs[t] = p
	return t
}

// step runs one CPU until its task has made one call, and returns false if it has none.
func (m *machine) step(cpu int) bool {
	now := m.time.Add(tick)
	if m.armed[cpu].Load() <= now {
		m.armed[cpu].Store(sched.Never)
		sched.Tick(cpu)
	}
	m.kicked[cpu].Store(false)
	t := m.leave(cpu)
	if t == 0 {
		return false
	}
	c := &sched.Get(t).Ctx
	switch c.RIP {
	case handler:
		f := (*sigFrame)(kernelPtr(uintptr(c.RSP)))
		if m.handled != nil {
			m.handled(cpu, t, int(c.RDI), f)
		}
		c.RSP += 8 // RET
		c.RIP, c.RAX = restorer+syscallLength, nrRtSigreturn
		Syscall(cpu, t)
	case codeAt:
		c.RIP += syscallLength
		Syscall(cpu, t)
	default:
		if p := m.programs[t]; p != nil && p(cpu, t, c) {
			Syscall(cpu, t)
		}
	}
	return true
}

// spin runs the CPUs in turn until done, and fails if that takes too long.
func (m *machine) spin(done func() bool) {
	m.Helper()
	for range 2_000_000 {
		if done() {
			return
		}
		for cpu := range m.ncpu {
			m.step(cpu)
		}
	}
	m.Fatal("nothing comes to an end")
}

// sleep lets virtual time pass, to the next timer of CPU 0 while that is idle.
func (m *machine) idleTo(deadline uint64) {
	for m.time.Load() < deadline {
		if !m.step(0) {
			m.time.Store(min(max(m.armed[0].Load(), m.time.Load()), deadline))
		}
	}
}

// handle installs the machine's handler for sig.
func (m *machine) handle(sig int, flags, mask uint64) {
	m.Helper()
	a := sigAction{handler, flags | saRestorer, restorer, mask}
	m.want(0, nrRtSigaction, uint64(sig), addressOf(&a), 0, sigsetSize)
}

// parallel runs each CPU in a goroutine until done is set.
func (m *machine) parallel(done *atomic.Bool, limit int) {
	m.Helper()
	finished := make(chan bool)
	for cpu := range m.ncpu {
		go func() {
			steps := 0
			for ; !done.Load() && steps < limit; steps++ {
				if !m.step(cpu) {
					runtime.Gosched()
				}
			}
			finished <- steps < limit
		}()
	}
	ok := true
	for range m.ncpu {
		ok = <-finished && ok
	}
	if !ok {
		m.Error("nothing comes to an end: a wakeup was lost")
	}
}

// words returns n zero words of user memory and its address.
func words(n int) ([]uint64, uint64) {
	w := make([]uint64, n)
	return w, addressOf(&w[0])
}

func rng(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 1)) }
