package rcu

import (
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// Torture in the way of the Linux kernel's rcutorture (kernel/rcu/rcutorture.c). An updater replaces
// the current element and lets the old one age: by one when it is removed, by one more after each
// grace period, and at the last stage it is used again. A reader that holds an element to the end
// of its section finds it at age 0, or at 1 when it was removed meanwhile. Older is a grace period
// that was none.

const stages = 10

// element is what readers look at. value is plain, so the race detector looks too.
type element struct {
	age   atomic.Int32
	value int
}

// ages counts elements by their age at the end of a section.
type ages [stages + 1]atomic.Uint64

func (a *ages) tooOld() (n uint64) {
	for i := 2; i < len(a); i++ {
		n += a[i].Load()
	}
	return n
}

func (a *ages) String() string {
	s := "sections by age:"
	for i := range a {
		s += fmt.Sprintf(" %d", a[i].Load())
	}
	return s
}

// subject is what is tortured.
type subject struct {
	enter       func(cpu int) Token
	leave       func(Token)
	synchronize func()
	call        func(func()) // nil: only Synchronize is
	cpus        int
	trap        bool // sections belong to a CPU: one reader each, which neither nests nor migrates
	broken      bool // races are expected: leave value alone
}

// torture is a run.
type torture struct {
	subject
	ages    ages
	updates atomic.Uint64
	current atomic.Pointer[element]
	stop    atomic.Bool
	stutter atomic.Bool
	handed  chan section // sections that end in another goroutine

	mu   sync.Mutex
	free []*element
}

// section is a section under way.
type section struct {
	token Token
	e     *element
}

func (r *torture) take() *element {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.free) == 0 {
		return nil
	}
	e := r.free[len(r.free)-1]
	r.free = r.free[:len(r.free)-1]
	return e
}

// older ages e, and reports whether it is still in the pipe.
func (r *torture) older(e *element) bool {
	if e.age.Add(1) < stages {
		return true
	}
	if !r.broken {
		e.value = -1
	}
	r.mu.Lock()
	r.free = append(r.free, e)
	r.mu.Unlock()
	return false
}

// replace makes a free element the current one and returns the old one. Nil: none is free.
func (r *torture) replace() *element {
	e := r.take()
	if e == nil {
		return nil
	}
	e.age.Store(0)
	if !r.broken {
		e.value = 1
	}
	old := r.current.Swap(e)
	old.age.Add(1)
	r.updates.Add(1)
	return old
}

// rest stops everything at times, so that there are grace periods without readers, and readers
// that begin all at once.
func (r *torture) rest() {
	for r.stutter.Load() {
		time.Sleep(time.Millisecond)
	}
}

func (r *torture) updateBySynchronize() {
	var pipe []*element
	for !r.stop.Load() {
		r.rest()
		if e := r.replace(); e != nil {
			pipe = append(pipe, e)
		}
		if rand.IntN(4) == 0 {
			runtime.Gosched() // a grace period that waits for nobody lets nobody run
		}
		r.synchronize()
		still := pipe[:0]
		for _, e := range pipe {
			if r.older(e) {
				still = append(still, e)
			}
		}
		pipe = still
	}
}

func (r *torture) updateByCall() {
	for !r.stop.Load() {
		r.rest()
		e := r.replace()
		if e == nil {
			runtime.Gosched()
			continue
		}
		var age func()
		age = func() {
			if r.older(e) {
				r.call(age)
			}
		}
		r.call(age)
	}
}

// end looks at the element for the last time.
func (r *torture) end(s section) {
	if !r.broken && s.e.value != 1 {
		r.ages[stages].Add(1)
	}
	r.ages[min(s.e.age.Load(), stages)].Add(1)
	r.leave(s.token)
}

// delay is what happens inside sections: mostly nothing, at times a preemption or several.
func (r *torture) delay() {
	switch rand.IntN(8) {
	case 0:
		runtime.Gosched()
	case 1:
		for range rand.IntN(10) {
			runtime.Gosched()
		}
	case 2:
		if rand.IntN(100) == 0 {
			time.Sleep(time.Duration(rand.IntN(int(2 * time.Millisecond))))
		}
	}
}

func (r *torture) begin(cpu int) section {
	return section{r.enter(cpu), r.current.Load()}
}

