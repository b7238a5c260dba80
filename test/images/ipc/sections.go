package main

import (
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"pdac/kernel/rcu"
)

// slots reuses slots after grace periods while others read them: no reader finds one that was given to
// another tenant in its section. Half of them go by Synchronize, half by Call.
func slots() {
	const (
		n     = 64
		turns = 400
	)
	d := rcu.New(rcu.Config{CPUs: runtime.NumCPU()})
	var tenants [n]atomic.Uint64 // 0: free
	var current atomic.Uint64    // the slot that readers find
	tenants[0].Store(1)
	free := make(chan int, n)
	for i := 1; i < n; i++ {
		free <- i
	}
	var over atomic.Bool
	var sections, met atomic.Uint64
	var readers sync.WaitGroup
	for cpu := range 2 * runtime.NumCPU() {
		readers.Go(func() {
			for !over.Load() {
				t := d.ReadLock(cpu % runtime.NumCPU())
				slot := current.Load()
				was := tenants[slot].Load()
				if sections.Add(1)%4 == 0 {
					runtime.Gosched() // to be found, perhaps, on another CPU
				}
				if is := tenants[slot].Load(); is != was {
					met.Add(1)
				}
				d.ReadUnlock(t)
			}
		})
	}
	for turn := range uint64(turns) {
		next := <-free
		tenants[next].Store(turn + 2)
		last := int(current.Swap(uint64(next)))
		reuse := func() {
			tenants[last].Store(0)
			free <- last
		}
		if turn%2 == 0 {
			d.Synchronize()
			reuse()
		} else {
			d.Call(reuse)
		}
	}
	d.Barrier()
	check(len(free) == n-1, "%d slots free after Barrier, want %d", len(free), n-1)
	over.Store(true)
	readers.Wait()
	check(met.Load() == 0, "%d of %d sections saw their slot change hands", met.Load(), sections.Load())
	s := d.Stats()
	check(s.Readers == 0 && s.Pending == 0 && s.Ran == turns/2 && s.GracePeriods > turns/2, "after %d turns: %+v", turns, s)
}

// stall holds a grace period up until that is reported, with the name of the culprit.
func stall() {
	told := make(chan rcu.Stall, 1)
	d := rcu.New(rcu.Config{CPUs: runtime.NumCPU(), Track: true, StallAfter: 50 * time.Millisecond, OnStall: func(s rcu.Stall) {
		select {
		case told <- s:
		default:
		}
	}})
	t := culprit(d)
	done := make(chan bool)
	go func() {
		d.Synchronize()
		close(done)
	}()
	s := <-told
	name := "nobody"
	if f := runtime.FuncForPC(s.PC); f != nil {
		name = f.Name()
	}
	check(strings.HasSuffix(name, "main.culprit"), "stalled by %s", name)
	check(s.CPU == runtime.NumCPU()-1 && !s.Trap && s.Age >= 50*time.Millisecond, "the stall: %+v", s)
	select {
	case <-done:
		check(false, "a grace period ended in a section")
	default:
	}
	d.ReadUnlock(t)
	<-done
	check(d.Stats().Stalls == 1, "%d stalls", d.Stats().Stalls)
}

//go:noinline
func culprit(d *rcu.Domain) rcu.Token { return d.Track(d.ReadLock(runtime.NumCPU()-1), 0) }
