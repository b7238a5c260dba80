package linux

import (
	"testing"

	"pdac/kernel/sched"
)

func TestCloneGivesTheChildItsRegisters(t *testing.T) {
	m := boot(t, 1)
	c := &sched.Get(mainThread).Ctx
	fill(c)
	const goFlags = 0x00050f00 | cloneSettls // what the Go runtime passes
	w, a := words(1)
	w[0] = bit(10)
	m.want(0, nrRtSigprocmask, 2, a, 0, sigsetSize)
	stk := new([8192]byte)
	m.want(0, nrSigaltstack, addressOf(&altStack{base: addressOf(stk), size: 8192}), 0)
	r := m.call(0, nrClone, goFlags, 0x5_0000_0000, 0, 0, 0x6_0000_0000)
	if r != 2 {
		t.Fatalf("clone = %d", r)
	}
	child, parent := sched.Get(2).Ctx, *c
	if child.RAX != 0 || child.RSP != 0x5_0000_0000 || child.FS != 0x6_0000_0000 || child.Vector != 0 {
		t.Errorf("child %+v", child)
	}
	child.RAX, child.RSP, child.FS, child.XSave = parent.RAX, parent.RSP, parent.FS, parent.XSave
	if child != parent {
		t.Errorf("child %+v\nparent %+v", child, parent)
	}
	if th := thread(2); th.mask.Load() != bit(10) || th.altStack.size != 0 || th.pending.set.Load() != 0 || !exists(2) {
		t.Error("the child's signals are not as they should be")
	}
}

func TestCloneArguments(t *testing.T) {
	m := boot(t, 1)
	w, a := words(2)
	m.want(enosys, nrClone, 17, 0) // fork
	m.want(enosys, nrClone, cloneVM|0x4000|17, 0)
	m.want(einval, nrClone, cloneThread, 0)
	m.want(einval, nrClone, cloneNeeded|1<<31, 0)
	m.want(einval, nrClone, cloneNeeded|0x2000, 0)
	m.want(eperm, nrClone, cloneNeeded|cloneSettls, 0, 0, 0, userEnd)
	m.want(efault, nrClone, cloneNeeded|cloneParentSettid, 0, 8, 0)
	m.want(efault, nrClone, cloneNeeded|cloneChildSettid, 0, 0, 8)
	r := m.call(0, nrClone, cloneNeeded|cloneParentSettid|cloneChildSettid|cloneDetached, 0, a, a+8)
	if w[0] != uint64(r) || w[1] != uint64(r) || r <= 1 {
		t.Errorf("clone = %d, wrote %d and %d", r, w[0], w[1])
	}
	if living.Load() != 2 {
		t.Errorf("%d threads live: one that failed counts", living.Load())
	}
}

func TestExitClearsAndWakes(t *testing.T) {
	m := boot(t, 1)
	word := new(uint32)
	*word = 7
	a := addressOf(word)
	r := m.call(0, nrClone, cloneNeeded|cloneChildCleartid, 0, 0, a)
	w := sched.ID(r)
	sched.Get(w).Ctx.RSP = m.stack(w)
	m.programs[w] = func(cpu int, t sched.ID, c *sched.Context) bool { set(c, nrExit, 3); return true }
	if r := m.call(0, nrFutex, a, futexOpWait, 7, 0); r != blocked {
		t.Fatalf("no wait: %d", r)
	}
	m.settled()
	if *word != 0 || exists(w) || sched.Get(mainThread).Ctx.RAX != 0 {
		t.Errorf("word %d, exists %v", *word, exists(w))
	}
	m.want(esrch, nrTgkill, 1, uint64(w), 0)
	if m.exited.Load() != 0 {
		t.Error("a thread's exit ended the program")
	}
	// The number's next life starts clean.
	if again := m.clone(0, nil); again != w {
		t.Fatalf("thread %d, want %d again", again, w)
	}
	if th := thread(w); th.clearTID != 0 || th.waitOn.Load() != 0 || th.resume != 0 || th.interrupted != 0 {
		t.Error("something is left of the last life")
	}
}

func TestLastExitEndsTheProgram(t *testing.T) {
	m := boot(t, 1)
	w := m.clone(0, func(cpu int, t sched.ID, c *sched.Context) bool { set(c, nrExit, 5); return true })
	if r := m.call(0, nrExit, 1); r != blocked {
		t.Fatalf("exit = %d", r)
	}
	if m.exited.Load() != 0 {
		t.Fatal("the main thread's exit ended the program")
	}
	m.spin(func() bool { return m.exited.Load() != 0 })
	if m.exited.Load() != 5+1 || !exists(w) {
		t.Errorf("exit code %d", m.exited.Load()-1)
	}
	m.call(0, nrExitGroup, 300)
	if m.exited.Load() != 300&0xff+1 {
		t.Errorf("exit_group(300): %d", m.exited.Load()-1)
	}
}

