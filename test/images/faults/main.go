// Faults commits the fault that its first argument names. Its panics, dumps
// and exit codes are those that the same program has on Linux.
package main

import (
	"fmt"
	"os"
	"os/signal"
	"runtime/debug"
	"strconv"
	"syscall"
	"unsafe"
)

// Addresses nobody maps: one that user space could, one that no CPU can.
const (
	wild         = 0xdead_beef_000
	noncanonical = 0x8000_0000_0000_1000
)

type fault struct {
	name string
	do   func(args []string)
}

var faults = []fault{
	{"none", func([]string) {}},
	{"exit", func(args []string) {
		code, err := strconv.Atoi(args[0])
		if err != nil {
			panic(err)
		}
		os.Exit(code)
	}},
	{"panic", func([]string) { panic("on purpose") }},
	{"panic-goroutine", func([]string) {
		go func() { panic("aside") }()
		select {}
	}},
	{"nil", func([]string) { load(0) }},
	{"nil-recovered", func([]string) { recovered(func() { load(0) }) }},
	{"nil-recovered-stay", func([]string) {
		recovered(func() { load(0) })
		select {}
	}},
	{"nil-recovered-often", func([]string) {
		n := 0
		for range 10_000 {
			func() {
				defer func() {
					if recover() != nil {
						n++
					}
				}()
				load(0)
			}()
		}
		fmt.Println("recovered", n, "times")
	}},
	{"divide", func([]string) { divide(1, 0) }},
	{"divide-recovered", func([]string) { recovered(func() { divide(1, 0) }) }},
	{"wild", func([]string) { load(wild) }},
	{"noncanonical", func([]string) { load(noncanonical) }},
	{"wild-recovered", func([]string) { onFault(func() { load(wild) }) }},
	{"write-rodata", func([]string) { onFault(func() { store(addressOf("constant")) }) }},
	{"write-text", func([]string) {
		f := divide
		onFault(func() { store(**(**uintptr)(unsafe.Pointer(&f))) })
	}},
	{"execute-data", func([]string) {
		code := []byte{0xc3} // RET
		entry := &code[0]
		f := &entry
		(*(*func())(unsafe.Pointer(&f)))()
	}},
	{"deadlock", func([]string) { select {} }},
	{"stack-overflow", func([]string) {
		debug.SetMaxStack(16 << 20)
		deep(0)
	}},
	{"out-of-memory", func([]string) {
		for {
			b := make([]byte, 1<<20)
			for i := 0; i < len(b); i += 4096 {
				b[i] = 1
			}
			hoard = append(hoard, b)
		}
	}},
	{"abort", func([]string) { syscall.Kill(syscall.Getpid(), syscall.SIGABRT); select {} }},
	{"signal", func([]string) {
		c := make(chan os.Signal, 1)
		signal.Notify(c, syscall.SIGUSR1)
		syscall.Kill(syscall.Getpid(), syscall.SIGUSR1)
		fmt.Println("got", <-c)
	}},
}

var (
	hoard [][]byte
	sink  int
)

func main() {
	if len(os.Args) > 1 {
		for _, f := range faults {
			if f.name == os.Args[1] {
				f.do(os.Args[2:])
				fmt.Println("survived")
				return
			}
		}
	}
	fmt.Println("no such fault:", os.Args)
	os.Exit(99)
}

//go:noinline
func load(a uintptr) { sink = *(*int)(pointer(a)) }

//go:noinline
func store(a uintptr) { *(*byte)(pointer(a)) = 0xcc }

// pointer makes a pointer that points where no Go pointer may.
func pointer(a uintptr) unsafe.Pointer { return *(*unsafe.Pointer)(unsafe.Pointer(&a)) }

func addressOf(s string) uintptr { return uintptr(unsafe.Pointer(unsafe.StringData(s))) }

//go:noinline
func divide(a, b int) { sink = a / b }

//go:noinline
func deep(n int) int {
	var frame [1024]int
	frame[n%len(frame)] = n
	return deep(n+1) + frame[(n+1)%len(frame)]
}

func recovered(f func()) {
	defer func() { fmt.Println("recovered:", recover()) }()
	f()
}

// onFault runs f, whose bad access becomes a panic, and prints its address.
func onFault(f func()) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		r := recover()
		if a, ok := r.(interface{ Addr() uintptr }); ok {
			fmt.Printf("fault at %#x: %v\n", a.Addr(), r)
		} else {
			fmt.Println("no fault:", r)
		}
	}()
	f()
}
