package sched

// NoResult as Wake's result leaves the task's RAX alone: the system call that it blocked in starts again.
const NoResult = -1 << 63

// Claim ends sleep seq of a task, if nobody else has: the caller that gets true has the task in its hands, may change its
// Ctx, and must call Ready. It is the linearization point of a wakeup.
func (tk *Task) Claim(seq uint64) bool {
	return tk.state.CompareAndSwap(seq<<numberShift|uint64(StateBlocked), seq<<numberShift|uint64(StateWaking))
}

// Wake ends sleep seq of a task with a result in its RAX (NoResult: none), and reports whether it was the one to do so.
// It takes no lock.
func Wake(cpu int, t ID, seq uint64, result int64, front bool) bool {
	tk := Get(t)
	if !tk.Claim(seq) {
		return false
	}
	if result != NoResult {
		tk.Ctx.RAX = uint64(result)
	}
	Ready(cpu, t, front)
	return true
}

// WakeRestart is Wake for a system call that looks again: it leaves RAX alone.
func WakeRestart(cpu int, t ID, seq uint64, front bool) bool {
	return Wake(cpu, t, seq, NoResult, front)
}

// Urgent makes a task notice its Attn, which the caller has set: one that is READY goes first and preempts, one that runs
// elsewhere is interrupted. A BLOCKED one is the caller's affair: interrupting a sleep is a wakeup with a result.
//
// Each state that this may see too early is one whose next owner looks at Attn after leaving it: queue and toFront load Attn
// after storing READY, a trap exit after RUNNING was stored, and a sleeper must after Park (see there).
//
// A waiting task that cannot be moved to the front, for lack of a spare node, waits for its turn.
//
// A turn that it wasn't due is short, an eighth of a quantum: enough to answer a signal, and too little for its share to follow the
// signals that it gets. Go's runtime sends one to each thread that has computed for 10 ms, waiting ones included. That it was short
// is not for the lottery to make up for, either: to compensate, what it leaves of the eighth is all that it left unused.
func Urgent(cpu int, t ID) {
	tk := Get(t)
	for {
		switch s, _ := tk.State(); s {
		case StateRunning:
			if at := tk.CPU(); at != cpu {
				on(cpu).kicks.Add(1)
				machine.Kick(at)
			}
			return
		case StateReady:
			if at, ok := tk.retract(); ok {
				tk.outOfTurn()
				on(at).push(at, t, tk, true)
				kick(cpu, at, evaluate|preempt)
				return
			}
			if spares.Empty() {
				return
			}
		default:
			return
		}
	}
}

// outOfTurn gives a task, in the caller's hands, no more than an eighth of a quantum for its next turn.
func (tk *Task) outOfTurn() {
	left := tk.slice()
	if tk.quantumEnd != 0 {
		left = tk.quantumEnd // while it waits: what is left
	}
	tk.quantumEnd = min(left, max(tk.slice()/8, MinQuantum))
}
