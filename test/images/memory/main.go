// Memory runs out of memory in the way that its first argument names.
package main

import (
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"syscall"
	"unsafe"
)

const pageSize = 4096

var ways = map[string]func(){
	"heap":      func() { hoard(1 << 20) },
	"small":     func() { hoard(64) },
	"heap-all":  func() { onAll(func() { hoard(1 << 20) }) },
	"small-all": func() { onAll(func() { hoard(64) }) },
	"slice":     func() { touch(make([]byte, size())) },
	"mmap":      mmapUntilRefused,
	"sparse":    func() { touch(mmap(size(), syscall.MAP_NORESERVE)) },
	"sparse-all": func() {
		onAll(func() { touch(mmap(size(), syscall.MAP_NORESERVE)) })
	},
	"threads": threads,
	"churn":   churn,
	"lazy":    lazy,
}

func main() {
	way := ways[os.Args[1]]
	if way == nil {
		fmt.Println("no such way:", os.Args)
		os.Exit(99)
	}
	way()
	fmt.Println("survived")
}

// size is the second argument, in MiB.
func size() int {
	n, err := strconv.Atoi(os.Args[2])
	if err != nil {
		panic(err)
	}
	return n << 20
}

func touch(b []byte) {
	for i := 0; i < len(b); i += pageSize {
		b[i] = 1
	}
}

type node struct {
	next *node
	data []byte
}

func hoard(n int) {
	var kept *node
	for {
		kept = &node{kept, make([]byte, n)}
		touch(kept.data)
	}
}

// onAll runs two goroutines a CPU.
func onAll(f func()) {
	for range 2 * runtime.GOMAXPROCS(0) {
		go f()
	}
	select {}
}

func mmap(n, flags int) []byte {
	b, err := syscall.Mmap(-1, 0, n, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_PRIVATE|syscall.MAP_ANON|flags)
	if err != nil {
		fmt.Println("mmap:", err)
		os.Exit(3)
	}
	return b
}

// fill fills mappings of 1 MiB until there is no more.
func fill() (all [][]byte) {
	for {
		b, err := syscall.Mmap(-1, 0, 1<<20, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_PRIVATE|syscall.MAP_ANON)
		if err != nil {
			fmt.Println("refused:", err)
			return all
		}
		touch(b)
		all = append(all, b)
	}
}

func release(mappings [][]byte) {
	for _, b := range mappings {
		if err := syscall.Munmap(b); err != nil {
			panic(err)
		}
	}
}

// mmapUntilRefused gives all back, which is then there for the heap.
func mmapUntilRefused() {
	release(fill())
	touch(make([]byte, 8<<20))
}

// threads starts threads that stay, when all but some MiB are gone: the report
// tells of each.
func threads() {
	release(fill()[:4])
	debug.SetMaxThreads(1 << 20)
	for {
		started := make(chan bool)
		go func() {
			runtime.LockOSThread()
			started <- true
			select {}
		}()
		<-started
	}
}

// churn makes garbage only, many times what there is.
func churn() {
	for range 3 * size() >> 16 {
		garbage = make([]byte, 1<<16)
		touch(garbage)
	}
}

var (
	garbage []byte
	large   [16 << 20]byte // large enough to have no memory until it is used
)

// lazy uses large by itself and by system calls.
func lazy() {
	var p [2]int
	if err := syscall.Pipe2(p[:], 0); err != nil {
		panic(err)
	}
	for i := 0; i+pageSize < len(large); i += 64 * pageSize {
		if large[i] != 0 || large[i+pageSize/2] != 0 {
			panic("not zero")
		}
		large[i] = 1
		// The kernel reads a page that nobody has touched, and writes to another.
		from, to := large[i+pageSize+3:i+pageSize+67], large[i+5*pageSize:i+5*pageSize+64]
		if n, err := syscall.Write(p[1], from); n != len(from) || err != nil {
			panic(fmt.Sprint("write: ", n, err))
		}
		to[0] = 0
		if n, err := syscall.Read(p[0], large[i+9*pageSize:i+9*pageSize+64]); n != 64 || err != nil {
			panic(fmt.Sprint("read: ", n, err))
		}
	}
	done := make(chan int)
	for c := range 2 * runtime.GOMAXPROCS(0) {
		go func() {
			n := 0
			for i := range large {
				if i%pageSize == 8+c {
					large[i]++
				}
				n += int(large[i])
			}
			done <- n
		}()
	}
	for range 2 * runtime.GOMAXPROCS(0) {
		<-done
	}
	for i := 8; i < len(large); i += pageSize {
		if large[i] != 1 {
			panic(fmt.Sprint("lost a store at ", i))
		}
	}
	fmt.Println("large is at", unsafe.Pointer(&large))
}
