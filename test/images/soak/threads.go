package main

import (
	"errors"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"
)

// threads starts goroutines that lock their thread and end with it.
func threads(w *worker) func() {
	return func() {
		n := 1 + w.IntN(8)
		var wg sync.WaitGroup
		sums := make([]uint64, n)
		for i := range n {
			wg.Go(func() {
				runtime.LockOSThread() // and never unlock: the thread ends
				tid := syscall.Gettid()
				for k := range uint64(20) {
					sums[i] += k
					runtime.Gosched()
					w.beat()
					if t := syscall.Gettid(); t != tid {
						bad("threads: a locked goroutine went from thread %d to %d", tid, t)
					}
				}
			})
		}
		wg.Wait()
		for i, s := range sums {
			if s != 190 {
				bad("threads: sum %d is %d", i, s)
			}
		}
	}
}

// broadcast wakes 10,000 goroutines and 200 locked threads at once.
func broadcast(w *worker) func() {
	var mu sync.Mutex
	cond := sync.NewCond(&mu)
	var arrived sync.WaitGroup
	round := 0
	goroutines, lockedOnes := scaled(10_000), scaled(200)
	wait := func() {
		mu.Lock()
		for seen := 0; ; {
			for round == seen {
				cond.Wait()
			}
			if round != seen+1 {
				bad("broadcast: a waiter went from round %d to %d", seen, round)
			}
			seen = round
			arrived.Done()
			w.beat()
		}
	}
	for i := range goroutines + lockedOnes {
		go func() {
			if i < lockedOnes {
				runtime.LockOSThread()
			}
			wait()
		}()
	}
	return func() {
		arrived.Add(goroutines + lockedOnes)
		mu.Lock()
		round++
		mu.Unlock()
		cond.Broadcast()
		arrived.Wait()
	}
}

// handoff sends a number to and fro between two locked threads.
func handoff(w *worker) func() {
	ping, pong := make(chan int), make(chan int)
	go func() {
		runtime.LockOSThread()
		for v := range ping {
			pong <- v + 1
		}
	}()
	runtime.LockOSThread()
	return func() {
		for range 20 {
			v := w.IntN(1000)
			ping <- v
			if got := <-pong; got != v+1 {
				bad("handoff: got %d, want %d", got, v+1)
			}
			w.beat()
		}
	}
}

// futexes has threads wait in the kernel: for a lock that guards a plain
// counter, for time, and for a word from which they are moved to another.
func futexes(w *worker) func() {
	return func() {
		switch w.IntN(3) {
		case 0:
			futexLock(w, 2+w.IntN(6), 30)
		case 1:
			d := time.Duration(1 + w.IntN(3_000_000))
			timeout := syscall.NsecToTimespec(int64(d))
			word := new(uint32)
			for start := time.Now(); ; {
				_, err := futex(word, futexWaitOp, 0, &timeout)
				if err == syscall.EINTR {
					continue // with the whole time again: as on Linux
				}
				if err != syscall.ETIMEDOUT {
					bad("futex: a wait with a time-out: %v", err)
				}
				early("futex", start, d)
				break
			}
		case 2:
			futexMove(1 + w.IntN(10))
		}
	}
}

// futexLock is mutex 2 of U. Drepper, "Futexes are tricky" (2011).
func futexLock(w *worker, n, each int) {
	word, count := new(uint32), 0 // 0 free, 1 locked, 2 locked and waited for
	var wg sync.WaitGroup
	for range n {
		wg.Go(func() {
			for i := range each {
				if !atomic.CompareAndSwapUint32(word, 0, 1) {
					for atomic.SwapUint32(word, 2) != 0 {
						futex(word, futexWaitOp, 2, nil)
					}
				}
				count++
				w.beat()
				if i%8 == 0 {
					runtime.Gosched() // so that others have to wait
				}
				if atomic.SwapUint32(word, 0) == 2 {
					futex(word, futexWakeOp, 1, nil)
				}
			}
		})
	}
	wg.Wait()
	if count != n*each {
		bad("futex: the counter under a lock is %d, want %d", count, n*each)
	}
}

// futexMove has n threads wait for one word, moves them to another, and wakes them.
func futexMove(n int) {
	var words [2]uint32
	var waiting atomic.Int32
	var wg sync.WaitGroup
	for range n {
		wg.Go(func() {
			waiting.Add(1)
			for atomic.LoadUint32(&words[0]) == 0 {
				// Moved or not, a wakeup is a return of 0.
				if _, err := futex(&words[0], futexWaitOp, 0, nil); err != nil && err != syscall.EAGAIN && err != syscall.EINTR {
					bad("futex: wait: %v", err)
				}
			}
		})
	}
	for waiting.Load() < int32(n) {
		runtime.Gosched()
	}
	atomic.StoreUint32(&words[0], 1)
	_, err := call(syscall.SYS_FUTEX, uintptr(unsafe.Pointer(&words[0])), futexRequeueOp, 1, uintptr(n), uintptr(unsafe.Pointer(&words[1])), 0)
	must(err, "futex requeue")
	_, err = futex(&words[1], futexWakeOp, uintptr(n), nil)
	must(err, "futex wake")
	wg.Wait()
}

// affinity moves its thread from CPU to CPU.
func affinity(w *worker) func() {
	runtime.LockOSThread()
	var all [16]uint64
	_, err := call(sysGetaffinity, 0, unsafe.Sizeof(all), uintptr(unsafe.Pointer(&all)), 0, 0, 0)
	must(err, "sched_getaffinity")
	return func() {
		cpu := w.IntN(runtime.NumCPU())
		var one [16]uint64
		one[cpu/64] = 1 << (cpu % 64)
		_, err := call(sysSetaffinity, 0, unsafe.Sizeof(one), uintptr(unsafe.Pointer(&one)), 0, 0, 0)
		must(err, "sched_setaffinity")
		for range 3 {
			var at, node uint32
			_, err := call(sysGetcpu, uintptr(unsafe.Pointer(&at)), uintptr(unsafe.Pointer(&node)), 0, 0, 0, 0)
			must(err, "getcpu")
			w.beat()
			if int(at) != cpu {
				bad("affinity: bound to CPU %d, runs on %d", cpu, at)
			}
			if w.IntN(2) == 0 {
				time.Sleep(time.Duration(w.IntN(200_000)))
			}
		}
		if w.IntN(3) == 0 {
			_, err := call(sysSetaffinity, 0, unsafe.Sizeof(all), uintptr(unsafe.Pointer(&all)), 0, 0, 0)
			must(err, "sched_setaffinity")
		}
		empty := [16]uint64{}
		if _, err := call(sysSetaffinity, 0, unsafe.Sizeof(empty), uintptr(unsafe.Pointer(&empty)), 0, 0, 0); !errors.Is(err, syscall.EINVAL) {
			bad("affinity: bound to no CPU: %v", err)
		}
	}
}
