package sched

import "pdac/kernel/lockfree"

// MaxCPUs is the most CPUs that a CPUSet can name.
const MaxCPUs = 1024

// CPUSet is a set of CPU numbers: bit n%64 of word n/64.
type CPUSet [MaxCPUs / 64]uint64

// Add puts a CPU into the set.
func (s *CPUSet) Add(cpu int) { s[uint(cpu)/64%uint(len(s))] |= 1 << (uint(cpu) % 64) }

// Has reports whether a CPU is in the set.
func (s *CPUSet) Has(cpu int) bool { return s[uint(cpu)/64%uint(len(s))]>>(uint(cpu)%64)&1 != 0 }

// affinityLock keeps two SetAffinity apart; readers don't take it. A reader may see some words of the old mask and some
// of the new. That can misplace a task but not run it on a wrong CPU: SetAffinity stores the mask and then loads the state,
// a CPU stores RUNNING and then loads the mask, so one of them sees that the task has to move.
var affinityLock lockfree.SpinLock

// SetAffinity restricts a task to the CPUs of mask. CPUs that don't exist are left out; ok is false, and nothing changes,
// when none is left. The calling CPU's own task has moved by the time that Leave returns, one that runs elsewhere is sent
// an IPI, one that waits moves when its turn comes or an idle CPU of the mask gets it.
func SetAffinity(cpu int, t ID, mask *CPUSet) (ok bool) {
	var in, out uint64
	for i, m := range mask {
		in |= m & online[i]
		out |= online[i] &^ m
	}
	if in == 0 {
		return false
	}
	tk := Get(t)
	affinityLock.Lock()
	tk.affine.Or(masked)
	for i, m := range mask {
		tk.affinity[i].Store(m & online[i])
	}
	if out == 0 {
		tk.affine.And(^uint32(masked))
	}
	affinityLock.Unlock()

	s, _ := tk.State()
	at := tk.CPU()
	switch {
	case s == StateRunning && !tk.mayRun(at):
		kick(cpu, at, evaluate)
	case s == StateReady:
		offer(cpu, t)
	}
	return true
}

// GetAffinity stores into mask the CPUs that a task may run on.
func GetAffinity(t ID, mask *CPUSet) {
	tk := Get(t)
	if tk.affine.Load()&masked == 0 {
		*mask = online
		return
	}
	for i := range mask {
		mask[i] = tk.affinity[i].Load()
	}
}

// inherit gives a new task the affinity and the home node of its creator.
func (tk *Task) inherit(from ID) {
	if from == 0 {
		tk.affine.Store(0)
		return
	}
	src := Get(from)
	like := src.affine.Load()
	if like&masked != 0 {
		for i := range src.affinity {
			tk.affinity[i].Store(src.affinity[i].Load())
		}
	}
	tk.affine.Store(like)
}

// mayRun reports whether the task's affinity allows a CPU.
func (tk *Task) mayRun(cpu int) bool { return tk.affine.Load() == 0 || tk.allows(cpu) }

func (tk *Task) allows(cpu int) bool {
	return tk.affine.Load()&masked == 0 || tk.affinity[uint(cpu)/64%uint(len(tk.affinity))].Load()>>(uint(cpu)%64)&1 != 0
}

// allowed returns the first CPU at or after cpu, cyclically, that the task may run on.
func (tk *Task) allowed(cpu int) int {
	for range cpus {
		if tk.mayRun(cpu) {
			return cpu
		}
		if cpu++; cpu == len(cpus) {
			cpu = 0
		}
	}
	return cpu // mask half written: the CPU that picks the task looks again
}
