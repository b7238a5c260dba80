package main

// Benchmarks that need nothing but Go.
// Ticks are RDTSC: under `qemu -icount shift=0` one tick is one instruction.

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"os"
	"runtime"
	"runtime/debug"
	"sort"
	"sync"
	"time"
)

func rdtsc() uint64
func spinloop(n uint64)

func report(name string, ticks uint64, n int) {
	fmt.Printf("BENCH %-28s %12.1f ticks/op  (n=%d)\n", name, float64(ticks)/float64(n), n)
}

func measure(name string, n int, f func(n int)) {
	f(n/10 + 1)
	t := rdtsc()
	f(n)
	report(name, rdtsc()-t, n)
}

func chanPingPong(n int) {
	a, b := make(chan int), make(chan int)
	go func() {
		for v := range a {
			b <- v
		}
		close(b)
	}()
	for i := 0; i < n; i++ {
		a <- i
		<-b
	}
	close(a)
	<-b
}

func lockedPingPong(n int) {
	a, b := make(chan int), make(chan int)
	done := make(chan int)
	go func() {
		runtime.LockOSThread()
		for v := range a {
			b <- v
		}
		close(done)
	}()
	runtime.LockOSThread()
	for i := 0; i < n; i++ {
		a <- i
		<-b
	}
	close(a)
	<-done
	runtime.UnlockOSThread()
}

func gosched2(n int) {
	var wg sync.WaitGroup
	for k := 0; k < 2; k++ {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for i := 0; i < n/2; i++ {
				runtime.Gosched()
			}
		}()
	}
	wg.Wait()
}

func spawn(n int) {
	c := make(chan struct{})
	for i := 0; i < n; i++ {
		go func() { c <- struct{}{} }()
		<-c
	}
}

var nilp *int
var sink int

//go:noinline
func derefRecover() (ok bool) {
	defer func() { ok = recover() != nil }()
	sink = *nilp
	return
}

//go:noinline
func panicRecover() (ok bool) {
	defer func() { ok = recover() != nil }()
	panic("x")
}

func sleepTest(d time.Duration, n int) {
	var over []int64
	for i := 0; i < n; i++ {
		t := time.Now()
		time.Sleep(d)
		over = append(over, int64(time.Since(t)-d))
	}
	sort.Slice(over, func(i, j int) bool { return over[i] < over[j] })
	fmt.Printf("BENCH sleep(%v) overshoot ns: min %d p50 %d p90 %d p99 %d max %d (n=%d)\n", d, over[0], over[n/2], over[n*9/10], over[n*99/100], over[n-1], n)
}

var keep [][]byte
var bsink []byte

func memTests() {
	t := rdtsc()
	b := make([]byte, 64<<20)
	t1 := rdtsc()
	for i := 0; i < len(b); i += 4096 {
		b[i] = 1
	}
	t2 := rdtsc()
	report("heap64M make per 4K page", t1-t, 64<<20/4096)
	report("heap64M touch per 4K page", t2-t1, 64<<20/4096)
	b = nil
	debug.SetGCPercent(100)
	runtime.GC()
	for i := 0; i < 32<<10; i++ {
		keep = append(keep, make([]byte, 1024))
	}
	measure("runtime.GC 32MB/32k objs", 3, func(n int) {
		for i := 0; i < n; i++ {
			runtime.GC()
		}
	})
	keep = nil
	runtime.GC()
	debug.SetGCPercent(-1)
	measure("alloc 64B", 100000, func(n int) {
		for i := 0; i < n; i++ {
			bsink = make([]byte, 64)
		}
	})
	debug.SetGCPercent(100)
	runtime.GC()
}

// one-shot listener for net.Pipe HTTP
type pipeLn struct{ c chan net.Conn }

func (l *pipeLn) Accept() (net.Conn, error) { return <-l.c, nil }
func (l *pipeLn) Close() error              { return nil }
func (l *pipeLn) Addr() net.Addr            { return &net.UnixAddr{Name: "pipe"} }

func hello(w http.ResponseWriter, r *http.Request) { w.Write([]byte("hello, world\n")) }

var rawReq = []byte("GET / HTTP/1.1\r\nHost: a\r\nUser-Agent: b\r\n\r\n")

// rawClient drives keep-alive requests with a minimal parser, so nearly all of
// the cost is the server.
func rawClient(c net.Conn) func(int) {
	br := bufio.NewReader(c)
	return func(n int) {
		for i := 0; i < n; i++ {
			if _, err := c.Write(rawReq); err != nil {
				panic(err)
			}
			cl := 0
			for {
				l, err := br.ReadSlice('\n')
				if err != nil {
					panic(err)
				}
				if len(l) <= 2 {
					break
				}
				if len(l) > 16 && string(l[:16]) == "Content-Length: " {
					for _, d := range l[16 : len(l)-2] {
						cl = cl*10 + int(d-'0')
					}
				}
			}
			br.Discard(cl)
		}
	}
}

func httpPipe() {
	l := &pipeLn{make(chan net.Conn, 1)}
	go http.Serve(l, http.HandlerFunc(hello))
	a, b := net.Pipe()
	l.c <- b
	measure("http net.Pipe raw client", 500, rawClient(a))
}

func fnv(n int) uint64 {
	h := uint64(14695981039346656037)
	for i := 0; i < n; i++ {
		h ^= uint64(i)
		h *= 1099511628211
	}
	return h
}

var fsink [64]uint64

func parallel(g, n int) time.Duration {
	t := time.Now()
	var wg sync.WaitGroup
	for i := 0; i < g; i++ {
		wg.Add(1)
		go func() { defer wg.Done(); fsink[i] = fnv(n) }()
	}
	wg.Wait()
	return time.Since(t)
}

func parallelTest() {
	parallel(1, 1e6)
	n := 100_000_000
	t1 := parallel(1, n)
	for _, g := range []int{2, 4} {
		tg := parallel(g, n)
		fmt.Printf("BENCH parallel g=%d: 1x %v, %dx %v => speedup %.2f (NumCPU %d GOMAXPROCS %d)\n", g, t1, g, tg, float64(g)*float64(t1)/float64(tg), runtime.NumCPU(), runtime.GOMAXPROCS(0))
	}
}

func commonBench(withNil bool) {
	debug.SetGCPercent(-1)
	t := rdtsc()
	spinloop(1000000)
	report("calib: 2e6-insn spin (per 1000)", (rdtsc()-t)/2, 1000)
	measure("rdtsc", 1000, func(n int) {
		for i := 0; i < n; i++ {
			rdtsc()
		}
	})
	measure("chan ping-pong round trip", 20000, chanPingPong)
	measure("Gosched switch", 20000, gosched2)
	measure("go spawn+chan+exit", 10000, spawn)
	measure("time.Now", 5000, func(n int) {
		for i := 0; i < n; i++ {
			time.Now()
		}
	})
	measure("panic+recover (software)", 1000, func(n int) {
		for i := 0; i < n; i++ {
			panicRecover()
		}
	})
	if withNil {
		measure("nil deref + recover", 1000, func(n int) {
			for i := 0; i < n; i++ {
				if !derefRecover() {
					fmt.Println("NOT RECOVERED")
					os.Exit(1)
				}
			}
		})
	}
	sleepTest(time.Millisecond, 200)
	httpPipe()
	memTests()
}
