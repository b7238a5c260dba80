// Dying ends by the fault that its first argument names, for what the crash dump
// then shows.
package main

import (
	"fmt"
	"os"
	"runtime"
	"unsafe"
)

const wild = 0xdead_beef_000 // nobody maps it

var deaths = map[string]func(){
	"nil":    func() { load(0) },
	"divide": divideByZero,
	"wild":   func() { load(wild) },

	// Others allocate and collect garbage meanwhile.
	"among-others": func() {
		for range 2 * runtime.NumCPU() {
			go func() {
				for s := ""; ; {
					s = fmt.Sprint(len(s), "characters")
				}
			}()
		}
		go func() {
			for {
				runtime.GC()
			}
		}()
		for range 20 {
			runtime.Gosched()
		}
		load(0)
	},
	// All die at once, and one gets to the exit.
	"all-at-once": func() {
		start := make(chan struct{})
		for range 64 {
			go func() {
				<-start
				load(0)
			}()
		}
		close(start)
		select {}
	},
	"nil-while-panicking": func() {
		defer load(0)
		panic("first")
	},
	"panic-after-nil": func() {
		defer func() { panic("second") }()
		load(0)
	},
	"nil-again": func() {
		defer func() { panic(recover()) }()
		load(0)
	},
	// A goroutine's stack moves when it grows.
	"stack-moved": func() {
		done := make(chan struct{})
		go func() {
			defer deep(64)
			load(0)
		}()
		<-done
	},
	"jump-to-nil": func() {
		var entry uintptr
		f := &entry
		(*(*func())(unsafe.Pointer(&f)))()
	},
	"in-malloc": faultInMalloc,
}

func main() {
	if len(os.Args) < 2 || deaths[os.Args[1]] == nil {
		fmt.Println("no such death:", os.Args)
		os.Exit(99)
	}
	deaths[os.Args[1]]()
	fmt.Println("survived")
}

var sink int

//go:noinline
func load(a uintptr) { sink = *(*int)(*(*unsafe.Pointer)(unsafe.Pointer(&a))) }

//go:noinline
func deep(n int) int {
	var frame [128]int
	if frame[n] = n; n > 0 {
		frame[0] = deep(n - 1)
	}
	return frame[0] + frame[n]
}

// divideByZero leaves the division to the hardware; Go's code would look before.
func divideByZero()
