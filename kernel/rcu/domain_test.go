package rcu

import (
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// stepped is a Domain whose waiters stop each time they would sleep, until the test lets them go on:
// that they wait is then an event.
type stepped struct {
	*Domain
	asleep chan bool
	wake   chan bool
}

func newStepped(c Config) stepped {
	s := stepped{asleep: make(chan bool), wake: make(chan bool)}
	c.Sleep = func(time.Duration) {
		s.asleep <- true
		<-s.wake
	}
	s.Domain = New(c)
	return s
}

// start runs f, which waits, and returns when it sleeps. What it returns says when f has ended.
func (s stepped) start(t *testing.T, f func()) chan bool {
	t.Helper()
	done := make(chan bool)
	go func() {
		f()
		close(done)
	}()
	s.sleeps(t, done)
	return done
}

// sleeps returns when f sleeps, and fails if it ends.
func (s stepped) sleeps(t *testing.T, done chan bool) {
	t.Helper()
	select {
	case <-s.asleep:
	case <-done:
		t.Fatal("did not wait")
	}
}

// again lets f look again, and fails unless it sleeps again.
func (s stepped) again(t *testing.T, done chan bool) {
	t.Helper()
	s.wake <- true
	s.sleeps(t, done)
}

// finish lets f look again, and fails unless it ends.
func (s stepped) finish(t *testing.T, done chan bool) {
	t.Helper()
	s.wake <- true
	select {
	case <-done:
	case <-s.asleep:
		t.Fatal("still waits")
	}
}

func TestSynchronizeIdle(t *testing.T) {
	d := New(Config{CPUs: 4, Sleep: func(time.Duration) { t.Error("waits for nobody") }})
	for range 5 {
		d.Synchronize()
	}
	if got := d.Stats().GracePeriods; got != 5 {
		t.Errorf("%d grace periods, want 5", got)
	}
}

func TestSynchronizeWaitsForReaderOfEachCPU(t *testing.T) {
	const cpus = 3
	for cpu := range cpus {
		for phase := range 2 {
			d := newStepped(Config{CPUs: cpus})
			for range phase {
				d.Synchronize()
			}
			token := d.ReadLock(cpu)
			done := d.start(t, d.Synchronize)
			d.again(t, done)
			d.ReadUnlock(token)
			d.finish(t, done)
		}
	}
}

func TestReadersThatBeginLaterAreNotWaitedFor(t *testing.T) {
	d := newStepped(Config{CPUs: 2})
	early := d.ReadLock(0)
	done := d.start(t, d.Synchronize)
	late := d.ReadLock(0)
	d.again(t, done)
	d.ReadUnlock(early)
	d.finish(t, done)
	d.ReadUnlock(late)
}

func TestReadersNest(t *testing.T) {
	d := newStepped(Config{CPUs: 2})
	outer := d.ReadLock(0)
	inner := d.ReadLock(0)
	other := d.ReadLock(1)
	if got := d.Stats().Readers; got != 3 {
		t.Errorf("%d readers, want 3", got)
	}
	done := d.start(t, d.Synchronize)
	for _, token := range []Token{outer, other} { // not in the order of the locks
		d.ReadUnlock(token)
		d.again(t, done)
	}
	d.ReadUnlock(inner)
	d.finish(t, done)
	if got := d.Stats().Readers; got != 0 {
		t.Errorf("%d readers, want none", got)
	}
}

// A glance is a grace period only if there is no section, of whatever CPU, phase and world; else it counts for nothing.
func TestGlance(t *testing.T) {
	const cpus = 3
	traps := make(Traps, cpus)
	d := New(Config{CPUs: cpus, Traps: traps})
	periods := uint64(0)
	look := func(want bool, what string, cpu int) {
		t.Helper()
		if got := d.glance(); got != want {
			t.Errorf("%s on CPU %d: %t", what, cpu, got)
		}
		if want {
			periods++
		}
		if got := d.Stats().GracePeriods; got != periods {
			t.Fatalf("%d grace periods, want %d", got, periods)
		}
	}
	for cpu := range cpus {
		for phase := range uint32(2) {
			token := d.enter(cpu, phase)
			look(false, "in a section", cpu)
			d.ReadUnlock(token)
			look(true, "after it", cpu)
		}
		traps[cpu].Enter()
		look(false, "in a trap", cpu)
		traps[cpu].Leave()
		look(true, "after it", cpu)
	}
}

// straggler plays the reader that loads the phase before a grace period and counts after it. It
// returns the end of a second one, which must wait for the reader, and the reader.
func straggler(t *testing.T, d stepped, synchronize func()) (chan bool, Token) {
	phase := d.phase.Load()
	synchronize()
	token := d.enter(0, phase)
	return d.start(t, synchronize), token
}

func TestSynchronizeWaitsForStraggler(t *testing.T) {
	d := newStepped(Config{CPUs: 2})
	for range 3 {
		done, token := straggler(t, d, d.share)
		d.again(t, done)
		d.ReadUnlock(token)
		d.finish(t, done)
	}
}

// TestGracePeriodsAreShared: those who come during a grace period all do with the next one.
func TestGracePeriodsAreShared(t *testing.T) {
	const callers = 20
	d := newStepped(Config{CPUs: 1})
	token := d.ReadLock(0)
	first := d.start(t, d.Synchronize)
	var ends []chan bool
	for range callers {
		ends = append(ends, d.start(t, d.Synchronize)) // sleeps: so it has looked at the number
	}
	d.ReadUnlock(token)
	close(d.wake)
	for _, done := range append(ends, first) {
		for ended := false; !ended; {
			select {
			case <-d.asleep:
			case <-done:
				ended = true
			}
		}
	}
	if got := d.Stats().GracePeriods; got != 2 {
		t.Errorf("%d grace periods for 1 and %d callers during it, want 2", got, callers)
	}
}

func TestDomainsAreApart(t *testing.T) {
	a, b := New(Config{CPUs: 1}), New(Config{CPUs: 1})
	token := a.ReadLock(0)
	b.Synchronize()
	a.ReadUnlock(token)
}

// One CPU has the number 0, and nobody is asked.
func TestCPUOfOne(t *testing.T) {
	if cpu := New(Config{CPUs: 1, CPU: func() int { return 1 }}).CPU(); cpu != 0 {
		t.Errorf("CPU %d of one", cpu)
	}
	if cpu := New(Config{CPUs: 2, CPU: func() int { return 1 }}).CPU(); cpu != 1 {
		t.Errorf("CPU %d, want what Config.CPU said", cpu)
	}
}

func TestNewWithoutCPUs(t *testing.T) {
	wantPanic(t, "without CPUs", func() { New(Config{}) })
}

func wantPanic(t *testing.T, text string, f func()) {
	t.Helper()
	defer func() {
		t.Helper()
		if got, _ := recover().(string); !strings.Contains(got, text) {
			t.Errorf("panic %q, want one with %q", got, text)
		}
	}()
	f()
}

// TestReadersInline: a read section is two instructions with a LOCK prefix in its caller.
func TestReadersInline(t *testing.T) {
	cmd := exec.Command("go", "build", "-gcflags=-m", ".")
	cmd.Env = append(os.Environ(), "GOFLAGS=")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, f := range []string{
		"(*Domain).ReadLock", "(*Domain).enter", "(*Domain).ReadUnlock", "(*Domain).Track", "(*Section).Enter", "(*Section).Leave", "(*Section).Wait",
		"(*Hazard).Protect", "(*Hazard).Clear",
	} {
		if !strings.Contains(string(out), "can inline "+f+"\n") {
			t.Errorf("%s does not inline", f)
		}
	}
}

func BenchmarkReader(b *testing.B) {
	d := New(Config{CPUs: 2})
	b.Run("1", func(b *testing.B) {
		for b.Loop() {
			d.ReadUnlock(d.ReadLock(0))
		}
	})
	b.Run("2", func(b *testing.B) {
		var next atomic.Int32
		b.SetParallelism(1)
		b.RunParallel(func(p *testing.PB) {
			cpu := int(next.Add(1)) % 2
			for p.Next() {
				d.ReadUnlock(d.ReadLock(cpu))
			}
		})
	})
	b.Run("tracked", func(b *testing.B) {
		d := New(Config{CPUs: 2, Track: true})
		for b.Loop() {
			d.ReadUnlock(d.Track(d.ReadLock(0), 0))
		}
	})
}

func BenchmarkSynchronize(b *testing.B) {
	b.Run("idle", func(b *testing.B) {
		d := New(Config{CPUs: 2})
		for b.Loop() {
			d.Synchronize()
		}
	})
	// A reader on the other CPU that is hardly ever outside.
	b.Run("reader", func(b *testing.B) {
		d := New(Config{CPUs: 2})
		var stop atomic.Bool
		var readers sync.WaitGroup
		readers.Go(func() {
			for !stop.Load() {
				d.ReadUnlock(d.ReadLock(1))
			}
		})
		for b.Loop() {
			d.Synchronize()
		}
		stop.Store(true)
		readers.Wait()
	})
}
