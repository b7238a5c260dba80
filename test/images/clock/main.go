// Clock reads the clock on all CPUs at once and checks that it never goes back,
// and shows it on the console, so that the host can compare it with its own.
//
//	clock [SECONDS]
//
// It prints "CLOCK ns" many times, the monotonic time, then again after SECONDS
// (default 10). After that every CPU reads the clock for as long; a reading that
// is earlier than one that another CPU has shown exits 1.
//
// The two are apart because QEMU's TSC, under TCG, gains some parts in 10,000
// while several CPUs read it all the time: each reading that seems to go back, as
// the host's CPUs differ a little, is moved forward, and all later ones with it.
package main

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"
)

var (
	epoch  = time.Now()
	latest atomic.Int64 // the latest time that any CPU has read
)

func main() {
	seconds := 10.0
	if len(os.Args) > 1 {
		var err error
		if seconds, err = strconv.ParseFloat(os.Args[1], 64); err != nil {
			fmt.Println("clock:", err)
			os.Exit(3)
		}
	}
	span := time.Duration(seconds * float64(time.Second))
	show()
	time.Sleep(span)
	show()
	end := time.Now().Add(span)
	var wg sync.WaitGroup
	var readings atomic.Int64
	for cpu := range runtime.NumCPU() {
		wg.Go(func() {
			runtime.LockOSThread()
			pin(cpu)
			for n := int64(0); ; n++ {
				before := latest.Load()
				t := time.Now()
				now := int64(t.Sub(epoch))
				if now < before {
					fmt.Printf("CLOCK WENT BACK: CPU %d reads %d ns, %d was read before\n", cpu, now, before)
					os.Exit(1)
				}
				for l := before; l < now && !latest.CompareAndSwap(l, now); l = latest.Load() {
				}
				if t.After(end) {
					readings.Add(n)
					return
				}
			}
		})
	}
	wg.Wait()
	fmt.Printf("clock: %d readings on %d CPUs, none went back\n", readings.Load(), runtime.NumCPU())
}

// show prints the time on an idle machine, so that the quickest of the lines is
// on its way for as long as that of the other time.
func show() {
	for range 200 {
		time.Sleep(5 * time.Millisecond)
		b := strconv.AppendInt([]byte("CLOCK "), int64(time.Since(epoch)), 10)
		os.Stdout.Write(append(b, '\n'))
	}
}

// pin binds this thread to one CPU.
func pin(cpu int) {
	var set [16]uint64
	set[cpu/64] = 1 << (cpu % 64)
	if _, _, e := syscall.RawSyscall(syscall.SYS_SCHED_SETAFFINITY, 0, unsafe.Sizeof(set), uintptr(unsafe.Pointer(&set))); e != 0 {
		fmt.Println("clock: sched_setaffinity:", e)
		os.Exit(3)
	}
}