func (r *torture) read(cpu int) {
	for !r.stop.Load() {
		r.rest()
		if r.trap {
			s := r.begin(cpu)
			r.delay()
			r.end(s)
			continue
		}
		s := r.begin(rand.IntN(r.cpus))
		r.delay()
		switch rand.IntN(8) {
		case 0: // a nested one, that ends first
			inner := r.begin(rand.IntN(r.cpus))
			r.delay()
			r.end(inner)
		case 1: // one that overlaps
			inner := r.begin(rand.IntN(r.cpus))
			r.end(s)
			r.delay()
			s = inner
		case 2:
			select {
			case r.handed <- s:
				continue
			default:
			}
		}
		r.end(s)
	}
}

// run tortures until enough says so.
func (s subject) run(enough func(*torture) bool) *torture {
	r := &torture{subject: s, handed: make(chan section)}
	for range 50 * stages {
		r.free = append(r.free, new(element))
	}
	r.current.Store(&element{value: 1})

	var readers, updaters, ender sync.WaitGroup
	n := 6
	if s.trap {
		n = s.cpus
	}
	for cpu := range n {
		readers.Go(func() { r.read(cpu) })
	}
	for range 2 {
		updaters.Go(r.updateBySynchronize)
	}
	if s.call != nil {
		updaters.Go(r.updateByCall)
	}
	ender.Go(func() {
		for s := range r.handed {
			r.delay()
			r.end(s)
		}
	})
	for i := 0; !enough(r); i++ {
		time.Sleep(10 * time.Millisecond)
		r.stutter.Store(i%8 == 7)
	}
	r.stutter.Store(false)
	r.stop.Store(true)
	readers.Wait()
	close(r.handed)
	ender.Wait()
	updaters.Wait()
	return r
}

// duration is for how long to torture, all tests together.
func duration(t *testing.T) time.Duration {
	if v := os.Getenv("PDAC_TORTURE"); v != "" {
		d, err := time.ParseDuration(v)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	if testing.Short() {
		return time.Second
	}
	return 5 * time.Second
}

// dawdling enters a section slowly: much can happen between the load of the phase and the count.
func dawdling(d *Domain, cpu int) Token {
	phase := d.phase.Load()
	for range rand.IntN(10) {
		runtime.Gosched()
	}
	return d.enter(cpu, phase)
}

func ofDomain(c Config) subject {
	d := New(c)
	return subject{
		cpus: c.CPUs,
		enter: func(cpu int) Token {
			if rand.IntN(4) == 0 {
				return dawdling(d, cpu)
			}
			return d.Track(d.ReadLock(cpu), 0)
		},
		leave:       d.ReadUnlock,
		synchronize: d.Synchronize,
		call:        d.Call,
	}
}

func ofTraps(cpus int) subject {
	traps := make(Traps, cpus)
	d := New(Config{CPUs: 1, Traps: traps})
	return subject{
		cpus: cpus, trap: true,
		enter: func(cpu int) Token {
			traps[cpu].Enter()
			return Token(cpu)
		},
		leave: func(cpu Token) { traps[cpu].Leave() },
		synchronize: func() {
			// It spins, for what a CPU of its own would go on with.
			if runtime.GOMAXPROCS(0) > 1 && rand.IntN(2) == 0 {
				traps.Synchronize()
			} else {
				d.Synchronize()
			}
		},
		call: d.Call,
	}
}

func TestTorture(t *testing.T) {
	subjects := map[string]subject{
		"Domain":  ofDomain(Config{CPUs: 4}),
		"tracked": ofDomain(Config{CPUs: 4, Track: true}),
		"Traps":   ofTraps(4),
	}
	each := duration(t) / time.Duration(len(subjects))
	for name, s := range subjects {
		t.Run(name, func(t *testing.T) {
			end := time.Now().Add(each)
			r := s.run(func(*torture) bool { return time.Now().After(end) })
			t.Logf("%v; %d updates", &r.ages, r.updates.Load())
			if n := r.ages.tooOld(); n != 0 {
				t.Errorf("%d sections held an element after a grace period", n)
			}
			if r.ages[0].Load() == 0 || r.ages[1].Load() == 0 || r.updates.Load() < 2*stages {
				t.Error("too little happened to show anything")
			}
		})
	}
}
