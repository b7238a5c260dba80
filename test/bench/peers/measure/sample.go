// Package measure times loops on a machine that has other work too. A sample is repeated until the
// kernel made none of its threads wait for a CPU, or the least disturbed of several is taken;
// rounds are interleaved by the caller, and medians taken over them.
package measure

import (
	"math"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

const (
	duration  = 2 * time.Millisecond // of a sample: within a time slice of the kernel's
	warming   = 4                    // a sample follows a run of one in so many of its operations
	attempts  = 50                   // to get one undisturbed
	pause     = time.Millisecond     // between them, for which the kernel gives a slice sooner
	disturbed = 0.02                 // of the wall time spent waiting for a CPU
)

// Body does n operations as one of several workers and returns a value that depends on all their
// results.
type Body func(worker, n int) int

// Sink holds what the loops returned, so that none of them is dead code.
var Sink atomic.Int64

// Samples collects figures by name over the rounds.
type Samples struct {
	ops     map[string]int // operations per sample, by name
	figures map[string][]float64

	taken, noisy int
}

// New returns an empty collection.
func New() *Samples {
	return &Samples{ops: map[string]int{}, figures: map[string][]float64{}}
}

// Run takes one sample under name: workers goroutines on cpus CPUs run body with the same n, and
// the figure is wall time by n, in ns. So equal figures on one and two CPUs with as many workers
// mean that the threads cost each other nothing.
func (s *Samples) Run(name string, cpus, workers int, body Body) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(cpus))
	n := s.ops[name]
	if n == 0 {
		n = calibrate(workers, body)
		s.ops[name] = n
	}
	wall, wait := quietest(workers, n, body)
	s.figures[name] = append(s.figures[name], float64(wall)/float64(n))
	s.taken++
	if wait >= disturbed {
		s.noisy++
	}
}

// Quality returns how many samples were taken by Run, and how many of them were disturbed at each
// attempt.
func (s *Samples) Quality() (taken, noisy int) { return s.taken, s.noisy }

// Record puts in a figure that was measured otherwise.
func (s *Samples) Record(name string, figure float64) {
	s.figures[name] = append(s.figures[name], figure)
}

// Median returns the middle figure under name. False: nothing was measured.
func (s *Samples) Median(name string) (float64, bool) {
	f := slices.Sorted(slices.Values(s.figures[name]))
	if len(f) == 0 {
		return 0, false
	}
	return (f[(len(f)-1)/2] + f[len(f)/2]) / 2, true
}

// calibrate returns how many operations a sample has.
func calibrate(workers int, body Body) int {
	for n := 64; ; n *= 2 {
		if wall, _ := once(workers, n, body); wall < duration/4 {
			continue
		}
		// What took so long may have been waiting, which says nothing about n.
		wall, wait := quietest(workers, n, body)
		if busy := float64(wall) * (1 - wait); busy > float64(duration/4) {
			return max(1, int(float64(n)*float64(duration)/busy))
		}
	}
}

// quietest repeats a run until it is undisturbed, and returns its wall time and the share of it
// that threads waited for a CPU; those of the least disturbed one if none is.
func quietest(workers, n int, body Body) (wall time.Duration, wait float64) {
	wait = math.Inf(1)
	for range attempts {
		d, waited := once(workers, n, body)
		if w := float64(waited) / float64(d); w < wait {
			wall, wait = d, w
		}
		if wait < disturbed {
			break
		}
		time.Sleep(pause)
	}
	return wall, wait
}

// once returns the wall time of one run, and how long threads waited for a CPU in it, from when all workers are
// there and have read into their caches what others had pushed out. As many workers as CPUs get one each, and
// wait for each other without giving it away.
func once(workers, n int, body Body) (wall, waited time.Duration) {
	if workers == 1 {
		Sink.Add(int64(body(0, n/warming)))
		before, start := delay(), time.Now()
		Sink.Add(int64(body(0, n)))
		return time.Since(start), delay() - before
	}
	crowded := workers > runtime.GOMAXPROCS(0)
	var ready atomic.Int32
	var before time.Duration
	var start time.Time
	var done sync.WaitGroup
	for w := range workers {
		done.Go(func() {
			if !crowded {
				defer pin(w)()
			}
			Sink.Add(int64(body(w, n/warming)))
			if ready.Add(1) == int32(workers) {
				before, start = delay(), time.Now()
				ready.Add(1)
			}
			for ready.Load() <= int32(workers) {
				if crowded {
					runtime.Gosched()
				}
			}
			Sink.Add(int64(body(w, n)))
		})
	}
	done.Wait()
	return time.Since(start), delay() - before
}

// delay returns how long the threads of this process were ready to run and had no CPU: the second
// field of their schedstat (Linux, Documentation/scheduler/sched-stats.rst). Where the kernel keeps
// none it is 0, and every sample is believed.
func delay() (sum time.Duration) {
	const tasks = "/proc/self/task/"
	list, _ := os.ReadDir(tasks)
	for _, t := range list {
		text, err := os.ReadFile(tasks + t.Name() + "/schedstat")
		if f := strings.Fields(string(text)); err == nil && len(f) == 3 {
			ns, _ := strconv.ParseInt(f[1], 10, 64)
			sum += time.Duration(ns)
		}
	}
	return sum
}
