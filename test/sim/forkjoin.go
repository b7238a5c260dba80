package sim

import "pdac/kernel/sched"

// function is the ns of one function of fork-join.
const function = 10_000

// forkJoin runs n functions and joins them. As a tree, a task with more than one function spawns one with half of them and
// goes on with the rest: divide and conquer, so that spawning is as parallel as running. Flat, the root spawns all.
//
// A join is a counter at who forked: of its children that run, and itself. Whoever counts it down to 0 goes on with the
// counter above, so nobody sleeps. A task ends with one function, the first of its range, which names its counter.
type forkJoin struct {
	n       int32
	flat    bool
	tasks   []struct{ first, end int32 } // functions left to it, by task
	pending []int32                      // by function
	parent  []int32
	lines   []Line // of the counters
	ran     []bool
}

func newForkJoin(n int, flat bool) *forkJoin {
	w := &forkJoin{n: int32(n), flat: flat, pending: make([]int32, n), parent: make([]int32, n), lines: make([]Line, n), ran: make([]bool, n)}
	w.tasks = make([]struct{ first, end int32 }, w.Tasks()+1)
	return w
}

func (w *forkJoin) Tasks() int { return min(int(w.n), sched.MaxTasks-1) }

func (w *forkJoin) Start(m *Machine) { w.fork(m, 0, w.n, -1) }

func (w *forkJoin) fork(m *Machine, first, end, parent int32) {
	t := m.Spawn(0)
	w.tasks[t] = struct{ first, end int32 }{first, end}
	w.parent[first], w.pending[first] = parent, 1
	if parent >= 0 {
		w.pending[parent]++
	}
}

func (w *forkJoin) Step(m *Machine, t sched.ID) {
	f := &w.tasks[t]
	switch {
	case f.end-f.first > 1:
		cut := f.end - 1
		if !w.flat {
			cut = f.first + (f.end-f.first+1)/2
		}
		end := f.end
		f.end = cut
		w.fork(m, cut, end, f.first)
	case !w.ran[f.first]:
		w.ran[f.first] = true
		m.Compute(t, function)
	default:
		w.join(m, f.first)
		m.Exit()
	}
}

func (w *forkJoin) join(m *Machine, i int32) {
	for i >= 0 {
		m.Own(&w.lines[i])
		if w.pending[i]--; w.pending[i] != 0 {
			return
		}
		i = w.parent[i]
	}
}

func (w *forkJoin) Arrive(*Machine) {}

func (w *forkJoin) Least(m *Machine) uint64 {
	return max(uint64(w.n)*function/uint64(m.CPUs()), function)
}
