package dag

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"

	"pdac/kernel/lockfree"
)

// Config says what an executor runs on. The function values are the machine's; the kernel fills them in, and a host
// test leaves them out.
type Config struct {
	Workers  int // one for each CPU; worker i belongs to CPU i
	InFlight int // how many runs may be under way at a time; 0: 64
	Strategy Strategy

	Node     func(worker int) int   // NUMA node, from 0 on; nil: all on node 0
	Distance func(from, to int) int // between nodes, in SLIT's unit; nil: 10 to itself, 20 to others

	// Pin binds the calling thread to the worker's CPU; nil: workers move freely. It is called by the worker, a goroutine
	// that is locked to its thread.
	Pin func(worker int) error
}

const defaultInFlight = 64

// Executor runs graphs.
type Executor struct {
	runs    []run
	workers []*worker
	nodes   []node
	config  Config

	free       chan uint32      // records of runs
	starts     lockfree.Bounded // runs that no worker has begun with
	startNodes []lockfree.Node
	startLinks []uint32

	distances []int        // those that occur, ascending: the classes of steals
	strategy  atomic.Int32 // a Strategy

	asleep  atomic.Int32 // bits set in all idle.parked
	active  atomic.Int64 // runs submitted and not over
	closed  atomic.Bool  // no more will be
	closing chan struct{}
	once    sync.Once
	alive   sync.WaitGroup // workers
}

// node is a NUMA node with what its workers share.
type node struct {
	workers []*worker
	nearest []int // all nodes, nearest first: itself, unless a distance says otherwise
	inbox   inbox
	idle    idle
	_       [lockfree.CacheLine]byte // keeps nodes off each other's lines
}

// NewExecutor starts the workers. It fails if there is none, for nodes or distances below 0, or if Pin does. Close
// ends them.
func NewExecutor(c Config) (*Executor, error) {
	if c.Workers < 1 || c.InFlight < 0 || !c.Strategy.valid() {
		return nil, fmt.Errorf("dag: %d workers, %d runs in flight, strategy %d", c.Workers, c.InFlight, c.Strategy)
	}
	if c.InFlight == 0 {
		c.InFlight = defaultInFlight
	}
	if c.Node == nil {
		c.Node = func(int) int { return 0 }
	}
	if c.Distance == nil {
		c.Distance = func(from, to int) int {
			if from == to {
				return 10
			}
			return 20
		}
	}
	e := &Executor{config: c, closing: make(chan struct{})}
	e.strategy.Store(int32(c.Strategy))
	e.makeRuns()
	if err := e.makeNodes(); err != nil {
		return nil, err
	}
	pinned := make(chan error)
	for _, w := range e.workers {
		e.alive.Add(1)
		go w.main(pinned)
	}
	var err error
	for range e.workers {
		err = errors.Join(err, <-pinned)
	}
	if err != nil {
		e.Close()
		return nil, fmt.Errorf("dag: %w", err)
	}
	return e, nil
}

func (e *Executor) makeRuns() {
	n := e.config.InFlight
	e.runs = make([]run, n)
	e.free = make(chan uint32, n)
	for i := range e.runs {
		e.runs[i].ended = make(chan struct{}, 1)
		e.free <- uint32(i)
	}
	// A run is in starts once, and each worker has one Pop under way: as many nodes, and the dummy (lockfree.Bounded).
	e.startNodes = make([]lockfree.Node, n+e.config.Workers+1)
	e.startLinks = make([]uint32, n+e.config.Workers+1)
	e.starts.Init(e.startNodes, e.startLinks)
}

// makeNodes makes nodes and workers, and tells them who is how far away.
func (e *Executor) makeNodes() error {
	c := e.config
	for i := range c.Workers {
		n := c.Node(i)
		if n < 0 || n >= 1<<16 {
			return fmt.Errorf("dag: worker %d on node %d", i, n)
		}
		if n >= len(e.nodes) {
			e.nodes = append(e.nodes, make([]node, n+1-len(e.nodes))...)
		}
		w := newWorker(e, i, n, len(e.nodes[n].workers))
		e.nodes[n].workers = append(e.nodes[n].workers, w)
		e.workers = append(e.workers, w)
	}
	distance := make([][]int, len(e.nodes))
	for from := range e.nodes {
		for to := range e.nodes {
			d := c.Distance(from, to)
			if d < 0 {
				return fmt.Errorf("dag: distance %d from node %d to %d", d, from, to)
			}
			distance[from] = append(distance[from], d)
			e.distances = append(e.distances, d)
		}
		n := &e.nodes[from]
		n.idle.parked = make([]atomic.Uint64, (len(n.workers)+63)/64)
		n.nearest = make([]int, len(e.nodes))
		for to := range n.nearest {
			n.nearest[to] = to
		}
		slices.SortStableFunc(n.nearest, func(a, b int) int { return distance[from][a] - distance[from][b] })
	}
	slices.Sort(e.distances)
	e.distances = slices.Compact(e.distances)
	for _, w := range e.workers {
		w.binds = len(e.nodes) > 1
		w.meet(distance[w.node])
	}
	return nil
}

// fits reports why this executor cannot run a plan.
func (e *Executor) fits(p *plan) error {
	if p.nodes == 0 {
		return nil
	}
	for i := range p.steps {
		n := int(p.steps[i].node)
		if n != anyNode && (n >= len(e.nodes) || len(e.nodes[n].workers) == 0) {
			return fmt.Errorf("dag: graph %s: function %s on node %d: %w", p.name, p.names[i], n, ErrNode)
		}
	}
	return nil
}

// SetStrategy changes how victims are chosen, from the next search of each worker on.
func (e *Executor) SetStrategy(s Strategy) error {
	if !s.valid() {
		return fmt.Errorf("dag: no strategy %d", s)
	}
	e.strategy.Store(int32(s))
	return nil
}

// Close waits for the runs under way, and ends the workers. Submit says ErrClosed from then on; Wait works as
// before. Inside of a function it says ErrInside.
//
// A worker ends when it sees closed, and then none active. Submit counts itself as active, and then looks at closed: if it
// saw none closed, every worker sees it active.
func (e *Executor) Close() error {
	if e.inside() {
		return ErrInside
	}
	e.once.Do(func() {
		e.closed.Store(true)
		close(e.closing)
	})
	e.wakeAll()
	e.alive.Wait()
	return nil
}
