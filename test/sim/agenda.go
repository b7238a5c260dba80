package sim

// agenda orders the CPUs by the time of their next event, equal times by number: a binary heap with the place of each CPU,
// so that an event that moves leaves no stale entry behind and nothing is allocated.
type agenda struct {
	at    []uint64
	heap  []int32
	place []int32
}

func newAgenda(n int) *agenda {
	a := &agenda{make([]uint64, n), make([]int32, n), make([]int32, n)}
	for i := range n {
		a.at[i], a.heap[i], a.place[i] = never, int32(i), int32(i)
	}
	return a
}

// first returns the CPU with the earliest event, and its time.
func (a *agenda) first() (cpu int, at uint64) {
	cpu = int(a.heap[0])
	return cpu, a.at[cpu]
}

func (a *agenda) before(x, y int32) bool {
	return a.at[x] < a.at[y] || a.at[x] == a.at[y] && x < y
}

// set moves a CPU's next event.
func (a *agenda) set(cpu int, at uint64) {
	a.at[cpu] = at
	x, i := int32(cpu), int(a.place[cpu])
	for i > 0 {
		up := (i - 1) / 2
		if !a.before(x, a.heap[up]) {
			break
		}
		a.put(i, a.heap[up])
		i = up
	}
	for {
		down := 2*i + 1
		if down >= len(a.heap) {
			break
		}
		if r := down + 1; r < len(a.heap) && a.before(a.heap[r], a.heap[down]) {
			down = r
		}
		if !a.before(a.heap[down], x) {
			break
		}
		a.put(i, a.heap[down])
		i = down
	}
	a.put(i, x)
}

func (a *agenda) put(i int, x int32) { a.heap[i], a.place[x] = x, int32(i) }
