// Mxcsr has two threads take turns, of which one rounds in another way: the
// other must not notice, and the one must keep it. It exits 1 if that fails.
package main

import (
	"fmt"
	"os"
	"runtime"
	"sync"
)

const (
	exceptions = 0x3f   // sticky: any value may come back
	usual      = 0x1f80 // round to nearest, denormal numbers as they are
	other      = 0x9fc0 // flush to zero
)

func getMXCSR() uint32
func setMXCSR(v uint32)

func main() {
	var wg sync.WaitGroup
	for _, want := range []uint32{usual, other} {
		wg.Go(func() {
			runtime.LockOSThread() // never unlocked: the thread ends with the goroutine
			setMXCSR(want)
			for range 10_000 {
				runtime.Gosched() // to the other thread, by way of a futex
				if got := getMXCSR() &^ exceptions; got != want {
					fmt.Printf("MXCSR is %#x, was set to %#x\n", got, want)
					os.Exit(1)
				}
			}
		})
	}
	wg.Wait()
}
