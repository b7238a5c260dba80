package sched

// The home node of a task: where its memory is wanted to be. It goes there when it wakes, to an idle CPU there first, and balancing
// charges for a move away (balance.go). It is a preference: a CPU that would be idle takes the task wherever it is, and a wakeup finds an
// idle CPU elsewhere before it queues the task behind others at home.
//
// Task.affine holds it beside the bit that says that the affinity mask counts, since what passes fast by both asks for both.

const (
	masked    = 1      // in Task.affine: Task.affinity counts
	homeShift = 8      // from here on: home node + 1, 0: none
	homeMask  = 0xff00 // which fits MaxNodes
)

// SetHome gives a task, and those that it makes from then on, a home node below MaxNodes; -1: none. A task goes there when it wakes
// next, if CPUs are of that node. It may be called from any world.
func SetHome(t ID, node int) {
	tk, home := Get(t), uint32(node+1)<<homeShift&homeMask
	for {
		w := tk.affine.Load()
		if tk.affine.CompareAndSwap(w, w&^homeMask|home) {
			return
		}
	}
}

// HomeOf returns the home node of a task; false: it has none.
func HomeOf(t ID) (node int, ok bool) { return Get(t).home() }

func (tk *Task) home() (node int, ok bool) {
	home := tk.affine.Load() & homeMask >> homeShift
	return int(home) - 1, home != 0
}

// wanted returns the CPU in whose queue the task goes if none is idle: target, or one of its home, if the affinity allows.
func (tk *Task) wanted(target int) int {
	node, ok := tk.home()
	if ok && on(target).node != uint32(node) {
		own := &nodeCPUs[node%MaxNodes]
		for i := range own.n { // from the one on that target's number says, so that they spread
			if cpu := int(byNode[(own.first+(uint32(target)+i)%own.n)%MaxCPUs]); tk.mayRun(cpu) {
				return cpu
			}
		}
	}
	return tk.allowed(target)
}
