package sched

import (
	"fmt"
	"iter"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"

	"pdac/test/interleave/atomic"
)

// turns lets the CPUs of a round take turns, one access to shared memory at a time.
type stepper struct {
	rng     *rand.Rand
	cpus    []*turn
	running *turn
	stalled int // turns that the CPU stalled has to sit out
	at      int
	stopped int // CPU
}

type turn struct {
	next  func() (struct{}, bool)
	stop  func()
	yield func(struct{}) bool
	done  bool
}

func (tn *stepper) step() {
	if r := tn.running; r != nil && !r.yield(struct{}{}) {
		panic("stopped")
	}
}

// begin gives each CPU a body.
func (tn *stepper) begin(n int, body func(cpu int)) {
	tn.cpus = make([]*turn, n)
	for i := range n {
		r := new(turn)
		r.next, r.stop = iter.Pull(func(yield func(struct{}) bool) {
			defer func() {
				if p := recover(); p != nil && p != "stopped" {
					panic(p)
				}
			}()
			r.yield = yield
			body(i)
		})
		tn.cpus[i] = r
	}
}

// once takes one step of some CPU; false: all are done.
func (tn *stepper) once() bool {
	if tn.cpus[tn.at].done || tn.rng.IntN(6) == 0 || tn.stalled > 0 && tn.at == tn.stopped {
		first := tn.rng.IntN(len(tn.cpus))
		found := -1
		for i := range tn.cpus {
			k := (first + i) % len(tn.cpus)
			if !tn.cpus[k].done && !(tn.stalled > 0 && k == tn.stopped) {
				found = k
				break
			}
		}
		if found < 0 {
			if tn.stalled > 0 {
				tn.stalled = 0
				return true
			}
			return false
		}
		tn.at = found
	}
	if tn.stalled > 0 {
		tn.stalled--
	} else if tn.rng.IntN(300) == 0 {
		tn.stopped, tn.stalled = tn.at, 1<<tn.rng.IntN(11)
		return true
	}
	r := tn.cpus[tn.at]
	tn.running = r
	_, more := r.next()
	tn.running = nil
	r.done = !more
	return true
}

func env(name string, or int) int {
	if n, err := strconv.Atoi(os.Getenv(name)); err == nil {
		return n
	}
	return or
}

// checkRanks fails when a task waits that should have preempted the one that runs.
func checkRanks(tb testing.TB) {
	for i := range cpus {
		c := &cpus[i]
		if c.cur.Load() == 0 {
			continue
		}
		below := int(c.below.Load())
		for b := range c.bands {
			if b >= below || c.bands[b].count.Load() == 0 {
				continue
			}
			entries, _ := c.entriesOf(b)
			for _, e := range entries {
				if ready(e) {
					tb.Fatalf("CPU %d runs task %d, below %d, while task %d waits in band %d", i, c.cur.Load(), below, named(e), b)
				}
			}
		}
		if e := c.lone.Load(); e > reserved && ready(e) && int(Get(named(e)).band()) < below {
			tb.Fatalf("CPU %d runs task %d, below %d, while task %d of band %d waits alone", i, c.cur.Load(), below, named(e), Get(named(e)).band())
		}
	}
}

type failure struct {
	testing.TB
	seed  uint64
	epoch int
}

func (f *failure) Fatalf(format string, args ...any) {
	panic(fmt.Sprintf("seed %d epoch %d: ", f.seed, f.epoch) + fmt.Sprintf(format, args...))
}
func (f *failure) Errorf(format string, args ...any) { f.Fatalf(format, args...) }
func (f *failure) Fatal(args ...any)                 { f.Fatalf("%s", fmt.Sprint(args...)) }
func (f *failure) Error(args ...any)                 { f.Fatalf("%s", fmt.Sprint(args...)) }
func (f *failure) Helper()                           {}