func TestPrctl(t *testing.T) {
	m := boot(t, 1)
	name, got := [16]byte{'w', 'o', 'r', 'k', 'e', 'r'}, [16]byte{}
	m.want(0, nrPrctl, 15, addressOf(&name))
	m.want(0, nrPrctl, 16, addressOf(&got))
	if got != name || sched.Info(mainThread).Name != name {
		t.Errorf("name %q", got)
	}
	long := [40]byte{}
	for i := range long {
		long[i] = 'x'
	}
	m.want(0, nrPrctl, 15, addressOf(&long))
	m.want(0, nrPrctl, 16, addressOf(&got))
	if got != [16]byte([]byte("xxxxxxxxxxxxxxx\x00")) {
		t.Errorf("name %q", got)
	}
	m.want(efault, nrPrctl, 15, 8)
	m.want(efault, nrPrctl, 16, 8)
	m.want(einval, nrPrctl, 0x53564d41, 0, 0x1000, 4096, 0) // PR_SET_VMA
}

func TestArchPrctl(t *testing.T) {
	m := boot(t, 1)
	w, a := words(1)
	m.want(0, nrArchPrctl, 0x1002, 0x7777000)
	m.want(0, nrArchPrctl, 0x1003, a)
	if w[0] != 0x7777000 || sched.Get(mainThread).Ctx.FS != 0x7777000 {
		t.Errorf("FS %#x", w[0])
	}
	m.want(eperm, nrArchPrctl, 0x1002, 1<<63)
	m.want(efault, nrArchPrctl, 0x1003, 8)
	m.want(einval, nrArchPrctl, 0x1001, 0)
}

func TestAffinity(t *testing.T) {
	m := boot(t, 70)
	w, a := words(16)
	m.want(16, nrSchedGetaffinity, 0, 128, a)
	if w[0] != ^uint64(0) || w[1] != 1<<6-1 || w[2] != 0 {
		t.Errorf("mask %#x", w)
	}
	m.want(einval, nrSchedGetaffinity, 0, 8, a)
	m.want(einval, nrSchedGetaffinity, 0, 20, a)
	m.want(esrch, nrSchedGetaffinity, 99, 128, a)
	m.want(efault, nrSchedGetaffinity, 0, 128, 8)
	w[0], w[1] = 0b101, 0
	m.want(0, nrSchedSetaffinity, 0, 16, a)
	w[0] = 0
	m.want(16, nrSchedGetaffinity, 1, 16, a)
	if w[0] != 0b101 {
		t.Errorf("mask %#x", w[0])
	}
	w[0], w[1] = 0, 1<<40
	m.want(einval, nrSchedSetaffinity, 0, 16, a)
	m.want(esrch, nrSchedSetaffinity, 99, 16, a)
	m.want(efault, nrSchedSetaffinity, 0, 16, 8)
	w[0], w[1] = ^uint64(0), ^uint64(0)
	m.want(0, nrGetcpu, a, a+8, 0)
	if w[0]&0xffffffff != 0 || w[1]&0xffffffff != 0 {
		t.Errorf("getcpu %#x %#x", w[0], w[1])
	}
	m.want(efault, nrGetcpu, 8, 0, 0)
}

func TestIdentityAndLimits(t *testing.T) {
	m := boot(t, 1)
	w, a := words(64)
	m.want(1, nrGetpid)
	m.want(0, nrGetppid)
	m.want(1, nrGettid)
	for _, nr := range []uint64{nrGetuid, nrGeteuid, nrGetgid, nrGetegid} {
		m.want(0, nr)
	}
	m.want(1, nrSetTidAddress, a)
	m.want(0, nrSchedYield)
	m.want(0, nrUname, a)
	u := (*[6][utsField]byte)(kernelPtr(uintptr(a)))
	if string(u[0][:6]) != "Linux\x00" || string(u[4][:7]) != "x86_64\x00" {
		t.Errorf("uname %q", u)
	}
	m.want(efault, nrUname, 8)
	m.want(0, nrSysinfo, a)
	if w[4] != 1<<30 || w[5] != 1<<29 || w[10]&0xffff != 1 || uint32(w[13]) != 1 {
		t.Errorf("sysinfo %v", w[:14])
	}
	m.want(0, nrGetrlimit, rlimitNproc, a)
	if w[0] != maxTasks-1 || w[1] != w[0] {
		t.Errorf("RLIMIT_NPROC %v", w[:2])
	}
	m.want(0, nrGetrlimit, rlimitNofile, a)
	if w[0] != uint64(len(fds)) || w[1] != w[0] {
		t.Errorf("RLIMIT_NOFILE %v", w[:2])
	}
	m.want(0, nrPrlimit64, 0, 3, 0, a)
	if w[0] != unlimited {
		t.Errorf("RLIMIT_STACK %v", w[:2])
	}
	m.want(0, nrPrlimit64, 0, 3, a, 0)
	w[0], w[1] = 5, 4
	m.want(einval, nrPrlimit64, 0, 3, a, 0)
	w[1] = 6
	m.want(eperm, nrPrlimit64, 0, 3, a, 0)
	m.want(einval, nrGetrlimit, 16, a)
	m.want(esrch, nrPrlimit64, 9, 3, 0, a)
}
