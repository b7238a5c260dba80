package main

import (
	"os"
	"os/signal"
	"runtime"
	"syscall"
	"time"
)

// signals sends signals to threads that compute, sleep, wait for a lock and
// read, one at a time, and waits until each has come through.
func signals(w *worker) func() {
	kinds := []syscall.Signal{syscall.SIGUSR1, syscall.SIGUSR2, syscall.SIGWINCH, syscall.SIGALRM, syscall.Signal(40)}
	come := make([]chan os.Signal, len(kinds))
	for i, k := range kinds {
		come[i] = make(chan os.Signal, 1)
		signal.Notify(come[i], k)
	}
	tids := make(chan int)
	// The threads never end, so that there is always somebody to signal.
	for i := range 8 {
		go func() {
			runtime.LockOSThread()
			tids <- syscall.Gettid()
			switch i % 4 {
			case 0:
				for !stop.Load() {
					for range 200_000 {
						sink[i].v++
					}
					time.Sleep(time.Millisecond)
				}
			case 1:
				for !stop.Load() {
					nap := syscall.NsecToTimespec(5_000_000)
					syscall.Nanosleep(&nap, nil)
				}
			case 2:
				var pipe [2]int
				must(syscall.Pipe2(pipe[:], syscall.O_CLOEXEC), "pipe2")
				n, err := syscall.Read(pipe[0], make([]byte, 1))
				bad("signals: a read of an empty pipe gave %d, %v", n, err)
			}
			select {}
		}()
	}
	var targets [8]int
	for i := range targets {
		targets[i] = <-tids
	}
	return func() {
		i, tid := w.IntN(len(kinds)), targets[w.IntN(len(targets))]
		select {
		case <-come[i]:
		default:
		}
		if w.IntN(8) == 0 {
			must(syscall.Kill(syscall.Getpid(), kinds[i]), "kill")
		} else {
			must(syscall.Tgkill(syscall.Getpid(), tid, kinds[i]), "tgkill")
		}
		if s := <-come[i]; s != kinds[i] {
			bad("signals: sent %v, got %v", kinds[i], s)
		}
	}
}
