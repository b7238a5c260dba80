package dag

import (
	"context"
	"testing"
)

// still makes an executor whose workers don't run, and puts worker 1 to sleep. Worker 0 is the test's.
func still(t *testing.T, nodes int) (w, sleeper *worker, asleep func() bool) {
	e := &Executor{config: Config{Workers: 4, InFlight: 2, Node: func(w int) int { return w / 2 % nodes },
		Distance: func(from, to int) int { return 10 }}}
	e.makeRuns()
	if err := e.makeNodes(); err != nil {
		t.Fatal(err)
	}
	w, sleeper = e.workers[0], e.workers[1]
	e.asleep.Add(1)
	e.nodes[sleeper.node].idle.parked[0].Or(1 << sleeper.place)
	return w, sleeper, func() bool { return len(sleeper.token) == 0 }
}

// begun puts a run of the graph into worker 0's hand.
func begun(t *testing.T, w *worker, g *Graph) {
	p, err := g.compile()
	if err != nil {
		t.Fatal(err)
	}
	r := &w.e.runs[0]
	r.plan, r.ctx, r.left, r.link = p, t.Context(), make([]int32, len(p.steps)), make([]uint64, len(p.steps))
	r.sinks.Store(p.sinks)
	w.e.active.Add(1)
	w.e.starts.Push(w.e.startNodes, w.e.startLinks, 0)
	if !w.begin() {
		t.Fatal("nothing to do")
	}
}

// Whoever makes a step ready while others sleep wakes one, before it calls a function that may last.
func TestReadyStepsWake(t *testing.T) {
	for _, nodes := range []int{1, 2} {
		w, _, asleep := still(t, nodes)
		g := New("two")
		called := 0
		look := func(context.Context) error {
			if called++; called == 2 && asleep() {
				t.Errorf("%d nodes: a step is ready, and nobody was woken", nodes)
			}
			return nil
		}
		root := g.Func("root", look)
		for range 2 {
			if f := g.Func("f", look, root); nodes > 1 {
				f.OnNode(0)
			}
		}
		begun(t, w, g)
		w.follow()
		if called != 3 {
			t.Errorf("%d functions were called, want 3", called)
		}
	}
}

// So does who offers what it kept to itself.
func TestOfferedStepsWake(t *testing.T) {
	for _, bound := range []bool{false, true} {
		w, sleeper, asleep := still(t, 2)
		w.open.Push(0)
		w.bound.Push(0) // on offer, as long as nobody takes it
		d := &w.open
		if bound {
			d = &w.bound
		}
		g := New("one")
		g.Func("f", func(context.Context) error {
			if asleep() {
				t.Errorf("bound %v: a step was put on offer, and nobody was woken", bound)
			}
			d.Take() // the test's, so that follow finds no more
			w.open.Steal()
			w.bound.Steal()
			return nil
		})
		begun(t, w, g)
		if d.Push(1) || !asleep() {
			t.Fatalf("a second step is on offer at once, worker %d woken", sleeper.number)
		}
		w.follow()
	}
}

// So does who takes steps out of the inbox.
func TestReceivedStepsWake(t *testing.T) {
	w, sleeper, asleep := still(t, 2)
	g := New("one")
	g.Func("f", nothing)
	begun(t, w, g)
	w.e.nodes[0].idle.searching.Add(1) // somebody searches, and gives up
	w.e.send(sleeper.node, 0, 0)
	w.e.nodes[0].idle.searching.Add(-1)
	if !asleep() {
		t.Fatal("woken though somebody searches")
	}
	if w.receive(); asleep() || w.bound.Offered() != 1 {
		t.Error("a step came from another node, and nobody was woken")
	}
}
