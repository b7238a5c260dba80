package measure

import (
	"runtime"
	"sync/atomic"
	"syscall"
	"testing"
)

func TestMedian(t *testing.T) {
	s := New()
	if _, ok := s.Median("none"); ok {
		t.Error("a figure that nobody measured has a median")
	}
	for _, f := range []float64{9, 1, 5} {
		s.Record("odd", f)
	}
	for _, f := range []float64{9, 1, 5, 2} {
		s.Record("even", f)
	}
	if m, _ := s.Median("odd"); m != 5 {
		t.Errorf("median of 9 1 5 is %v", m)
	}
	if m, _ := s.Median("even"); m != 3.5 {
		t.Errorf("median of 9 1 5 2 is %v", m)
	}
}

// Each worker gets the same n, at each run of a sample.
func TestRunSharesEqually(t *testing.T) {
	var ops [4]atomic.Int64
	for _, workers := range []int{1, 2, 4} {
		clear(ops[:])
		s := New()
		s.Run("x", 2, workers, func(w, n int) int {
			ops[w].Add(int64(n))
			sum := 0
			for i := range n {
				sum += i ^ w
			}
			return sum
		})
		for w := range workers {
			if a, b := ops[0].Load(), ops[w].Load(); a != b || a == 0 {
				t.Errorf("%d workers: the first did %d operations, worker %d %d", workers, a, w, b)
			}
		}
		if m, ok := s.Median("x"); !ok || m <= 0 {
			t.Errorf("%d workers: figure %v", workers, m)
		}
		if taken, noisy := s.Quality(); taken != 1 || noisy > 1 {
			t.Errorf("quality %d, %d after one sample", taken, noisy)
		}
	}
}

func TestPinIsUndone(t *testing.T) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	const get = syscall.SYS_SCHED_GETAFFINITY
	var before, within, after affinity
	if !before.call(get) {
		t.Skip("no affinity here")
	}
	unpin := pin(1)
	within.call(get)
	unpin()
	after.call(get)
	if within != before.only(1) || after != before {
		t.Errorf("CPUs %x, pinned %x, then %x", before[0], within[0], after[0])
	}
}
