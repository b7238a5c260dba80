package linux

import (
	"testing"

	"pdac/kernel/sched"
)

func TestCountsAndNames(t *testing.T) {
	m := boot(t, 2)
	for range 3 {
		m.want(0, nrGetppid)
	}
	m.want(enosys, 400)
	m.want(enosys, 1<<40)
	m.want(enosys, ^uint64(0))
	count(1, nrGetppid)
	if Counts(nrGetppid) != 4 || Counts(400) != 1 || Counts(nrOther) != 2 || Counts(nrGetpid) != 0 {
		t.Errorf("counts %d %d %d %d", Counts(nrGetppid), Counts(400), Counts(nrOther), Counts(nrGetpid))
	}
	if Name(0) != "read" || Name(nrFutex) != "futex" || Name(IRQWait) != "irqwait" || Name(1<<50) != "other" {
		t.Error("names")
	}
	named := 0
	for i := range Calls {
		if Name(uint64(i)) != "" {
			named++
		}
	}
	if named < 350 {
		t.Errorf("%d calls have names", named)
	}
}

// A call that blocks must not write RAX: its waker has.
func TestBlockedCallLeavesRAX(t *testing.T) {
	m := boot(t, 1)
	_, a := words(1)
	m.call(0, nrFutex, a, futexOpWait, 0, 0)
	c := &sched.Get(mainThread).Ctx
	if c.RAX != nrFutex {
		t.Fatalf("RAX %d while it sleeps", int64(c.RAX))
	}
	futexWake(0, a, anyBit, 1)
	if c.RAX != 0 {
		t.Errorf("RAX %d after the wakeup", int64(c.RAX))
	}
}

// hostile is what fuzzed arguments are made of: numbers, addresses of real memory, and addresses that no program has. Nothing in
// the program's half that isn't mapped: the host has no Fixup.
func hostile(m *machine) []uint64 {
	_, a := words(512)
	v := []uint64{0, 1, 2, 3, 4, 7, 8, 15, 16, 64, 128, 129, 4095, 4096, userMin - 1, userEnd, 1 << 63, ^uint64(0), ^uint64(0) - 4095,
		m.stackBase}
	for _, off := range []uint64{0, 4, 8, 16, 64, 1, 2048} {
		v = append(v, a+off)
	}
	return v
}

// Every call with every kind of argument: no panic, no lock left held, and the machine still runs.
func TestHostileArguments(t *testing.T) {
	skip := map[uint64]bool{
		// These keep an address for later, or run the program there.
		nrSigaltstack: true, nrRtSigaction: true, nrSetTidAddress: true, nrRtSigreturn: true,
	}
	for seed := range uint64(4) {
		m := boot(t, 1)
		r := rng(seed)
		values := hostile(m)
		made := 0
		for range 20_000 {
			if sched.Current(0) != mainThread {
				t.Fatalf("seed %d: the main thread does not come back after %d calls", seed, made)
			}
			nr := uint64(r.IntN(340))
			if r.IntN(50) == 0 {
				nr = r.Uint64()
			}
			if skip[nr] || fileNumber(nr) || nr == nrExit || nr == nrExitGroup {
				continue
			}
			args := make([]uint64, 6)
			for i := range args {
				args[i] = values[r.IntN(len(values))]
			}
			if nr == nrClone {
				if args[0] = cloneNeeded | args[0]&(cloneSettls|cloneParentSettid|cloneChildSettid); living.Load() > 50 {
					continue
				}
			}
			made++
			c := &sched.Get(mainThread).Ctx
			set(c, nr, args...)
			Syscall(0, mainThread)
			m.fatal = nil
			// Whatever sleeps is woken, so that the next call can be made; threads that were made do nothing.
			for range 200 {
				interrupt(0, mainThread, thread(mainThread))
				if t := m.leave(0); t == mainThread {
					break
				} else if t != 0 {
					sched.Yield(0, t)
				}
			}
		}
		for i := range futexBuckets {
			if !futexBuckets[i].spin.TryLock() {
				t.Fatalf("bucket %d is still locked", i)
			}
			futexBuckets[i].unlock()
		}
		if !actionsLock.TryLock() || !processPending.lock.TryLock() {
			t.Fatal("a lock is still held")
		}
		actionsLock.Unlock()
		processPending.lock.Unlock()
	}
}

// fileNumber says whether nr is a call on files, which have tests of their own.
func fileNumber(nr uint64) bool {
	switch nr {
	case nrRead, nrWrite, nrOpen, nrClose, nrStat, nrFstat, nrLstat, nrPoll, nrLseek, nrIoctl, nrPread64, nrPwrite64, nrReadv, nrWritev,
		nrAccess, nrPipe, nrDup, nrDup2, nrFcntl, nrGetcwd, nrChdir, nrReadlink, nrStatfs, nrFstatfs, nrGetdents64, nrEpollWait,
		nrEpollCtl, nrOpenat, nrNewfstatat, nrReadlinkat, nrFaccessat, nrPpoll, nrEpollPwait, nrEventfd, nrEventfd2, nrEpollCreate,
		nrEpollCreate1, nrDup3, nrPipe2, nrPreadv, nrPwritev, nrGetrandom, nrStatx:
		return true
	}
	return nr == IRQWait
}

func BenchmarkGetppid(b *testing.B) {
	boot(&testing.T{}, 1)
	c := &sched.Get(mainThread).Ctx
	for b.Loop() {
		c.RAX = nrGetppid
		Syscall(0, mainThread)
	}
}

// A futex round trip on one CPU: two threads that wake each other and wait.
func BenchmarkFutexRoundTrip(b *testing.B) {
	m := boot(&testing.T{}, 1)
	_, a := words(1)
	turn := 0
	p := func(cpu int, t sched.ID, c *sched.Context) bool {
		if turn++; turn%2 == 0 {
			set(c, nrFutex, a, futexOpWake|futexPrivate, 1)
		} else {
			set(c, nrFutex, a, futexOpWait|futexPrivate, 0, 0)
		}
		return true
	}
	m.programs[mainThread] = p
	m.clone(0, p)
	for b.Loop() {
		for range 4 {
			m.step(0)
		}
	}
}
