package main

import (
	"iter"
	"runtime"
	"sync"
)

// channels sends numbers through a chain of goroutines, each of which adds one.
func channels(w *worker) func() {
	return func() {
		stages, n := 1+w.IntN(20), 1+w.IntN(100)
		first := make(chan int, w.IntN(4))
		in := first
		for range stages {
			out := make(chan int, w.IntN(4))
			go func(in <-chan int) {
				for v := range in {
					w.beat()
					out <- v + 1
				}
				close(out)
			}(in)
			in = out
		}
		go func() {
			for i := range n {
				first <- i
			}
			close(first)
		}()
		i := 0
		for v := range in {
			if v != i+stages {
				bad("channels: got %d, want %d", v, i+stages)
			}
			i++
			w.beat()
		}
		if i != n {
			bad("channels: %d of %d numbers came through", i, n)
		}
	}
}

// selects has many senders and receivers on a few channels; the sums must agree.
func selects(w *worker) func() {
	return func() {
		var ch [3]chan int
		for i := range ch {
			ch[i] = make(chan int, w.IntN(3))
		}
		quit := make(chan struct{})
		senders, receivers, each := 1+w.IntN(8), 1+w.IntN(8), 1+w.IntN(50)
		var sent, got sync.WaitGroup
		sums := make([]int, receivers)
		for s := range senders {
			sent.Go(func() {
				for i := range each {
					v := s*each + i
					select {
					case ch[0] <- v:
					case ch[1] <- v:
					case ch[2] <- v:
					}
				}
			})
		}
		for r := range receivers {
			got.Go(func() {
				for {
					select {
					case v := <-ch[0]:
						sums[r] += v
					case v := <-ch[1]:
						sums[r] += v
					case v := <-ch[2]:
						sums[r] += v
					case <-quit:
						for i := range ch {
							for len(ch[i]) > 0 {
								select {
								case v := <-ch[i]:
									sums[r] += v
								default:
								}
							}
						}
						return
					}
					w.beat()
					if r&1 == 0 {
						runtime.Gosched()
					}
				}
			})
		}
		sent.Wait()
		close(quit)
		got.Wait()
		sum, n := 0, senders*each
		for _, v := range sums {
			sum += v
		}
		if sum != n*(n-1)/2 {
			bad("select: sum %d of %d numbers, want %d", sum, n, n*(n-1)/2)
		}
	}
}

// coroutines pulls from iterators, half of them on a locked thread.
func coroutines(w *worker) func() {
	return func() {
		if w.IntN(2) == 0 {
			runtime.LockOSThread()
			defer runtime.UnlockOSThread()
		}
		n := 1 + w.IntN(200)
		next, end := iter.Pull(func(yield func(int) bool) {
			for i := 0; yield(i * i); i++ {
			}
		})
		defer end()
		for i := range n {
			if v, ok := next(); !ok || v != i*i {
				bad("coroutines: got %d, %v, want %d", v, ok, i*i)
			}
			w.beat()
		}
	}
}
