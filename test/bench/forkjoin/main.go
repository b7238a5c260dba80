// Forkjoin sorts numbers by goroutines that fork and join, with one P and with two in turn, and prints the time of each
// round in ns. It runs, unchanged, as /init of a Linux guest and as an image of PDAC; package compare (test/bench/linux)
// runs it in both.
package main

import (
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"sync"
	"syscall"
	"time"
)

const (
	numbers = 1 << 20
	alone   = 1 << 12 // numbers that are not worth a fork
	rounds  = 5
)

func main() {
	debug.SetGCPercent(-1)
	want, b := make([]uint64, numbers), make([]uint64, numbers)
	fill(want)
	slices.Sort(want)
	for round := range rounds + 1 {
		for procs := 1; procs <= 2; procs++ {
			runtime.GOMAXPROCS(procs)
			fill(b)
			start := time.Now()
			sort(b)
			took := time.Since(start)
			if !slices.Equal(b, want) {
				panic("not sorted")
			}
			if round > 0 { // the first warms up
				fmt.Printf("FORKJOIN %d %d\n", procs, took.Nanoseconds())
			}
		}
	}
	if os.Getpid() == 1 {
		syscall.Reboot(syscall.LINUX_REBOOT_CMD_RESTART)
	}
}

// fill makes the same numbers each time.
func fill(b []uint64) {
	r := rand.New(rand.NewPCG(1, 2))
	for i := range b {
		b[i] = r.Uint64()
	}
}

// sort is quicksort, one half of which is another goroutine's (C. A. R. Hoare, "Quicksort", The Computer Journal 5(1), 1962).
func sort(b []uint64) {
	if len(b) <= alone {
		slices.Sort(b)
		return
	}
	at := partition(b)
	var half sync.WaitGroup
	half.Go(func() { sort(b[:at]) })
	sort(b[at:])
	half.Wait()
}

// partition is Hoare's: what is before the index that it returns is at most what is behind; both are not empty.
func partition(b []uint64) int {
	x, y, z := b[0], b[len(b)/2], b[len(b)-1]
	pivot := max(min(x, y), min(max(x, y), z))
	for i, j := 0, len(b)-1; ; i, j = i+1, j-1 {
		for b[i] < pivot {
			i++
		}
		for b[j] > pivot {
			j--
		}
		if i >= j {
			return max(i, 1)
		}
		b[i], b[j] = b[j], b[i]
	}
}
