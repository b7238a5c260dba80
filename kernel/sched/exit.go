package sched

// maxExitHooks bounds how many packages hold something for a task.
const maxExitHooks = 8

var (
	exitHooks  [maxExitHooks]func(cpu int, t ID)
	nExitHooks int
)

// OnExit registers, at boot, what Exit calls first: to give back what the task holds. Hooks run in the order of
// registration, with the task still current; they may wake others but not block.
func OnExit(f func(cpu int, t ID)) {
	if nExitHooks == maxExitHooks {
		panic("sched: too many exit hooks")
	}
	exitHooks[nExitHooks] = f
	nExitHooks++
}

// Exit ends the current task: the one way out. The list of what a task holds: what the hooks give back, its sleep timer,
// its number. The number may belong to a new task by the time that Exit returns.
func Exit(cpu int, t ID) {
	for i := range nExitHooks {
		exitHooks[i](cpu, t)
	}
	c, tk := on(cpu), Get(t)
	c.detach(t, tk, machine.Now())
	trace(cpu, EventExit, t, 0)
	c.dropSleep(cpu, t, tk)
	tk.move(StateRunning, StateDead)
	tk.free(t)
}
