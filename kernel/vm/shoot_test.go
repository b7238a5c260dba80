package vm

import "testing"

// quiet boots CPUs that acknowledge from inside the IPI, so that one goroutine
// can be all of them; it notes what they did.
type quiet struct {
	sent, pages, flushes [4]int
	current              int
}

func bootQuiet(t *testing.T, ncpu int) *quiet {
	q := &quiet{}
	boot(t, ncpu, 1024, HugeNever)
	machine.IPI = func(cpu int) {
		q.sent[cpu]++
		q.as(cpu, func() { Poll(cpu) })
	}
	machine.InvalidatePage = func(va uint64) { q.pages[q.current]++ }
	machine.FlushAll = func() { q.flushes[q.current]++ }
	for cpu := range ncpu {
		q.as(cpu, func() { CPUOnline(cpu) })
	}
	*q = quiet{}
	return q
}

func (q *quiet) as(cpu int, f func()) {
	was := q.current
	q.current = cpu
	f()
	q.current = was
}

func TestShootPagesOrAll(t *testing.T) {
	q := bootQuiet(t, 3)
	shoot(0, UserMin, UserMin+maxInvalidate*PageSize, false)
	if q.pages != [4]int{32, 32, 32} || q.flushes != [4]int{} || q.sent != [4]int{0, 1, 1} {
		t.Errorf("32 pages: %+v", q)
	}
	*q = quiet{}
	shoot(0, UserMin, UserMin+(maxInvalidate+1)*PageSize, false)
	if q.pages != [4]int{} || q.flushes != [4]int{1, 1, 1} {
		t.Errorf("33 pages: %+v", q)
	}
}

func TestShootSparesIdleAndOffline(t *testing.T) {
	q := bootQuiet(t, 4)
	cpus[3].state.Store(cpuOffline)
	q.as(2, func() { EnterIdle(2) })
	for range 2 {
		shoot(0, UserMin, UserMin+PageSize, false)
	}
	if q.sent != [4]int{0, 2} || q.pages != [4]int{2, 2} {
		t.Errorf("idle: %+v", q)
	}
	// What it missed it makes good for, once, before it goes on.
	q.as(2, func() { LeaveIdle(2); Poll(2) })
	if q.flushes != [4]int{0, 0, 1} {
		t.Errorf("left idle: %+v", q)
	}
	q.as(2, func() { EnterIdle(2); LeaveIdle(2) })
	if q.flushes != [4]int{0, 0, 1} {
		t.Errorf("nothing was missed: %+v", q)
	}
	// Page tables reach it all the same, and it may not trust the range.
	*q = quiet{}
	q.as(2, func() { EnterIdle(2) })
	shoot(0, UserMin, UserMin+PageSize, true)
	if q.sent != [4]int{0, 1, 1} || q.flushes != [4]int{0, 0, 1} {
		t.Errorf("tables: %+v", q)
	}
	*q = quiet{}
	q.as(3, func() { CPUOnline(3); Poll(3) })
	if q.flushes != [4]int{0, 0, 0, 1} {
		t.Errorf("online: %+v", q)
	}
}

// TestShootOnlyWhenRightsAreTaken also says when idle CPUs are woken.
func TestShootOnlyWhenRightsAreTaken(t *testing.T) {
	q := bootQuiet(t, 2)
	at, _ := Map(0, 0, 2*PageSize, 3, anon)
	step := func(name string, shootdowns uint64, op func() Errno) {
		t.Helper()
		before := ReadStats().Shootdowns
		if err := op(); err != 0 {
			t.Errorf("%s: error %d", name, err)
		}
		if n := ReadStats().Shootdowns - before; n != shootdowns {
			t.Errorf("%s: %d shootdowns, want %d", name, n, shootdowns)
		}
	}
	protect := func(prot uint64) func() Errno {
		return func() Errno { return Protect(0, at, 2*PageSize, prot) }
	}
	step("nothing there", 0, protect(ProtRead))
	step("nothing there", 0, protect(3))
	Fault(0, at, CodeWrite)
	step("less", 1, protect(ProtRead))
	step("more", 0, protect(3))
	step("same", 0, protect(3))
	step("execute instead of write", 1, protect(ProtExec))
	step("read only", 1, protect(ProtRead))
	step("none", 1, protect(ProtNone))
	step("from none", 0, protect(3))
	q.as(1, func() { EnterIdle(1) })
	q.sent = [4]int{}
	step("give back", 1, func() Errno { return Advise(0, at, 2*PageSize, AdviseDontNeed) })
	Fault(0, at, CodeWrite)
	if q.sent[1] != 0 {
		t.Error("an idle CPU was woken for pages")
	}
	step("unmap", 1, func() Errno { return Unmap(0, at, 2*PageSize) })
	if q.sent[1] != 1 {
		t.Error("an idle CPU was not told about page tables")
	}
	step("hole", 0, func() Errno { return Unmap(0, at, 2*PageSize) })
}
