package rcu

import (
	"runtime"
	"testing"
	"time"
)

// TestTortureFindsBrokenGracePeriods: a torture that cannot fail proves nothing.
func TestTortureFindsBrokenGracePeriods(t *testing.T) {
	type broken struct {
		name        string
		synchronize func(d *Domain)
	}
	for _, b := range []broken{
		{"no wait", func(d *Domain) { runtime.Gosched() }},
		{"one phase", onePhase},
		{"a CPU left out", func(d *Domain) {
			w := waiting{pace: d.pace, report: 1 << 62}
			first := Domain{cells: d.cells[:1], now: d.now}
			first.drain(&w, 0)
			first.drain(&w, 1)
		}},
	} {
		t.Run(b.name, func(t *testing.T) {
			d := New(Config{CPUs: 2})
			s := subject{
				cpus: 2, broken: true,
				enter:       func(cpu int) Token { return dawdling(d, cpu) },
				leave:       d.ReadUnlock,
				synchronize: func() { b.synchronize(d) },
			}
			r := s.run(func(r *torture) bool { return r.ages.tooOld() > 0 || r.updates.Load() > 5_000_000 })
			t.Logf("%v; %d updates", &r.ages, r.updates.Load())
			if r.ages.tooOld() == 0 {
				t.Error("the torture did not find it")
			}
		})
	}
	t.Run("callbacks at once", func(t *testing.T) {
		s := ofDomain(Config{CPUs: 2})
		s.broken = true
		s.call = func(f func()) { go f() }
		r := s.run(func(r *torture) bool { return r.ages.tooOld() > 0 || r.updates.Load() > 5_000_000 })
		t.Logf("%v; %d updates", &r.ages, r.updates.Load())
		if r.ages.tooOld() == 0 {
			t.Error("the torture did not find it")
		}
	})
}

// onePhase changes the phase and waits for the old one only: a grace period that stragglers escape.
func onePhase(d *Domain) {
	for !d.periods.begin() {
		runtime.Gosched()
	}
	w := waiting{pace: d.pace, report: 1 << 62}
	p := d.phase.Load()
	d.phase.Store(p ^ 1)
	d.drain(&w, p)
	d.periods.end()
}

// TestOnePhaseMissesStraggler shows by steps what the torture finds by chance.
func TestOnePhaseMissesStraggler(t *testing.T) {
	d := New(Config{CPUs: 1, Sleep: func(time.Duration) { t.Error("waits") }})
	phase := d.phase.Load()
	onePhase(d)
	token := d.enter(0, phase)
	onePhase(d) // returns, and the reader is still inside
	d.ReadUnlock(token)
}
