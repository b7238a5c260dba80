package vm

import (
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// run runs body on every CPU. Those that are done go offline, so that nobody
// waits for them; this goroutine is CPU 0 afterwards.
func (s *sim) run(body func(cpu int, r *rand.Rand)) {
	var wg sync.WaitGroup
	for cpu := range s.cpus {
		wg.Add(1)
		go func() {
			defer wg.Done()
			s.become(cpu)
			body(cpu, rand.New(rand.NewPCG(uint64(cpu), 99)))
			cpus[cpu].state.Store(cpuOffline)
			Poll(cpu) // for one that saw it before
		}()
	}
	wg.Wait()
	s.become(0)
}

// idle halts for a while.
func (s *sim) idle(cpu int) {
	EnterIdle(cpu)
	for range 20 {
		if s.interrupt(cpu) {
			break
		}
		runtime.Gosched()
	}
	LeaveIdle(cpu)
}

// turn is a lock that waits as a CPU with interrupts on does.
type turn struct{ sync.Mutex }

func (m *turn) take(s *sim, cpu int) {
	for !m.TryLock() {
		s.interrupt(cpu)
		runtime.Gosched()
	}
}

// TestTortureStaleTranslations has CPUs touch memory that others unmap, remap,
// protect and give back. The access function checks each translation: none may
// reach a frame that was freed. And while a range is read-only, nothing in it
// changes.
func TestTortureStaleTranslations(t *testing.T) {
	for _, mode := range []HugeMode{HugeNever, HugeAlways} {
		const ncpu, chunks = 4, 4
		const chunk = 2 << 20
		s := boot(t, ncpu, 8192, mode)
		base := uint64(0x7000_0000_0000)
		var turns [chunks]turn
		var all turn // mostly, operations queue here rather than spin on areasLock
		var frozen, faults atomic.Int64
		deadline := time.Now().Add(time.Second)
		s.run(func(cpu int, r *rand.Rand) {
			for (time.Now().Before(deadline) || frozen.Load() == 0) && !t.Failed() {
				c := r.IntN(chunks)
				at := base + uint64(c)*chunk
				n := (1 + r.Uint64N(512)) * PageSize
				off := r.Uint64N(512) * PageSize
				n = min(n, chunk-off)
				if r.IntN(4) == 0 {
					off, n = 0, chunk
				}
				queue := r.IntN(8) != 0
				if op := r.IntN(64); op < 10 {
					turns[c].take(s, cpu)
					if queue {
						all.take(s, cpu)
					}
					var err Errno
					switch op {
					case 0, 1:
						err = Unmap(cpu, at+off, n)
					case 2, 3, 4:
						_, err = Map(cpu, at+off, n, 3, anon|MapFixed)
					case 5, 6:
						if err = Advise(cpu, at+off, n, AdviseDontNeed); err == ENOMEM {
							err = 0 // a hole
						}
					case 7:
						if err = Protect(cpu, at+off, n, 3*r.Uint64N(2)); err == ENOMEM {
							err = 0
						}
					case 8:
						err = freeze(s, cpu, at, chunk, &frozen)
					case 9:
						Resident(cpu, at, make([]byte, 512))
						Check(cpu, at, chunk, true)
					}
					if err != 0 {
						t.Errorf("cpu %d: operation %d: error %d", cpu, op, err)
					}
					if queue {
						all.Unlock()
					}
					turns[c].Unlock()
				} else if op == 10 {
					s.idle(cpu)
				} else {
					for range 8 {
						va := at + r.Uint64N(512)*PageSize + uint64(cpu)*8
						out := s.access(cpu, va, true, func(p *uint64) {
							if v := atomic.AddUint64(p, 1); v > 1<<40 {
								t.Errorf("page %#x was not zeroed: %#x", va, v)
							}
						})
						if out == Done {
							faults.Add(1)
						} else if out == NoMemory {
							t.Errorf("cpu %d: no memory", cpu)
						}
					}
				}
			}
		})
		st := ReadStats()
		t.Logf("mode %d: %d accesses, %d freezes, %+v", mode, faults.Load(), frozen.Load(), st)
		if frozen.Load() == 0 || st.IPIs == 0 || faults.Load() == 0 {
			t.Error("nothing was tried")
		}
		s.audit()
		s.clearAll()
	}
}

// freeze makes a range read-only, and looks whether a store still succeeds.
func freeze(s *sim, cpu int, at, n uint64, frozen *atomic.Int64) Errno {
	if Protect(cpu, at, n, ProtRead) == ENOMEM { // a hole
		if _, err := Map(cpu, at, n, 3, anon|MapFixed); err != 0 {
			return err
		}
		for range 100 {
			runtime.Gosched()
			s.interrupt(cpu)
		}
		if err := Protect(cpu, at, n, ProtRead); err != 0 {
			return err
		}
	}
	sum := func() (v uint64) {
		for va := at; va < at+n; va += 16 * PageSize {
			if e, huge, ok := s.walk(va); ok {
				f := e & 0x000f_ffff_ffff_f000 >> 12
				if huge {
					f += va >> 12 & 511
				}
				for w := range uint64(len(s.cpus)) {
					v += atomic.LoadUint64(&s.phys[f*entries+w])
				}
			}
		}
		return v
	}
	// Loads fault pages of zeros in meanwhile: they don't change the sum.
	before := sum()
	for range 10 {
		runtime.Gosched()
		s.interrupt(cpu)
	}
	if after := sum(); after != before {
		s.tb.Errorf("cpu %d: read-only memory changed: %d, then %d", cpu, before, after)
	}
	frozen.Add(1)
	return Protect(cpu, at, n, ProtRead|ProtWrite)
}

// TestTortureWalk lists areas while they change: each must be one that was there.
func TestTortureWalk(t *testing.T) {
	const slots = 64
	s := boot(t, 2, 1024, HugeNever)
	at := func(i int) uint64 { return UserMin + uint64(i)<<20 }
	prot := func(i int) uint32 { return uint32(i)%7 + 1 }
	stop := make(chan struct{})
	var walker sync.WaitGroup
	walker.Add(1)
	walks := 0
	go func() {
		defer walker.Done()
		for {
			select {
			case <-stop:
				return
			default:
			}
			from := uint64(0)
			for a, ok := Walk(0); ok; a, ok = Walk(from) {
				i := int((a.Start - UserMin) >> 20)
				if a.End <= from || i >= slots || a.Start != at(i) || a.End != at(i+1) || a.Prot != prot(i) {
					t.Errorf("after %#x: %+v", from, a)
					return
				}
				from = a.End
				walks++
			}
			runtime.Gosched()
		}
	}()
	s.run(func(cpu int, r *rand.Rand) {
		for range 3000 {
			i := r.IntN(slots/2)*2 + cpu
			if r.IntN(2) == 0 {
				Map(cpu, at(i), 1<<20, uint64(prot(i)), anon|MapFixedNoReplace)
			} else {
				Unmap(cpu, at(i), 1<<20)
			}
		}
	})
	close(stop)
	walker.Wait()
	if walks == 0 {
		t.Error("no area was walked")
	}
	s.clearAll()
}

// TestTorturePopulate has all CPUs back one array at once.
func TestTorturePopulate(t *testing.T) {
	s := boot(t, 4, 4096, HugeAlways)
	const at, n = 0xffff_a000_0000_0000, 3 << 20
	s.run(func(cpu int, r *rand.Rand) {
		for va := uint64(at); va < at+n; va += 5 * PageSize {
			if !Populate(cpu, va, min(10*PageSize, at+n-va)) {
				t.Errorf("cpu %d: no memory", cpu)
			}
		}
	})
	if tables := ReadStats().Tables; tables != 1+1+2 || s.inUse != n/PageSize+4 {
		t.Errorf("%d tables, %d frames in use", tables, s.inUse)
	}
	for va := uint64(at); va < at+n; va += PageSize {
		if e, _, ok := s.walk(va); !ok || e&pteW == 0 || e&pteNX == 0 || s.phys[e&pteFrame>>3] != 0 {
			t.Fatalf("%#x: entry %#x", va, e)
		}
	}
	// What ran out of memory keeps what it got.
	s.failAt = 3
	if Populate(0, at+n, 10*PageSize) {
		t.Error("populated without memory")
	}
	s.failAt = -1
	if !Populate(0, at+n-1, 10*PageSize) {
		t.Error("no memory")
	}
}
