package sched

import "pdac/kernel/lockfree"

// Unpark makes a task READY whose sleep is the caller's alone to end, since it took the task from where all others would have found
// it; its system call returns 0. Else as Ready. A task that does not sleep is a broken invariant.
//
//go:nosplit
func Unpark(cpu int, t ID) {
	tk := Get(t)
	if !tk.End() {
		panic("sched: Unpark of a task that was not parked")
	}
	tk.Ctx.RAX = 0
	Ready(cpu, t, false)
}

// Sleep is Park without a deadline, gives lock back, which the caller holds, and goes on with another task: next is the one that is
// current now, if that was found without Leave, else 0. A waker that takes the lock finds the task parked.
//
//go:nosplit
func Sleep(cpu int, t ID, lock *lockfree.SpinLock) (next ID) {
	Park(cpu, t, 0)
	lock.Unlock()
	return 0
}

// End is Claim of whatever sleep the task is in, for a caller who knows that nobody else can end it.
func (tk *Task) End() bool {
	_, seq := tk.State()
	return tk.Claim(seq)
}
