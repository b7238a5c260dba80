// Smp proves that every CPU computes at the same time, without the console.
// It prints one JSON object and exits.
package main

import (
	"encoding/json"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"
	"unsafe"
)

func main() {
	n := runtime.NumCPU()
	var arrived atomic.Int32
	var wg sync.WaitGroup
	sums := make([]uint64, n)
	pinned := make([]bool, n)
	for cpu := range n {
		wg.Go(func() {
			runtime.LockOSThread()
			pinned[cpu] = pin(cpu)
			arrived.Add(1)
			// Nobody passes before all are here, each on a CPU of his own.
			for arrived.Load() < int32(n) {
				runtime.Gosched()
			}
			for i := range uint64(1_000_000) {
				sums[cpu] += i * uint64(cpu+1)
			}
		})
	}
	wg.Wait()
	var garbage [][]byte
	for i := range 64 {
		garbage = append(garbage, make([]byte, 64<<10))
		garbage[i][i] = 1
	}
	runtime.GC()
	runtime.KeepAlive(garbage)

	right := 0
	for cpu, sum := range sums {
		if pinned[cpu] && sum == uint64(cpu+1)*(1_000_000*999_999/2) {
			right++
		}
	}
	json.NewEncoder(os.Stdout).Encode(map[string]int{
		"numcpu": n, "gomaxprocs": runtime.GOMAXPROCS(0), "right": right,
	})
}

// pin binds this thread to one CPU and says whether the kernel agreed.
func pin(cpu int) bool {
	var set, got [16]uint64
	set[cpu/64] = 1 << (cpu % 64)
	_, _, e := syscall.RawSyscall(syscall.SYS_SCHED_SETAFFINITY, 0, unsafe.Sizeof(set), uintptr(unsafe.Pointer(&set)))
	if e != 0 {
		return false
	}
	_, _, e = syscall.RawSyscall(syscall.SYS_SCHED_GETAFFINITY, 0, unsafe.Sizeof(got), uintptr(unsafe.Pointer(&got)))
	return e == 0 && got == set
}
