package sim

// Line is a cache line that CPUs write in turn. The zero value is in no cache.
type Line struct {
	owner       int32  // 1 + the CPU that wrote it last
	version     uint32 // counts writes
	taken, free uint64 // ns; when its last transfer began and ended
}

// lines are those of the scheduler that are contended.
type lines struct {
	all    []Line
	queues []Line // by CPU
	idle   []Line // of the idle bitmap, by node
	seen   []uint32
	node   []uint8
	cost   [][]uint64 // of one line, by the nodes of reader and writer, in ns
}

func newLines(t *Topology, c *Costs) lines {
	n, nodes := len(t.Node), len(t.Distance)
	l := lines{all: make([]Line, n+nodes), node: t.Node, cost: make([][]uint64, nodes)}
	l.queues, l.idle = l.all[:n], l.all[n:]
	l.seen = make([]uint32, n*len(l.all))
	for i := range l.cost {
		l.cost[i] = make([]uint64, nodes)
		for j := range l.cost[i] {
			l.cost[i][j] = c.line(t.Distance[i][j])
		}
	}
	return l
}

// distance returns what a line costs a CPU that another wrote, in ns.
func (l *lines) distance(to, from int) uint64 { return l.cost[l.node[to]][l.node[from]] }

// Own lets the trap's CPU write a line of the workload's.
func (m *Machine) Own(l *Line) { m.own(l) }

// ownQueue lets the trap's CPU write a CPU's queue: its word of bits, a band, and a node, one after the other.
func (m *Machine) ownQueue(cpu int) { m.spend(sharing, (queueLines-1)*m.own(&m.lines.queues[cpu])) }

const queueLines = 3

// own lets the trap's CPU write a line: it waits until those before it have had it. A trap that has run for long may have
// taken it later than this one wants it, which then was before. The ns of the transfer, without the wait, are returned.
func (m *Machine) own(l *Line) (transfer uint64) {
	l.version++
	if l.owner == int32(m.cpu)+1 {
		return 0
	}
	at := m.now + m.c.cost
	from, d := at, uint64(0)
	if l.owner != 0 {
		d = m.lines.distance(m.cpu, int(l.owner)-1)
	}
	if at >= l.taken {
		from = max(at, l.free)
		l.taken, l.free = from, from+d
	}
	l.owner = int32(m.cpu) + 1
	m.spend(sharing, from-at+d)
	return d
}

// changed reports whether a line was written since the trap's CPU last looked at it.
func (m *Machine) changed(i int) bool {
	l, seen := &m.lines.all[i], &m.lines.seen[m.cpu*len(m.lines.all)+i]
	if *seen == l.version {
		return false
	}
	*seen = l.version
	return l.owner != int32(m.cpu)+1
}

// search charges an idle CPU's looks at queues, after it has set its bit. Which ones they were is not known: those from some CPU on.
func (m *Machine) search(looks int) {
	m.own(&m.lines.idle[m.lines.node[m.cpu]])
	m.charge(searching, Look, uint64(looks))
	n := len(m.cpus)
	looks = min(looks, n)
	first := m.rng.IntN(n)
	m.spend(searching, m.missed(first, min(first+looks, n)))
	m.spend(searching, m.missed(0, max(first+looks-n, 0)))
	m.Searches++
}

// lookAtIdle charges a look at the idle bitmap.
func (m *Machine) lookAtIdle() { m.spend(sharing, m.missed(len(m.cpus), len(m.lines.all))) }

// missed returns the ns that reading lines from up to to takes, Overlap at a time.
func (m *Machine) missed(from, to int) uint64 {
	var ns uint64
	for i := from; i < to; i++ {
		if m.changed(i) {
			ns += m.lines.distance(m.cpu, int(m.lines.all[i].owner)-1)
		}
	}
	return (ns + Overlap - 1) / Overlap
}
