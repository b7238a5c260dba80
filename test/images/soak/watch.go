package main

import (
	"os"
	"runtime/pprof"
	"strconv"
	"time"
)

// watch looks at the loads until ended, and ends the run for one that stands
// still. What the watchdog itself slept too long does not count against them.
func watch(running []*load, ended <-chan struct{}) {
	const look = 500 * time.Millisecond
	limit := int(stall * float64(time.Second) / float64(look))
	seen := make([]uint64, len(running))
	still := make([]int, len(running))
	for {
		select {
		case <-ended:
			return
		case <-time.After(look):
		}
		for i, l := range running {
			n := l.pulse.Load()
			if n != seen[i] || l.active.Load() == 0 {
				seen[i], still[i] = n, 0
				continue
			}
			if still[i]++; still[i] < limit {
				continue
			}
			os.Stdout.WriteString("SOAK STALL " + l.name + " after " + strconv.FormatUint(l.ops.Load(), 10) + " steps\n")
			pprof.Lookup("goroutine").WriteTo(os.Stdout, 1) // one stack for all that have it
			os.Exit(2)
		}
	}
}
