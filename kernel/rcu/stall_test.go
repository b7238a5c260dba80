package rcu

import (
	"math/bits"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
)

// world is a clock that only sleeping moves, and what happens at a time.
type world struct {
	now    uint64
	events map[uint64]func()
	stalls []Stall
}

const tick = 100 * time.Millisecond

func (w *world) config(c Config) Config {
	c.CPUs = 4
	c.Now = func() uint64 { return w.now }
	c.Sleep = func(time.Duration) {
		w.now += uint64(tick)
		if f := w.events[w.now]; f != nil {
			f()
		}
	}
	c.OnStall = func(s Stall) { w.stalls = append(w.stalls, s) }
	return c
}

func (w *world) ages() (ages []time.Duration) {
	for _, s := range w.stalls {
		ages = append(ages, s.Age)
	}
	return ages
}

func at(d time.Duration) uint64 { return uint64(d) }

func TestStallIsReportedOnceADoubling(t *testing.T) {
	w := &world{now: at(time.Hour)}
	d := New(w.config(Config{}))
	token := d.ReadLock(3)
	w.events = map[uint64]func(){at(time.Hour + 5*time.Second): func() { d.ReadUnlock(token) }}
	d.Synchronize()
	if got, want := w.ages(), []time.Duration{time.Second, 2 * time.Second, 4 * time.Second}; !slices.Equal(got, want) {
		t.Errorf("reported at ages %v, want %v", got, want)
	}
	for _, s := range w.stalls {
		if s.CPU != 3 || s.Start != at(time.Hour) || s.PC != 0 || s.Trap {
			t.Errorf("%+v, want CPU 3 since the begin of the grace period", s)
		}
	}
	st := d.Stats()
	if st.Stalls != 1 {
		t.Errorf("%d stalls counted, want 1", st.Stalls)
	}
	if bucket := bits.Len64(at(5 * time.Second)); st.Latency[bucket] != 1 {
		t.Errorf("latencies %v, want 1 in bucket %d", st.Latency, bucket)
	}
}

func TestNoStallBelowTheLimit(t *testing.T) {
	w := &world{}
	d := New(w.config(Config{StallAfter: 3 * time.Second}))
	token := d.ReadLock(0)
	w.events = map[uint64]func(){at(3*time.Second - tick): func() { d.ReadUnlock(token) }}
	d.Synchronize()
	if len(w.stalls) != 0 || d.Stats().Stalls != 0 {
		t.Errorf("stalls %+v, want none", w.stalls)
	}
}

// theReader is the function that a report must name.
//
//go:noinline
func theReader(d *Domain, cpu int) Token { return d.Track(d.ReadLock(cpu), 0) }

// TestStallNamesOldestReader: of those in the way, not of those that came later or are elsewhere.
func TestStallNamesOldestReader(t *testing.T) {
	w := &world{now: 1000}
	d := New(w.config(Config{Track: true}))
	release := func(tokens ...Token) func() {
		return func() {
			for _, token := range tokens {
				d.ReadUnlock(token)
			}
		}
	}
	onGoroutine := func(f func() Token) (token Token) { // or Synchronize would find itself inside
		done := make(chan bool)
		go func() {
			token = f()
			close(done)
		}()
		<-done
		return token
	}
	release(onGoroutine(func() Token { return d.Track(d.ReadLock(2), 0) }))() // gone: must not be named
	w.now = 2000
	oldest := onGoroutine(func() Token { return theReader(d, 2) })
	w.now = 3000
	younger := onGoroutine(func() Token { return d.Track(d.ReadLock(2), 0) })
	other := onGoroutine(func() Token { return d.Track(d.ReadLock(3), 0) })
	w.now = 0
	w.events = map[uint64]func(){
		at(tick):            func() { onGoroutine(func() Token { return d.Track(d.ReadLock(2), 0) }) }, // after the change of phase
		at(3 * time.Second): release(oldest, younger, other),
	}
	d.Synchronize()
	if len(w.stalls) != 2 {
		t.Fatalf("stalls %+v, want 2", w.stalls)
	}
	s := w.stalls[0]
	if name := runtime.FuncForPC(s.PC - 1).Name(); s.CPU != 2 || s.Start != 2000 || !strings.HasSuffix(name, ".theReader") {
		t.Errorf("%+v in %s, want CPU 2 since 2000 in theReader", s, name)
	}
}

// TestStallOfUnregisteredReader: a later reader on the same CPU is not taken for it.
func TestStallOfUnregisteredReader(t *testing.T) {
	w := &world{}
	d := New(w.config(Config{Track: true}))
	token := d.ReadLock(1)
	w.events = map[uint64]func(){
		at(tick):                    func() { d.Track(d.ReadLock(1), 0) },
		at(1500 * time.Millisecond): func() { d.ReadUnlock(token) },
	}
	d.Synchronize()
	if len(w.stalls) != 1 || w.stalls[0].PC != 0 || w.stalls[0].Start != 0 {
		t.Errorf("stalls %+v, want one of an unknown reader", w.stalls)
	}
}

func TestStallOfTrapCode(t *testing.T) {
	w := &world{}
	traps := make(Traps, 4)
	d := New(w.config(Config{Traps: traps, Track: true}))
	traps[1].Enter()
	w.events = map[uint64]func(){at(1500 * time.Millisecond): traps[1].Leave}
	d.Synchronize()
	if len(w.stalls) != 1 || w.stalls[0] != (Stall{CPU: 1, Age: time.Second, Trap: true}) {
		t.Errorf("stalls %+v, want one of CPU 1's trap code", w.stalls)
	}
}

func TestLatencyBuckets(t *testing.T) {
	for ns, bucket := range map[uint64]int{0: 0, 1: 1, 2: 2, 3: 2, 4: 3, 1000: 10, 1 << 38: 39, 1 << 60: 39} {
		d := New(Config{CPUs: 1})
		d.record(ns)
		if d.Stats().Latency[bucket] != 1 {
			t.Errorf("%d ns: %v, want it in bucket %d", ns, d.Stats().Latency, bucket)
		}
	}
}
