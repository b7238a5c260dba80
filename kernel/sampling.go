package kernel

import (
	"sync"
	"syscall"
	"time"

	"pdac/kernel/linux"
	"pdac/kernel/vm"
)

// Who drives the sampling of accesses (kernel/vm, sample.go): a goroutine of the console's, as long as
// there is a rate. It is above the runtime so that nothing runs, and no deadlock is hidden, while it is off.

// samplePeriod is the time between batches. Each has a TLB shootdown: few, for pages that tell at once.
const samplePeriod = 100 * time.Millisecond

// sampler is the goroutine's.
type sampler struct {
	sync.Mutex
	rate int // pages a second
	stop chan struct{}
}

var sampling sampler

// set changes the rate.
func (s *sampler) set(rate int) {
	s.Lock()
	defer s.Unlock()
	if s.stop != nil {
		close(s.stop)
		s.stop = nil
	}
	s.rate = rate
	if rate > 0 {
		s.stop = make(chan struct{})
		go sampleAt(rate, s.stop)
	}
}

func (s *sampler) get() int {
	s.Lock()
	defer s.Unlock()
	return s.rate
}

// sampleAt samples until stop is closed. What a batch does not find is not made up for.
func sampleAt(rate int, stop chan struct{}) {
	tick := time.NewTicker(samplePeriod)
	defer tick.Stop()
	const batches = int(time.Second / samplePeriod)
	for owed := 0; ; owed %= batches {
		select {
		case <-stop:
			return
		case <-tick.C:
		}
		owed += rate
		if n := min(owed/batches, vm.SampleMost); n > 0 {
			syscall.Syscall(linux.SampleMemory, uintptr(n), 0, 0)
		}
	}
}
