package dag

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync/atomic"
	"testing"
)

// model is a random graph that checks itself: each function sees whether those before it have ended, and some fail.
type model struct {
	g       *Graph
	before  [][]int // by function
	fails   []bool
	began   []atomic.Int32
	ended   []atomic.Int32
	trouble atomic.Pointer[string]
}

func newModel(r *rand.Rand, nodes int) *model {
	size := 1 + r.IntN(200)
	density, failures := r.IntN(6), r.IntN(3)*r.IntN(3)
	m := &model{
		g: New("model"), before: make([][]int, size), fails: make([]bool, size),
		began: make([]atomic.Int32, size), ended: make([]atomic.Int32, size),
	}
	order := r.Perm(size) // dependencies lead from earlier to later in it
	place := make([]int, size)
	for k, i := range order {
		place[i] = k
	}
	var funcs []*Func
	for i := range size {
		m.fails[i] = r.IntN(size) < failures
		funcs = append(funcs, m.g.Func(fmt.Sprint(i), func(context.Context) error { return m.call(i) }))
		if r.IntN(4) == 0 {
			funcs[i].OnNode(r.IntN(nodes))
		}
	}
	for i, f := range funcs {
		for range r.IntN(density + 1) {
			if place[i] > 0 {
				o := order[r.IntN(place[i])] // perhaps the same one twice
				m.before[i] = append(m.before[i], o)
				f.After(funcs[o])
			}
		}
	}
	return m
}

func (m *model) say(format string, args ...any) {
	s := fmt.Sprintf(format, args...)
	m.trouble.CompareAndSwap(nil, &s)
}

func (m *model) call(i int) error {
	if m.began[i].Add(1) != 1 {
		m.say("%d began twice", i)
	}
	for _, o := range m.before[i] {
		if m.ended[o].Load() != 1 {
			m.say("%d began before %d ended", i, o)
		}
	}
	defer m.ended[i].Add(1)
	if m.fails[i] {
		if i%2 == 0 {
			panic(errBoom)
		}
		return errBoom
	}
	return nil
}

// check looks at a run that is over, and makes ready for the next.
func (m *model) check(err error) {
	if n := slices.Index(m.fails, true); err == nil {
		if n >= 0 {
			m.say("function %d failed, and the run didn't", n)
		}
		for i := range m.began {
			if m.began[i].Load() != 1 || m.ended[i].Load() != 1 {
				m.say("%d was called %d times and ended %d", i, m.began[i].Load(), m.ended[i].Load())
			}
		}
	} else if m.checkPath(err); n < 0 {
		m.say("error %v, and no function failed", err)
	}
	for i := range m.began {
		m.began[i].Store(0)
		m.ended[i].Store(0)
	}
}

// checkPath sees that an error leads from a root, along dependencies, to a function that fails, each of which was called.
func (m *model) checkPath(err error) {
	var at *Error
	if !errors.As(err, &at) || !errors.Is(err, errBoom) || len(at.Path) == 0 {
		m.say("error %v", err)
		return
	}
	last := -1
	for k, name := range at.Path {
		var i int
		fmt.Sscan(name, &i)
		if m.ended[i].Load() != 1 || k == 0 && len(m.before[i]) > 0 || k > 0 && !slices.Contains(m.before[i], last) {
			m.say("path %q: %s is not on one", at.Path, name)
		}
		last = i
	}
	if !m.fails[last] {
		m.say("path %q: the last doesn't fail", at.Path)
	}
}

// Random graphs, many at a time on one executor, are called in order, once, and fail as they should.
func TestRandomGraphs(t *testing.T) {
	seeds := 40
	if testing.Short() || raceDetector {
		seeds = 8
	}
	for seed := range uint64(seeds) {
		r := rand.New(rand.NewPCG(seed, 3))
		nodes := 1 + r.IntN(3)
		e := open(t, Config{
			Workers: nodes + r.IntN(8), Strategy: Strategy(r.IntN(int(strategies))), InFlight: 4,
			Node: func(w int) int { return w % nodes },
		})
		var models []*model
		for range 20 {
			models = append(models, newModel(r, nodes))
		}
		for range 5 {
			type flight struct {
				m   *model
				run Run
			}
			var flights []flight
			land := func() {
				f := flights[0]
				flights = flights[1:]
				if f.m.check(f.run.Wait()); f.m.trouble.Load() != nil {
					t.Fatalf("seed %d: %s", seed, *f.m.trouble.Load())
				}
			}
			for _, m := range models {
				run, err := e.TrySubmit(t.Context(), m.g)
				for err == ErrBusy {
					land()
					run, err = e.TrySubmit(t.Context(), m.g)
				}
				if err != nil {
					t.Fatal(err)
				}
				flights = append(flights, flight{m, run})
			}
			for len(flights) > 0 {
				land()
			}
		}
		e.Close()
	}
}