func round(t *testing.T, seed uint64) (err any) {
	rng := rand.New(rand.NewPCG(seed, 11))
	ncpu := 2 + rng.IntN(3)
	ntasks := 2 + rng.IntN(8)
	tb := &failure{TB: t, seed: seed}
	tn := &stepper{rng: rng}
	atomic.Step = tn.step
	defer func() {
		tn.running = nil
		for _, r := range tn.cpus {
			if r.stop != nil && !r.done {
				func() {
					defer func() { recover() }()
					tn.running = r
					r.stop()
				}()
			}
		}
		if err == nil {
			err = recover()
		}
	}()
	f := boot(tb, ncpu, 1+rng.IntN(2), 2*ntasks, rng.IntN(2)*4)
	for i := range quanta {
		quanta[i].Store(3000)
	}
	w := newWorkload(tb, f, 10*ntasks, 100)
	w.affinity = rng.IntN(2) == 0
	w.classes = os.Getenv("CLASSES") != "" || rng.IntN(2) == 0
	for range ntasks {
		w.spawn(rng.IntN(ncpu), rng.Uint64())
	}
	if !w.classes {
		for id := ID(1); id < Tasks(); id++ {
			SetClass(0, id, Class(rng.IntN(int(nClasses))))
		}
	}
	for epoch := range 20 {
		tb.epoch = epoch
		budget := 50 + rng.IntN(2000)
		stopping := false
		tn.begin(ncpu, func(cpu int) {
			for !stopping {
				if !f.interrupt(cpu) {
					if id := Current(cpu); id != 0 {
						w.step(cpu, id)
					} else if rng.IntN(8) == 0 && Tasks() > 1 {
						w.post(cpu, ID(1+rng.IntN(int(Tasks()-1))))
					} else {
						f.clock.Add(20)
					}
				}
				id := Leave(cpu)
				for i := 0; id != 0 && !Get(id).mayRun(cpu) && !NeedLeave(cpu); i++ {
					if i > 20000 {
						tb.Fatalf("CPU %d runs task %d against its affinity", cpu, id)
					}
				}
				tn.step()
			}
		})
		for n := 0; tn.once(); n++ {
			if n == budget {
				stopping = true
			}
			if n > budget+3_000_000 {
				tb.Fatalf("CPUs don't come to an end")
			}
		}
		settle := func() {
			for again := true; again; {
				again = false
				for cpu := range ncpu {
					if f.kicked[cpu].Swap(0) != 0 || NeedLeave(cpu) {
						if id := Leave(cpu); id != 0 {
							Get(id).Attn.Store(0) // delivered
						}
						again = true
					}
				}
			}
		}
		check(tb)
		checkNodes(tb)
		settle()
		for again := true; again; { // patience ends
			again = false
			for cpu := range ncpu {
				if cpus[cpu].leftSince != 0 {
					again = true
					f.clock.Add(patience)
					f.armed[cpu].Store(Never)
					Tick(cpu)
					settle()
				}
			}
		}
		if os.Getenv("DUMP") != "" && epoch == env("EPOCH", -1) {
			n := 0
			for _, ok := spares.Pop(nodeLinks); ok; _, ok = spares.Pop(nodeLinks) {
				n++
			}
			t.Logf("%d spares", n)
			for i := range cpus {
				c := &cpus[i]
				t.Logf("CPU %d: cur %d below %d bits %x lone %x front %x waits %v idle %v armed %d now %d word %x left %d", i, c.cur.Load(), c.below.Load(), c.bits.Load(), c.lone.Load(), c.front.Load(), c.waiting(), c.idle, c.armed, f.clock.Load(), idleWords[c.idleWord].bits.Load(), c.leftSince)
				for b := range c.bands {
					if es, _ := c.entriesOf(b); len(es) > 0 {
						t.Logf("  band %d %x count %d", b, es, c.bands[b].count.Load())
					}
				}
			}
			for id := ID(1); id < Tasks(); id++ {
				t.Logf("task %d: %x affine %d %x cpu %d node %d", id, Get(id).state.Load(), Get(id).affine.Load(), Get(id).affinity[0].Load(), Get(id).CPU(), Get(id).node.Load())
			}
		}
		checkSettled(tb, f)
		if !w.classes && env("RANKS", 1) == 1 {
			checkRanks(tb)
		}
		if w.live.Load() == 0 {
			break
		}
	}
	return nil
}

func TestTurns(t *testing.T) {
	first, n := env("FIRST", 1), env("ROUNDS", 1000)
	kinds := map[string]int{}
	for seed := first; seed < first+n; seed++ {
		if err := round(t, uint64(seed)); err != nil {
			t.Errorf("%v", err)
			kinds[fmt.Sprint(err)]++
			if len(kinds) >= env("MAX", 5) {
				break
			}
		}
	}
}
