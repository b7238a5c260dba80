// Path repeats one operation of the benchmarks for ever, the one that the variable PATH_OF names: a guest for
// scripts/path.sh.
package main

import (
	"os"
	"runtime"
	"sync/atomic"
	"syscall"
	"unsafe"

	"pdac/kernel/gate"
)

func main() {
	runtime.GOMAXPROCS(4) // threads in raw system calls hold a P each

	switch os.Getenv("PATH_OF") {
	case "futex":
		go alternate(0)
		turn[0] = 1
		alternate(1)
	case "yield":
		go yield()
		yield()
	case "spawn":
		runtime.GOMAXPROCS(1)
		spawn()
	case "fault":
		fault()
	case "locked":
		runtime.GOMAXPROCS(1)
		locked()
	case "pipe":
		pipe()
	case "ipc":
		runtime.GOMAXPROCS(1)
		ipc()
	default:
		panic("PATH_OF is none of futex, yield, spawn, fault, locked, pipe, ipc")
	}
}

var turn [2]uint32

func futex(p *uint32, op, val uintptr) {
	const private = 128
	syscall.RawSyscall6(syscall.SYS_FUTEX, uintptr(unsafe.Pointer(p)), op|private, val, 0, 0, 0)
}

func alternate(me int) {
	const wait, wake = 0, 1
	runtime.LockOSThread()
	for {
		for !atomic.CompareAndSwapUint32(&turn[me], 1, 0) {
			futex(&turn[me], wait, 0)
		}
		atomic.StoreUint32(&turn[1-me], 1)
		futex(&turn[1-me], wake, 1)
	}
}

func yield() {
	runtime.LockOSThread()
	for {
		syscall.RawSyscall(syscall.SYS_SCHED_YIELD, 0, 0, 0)
	}
}

// spawn makes and ends a thread: one that a goroutine was locked to ends with it.
func spawn() {
	c := make(chan struct{})
	for {
		go func() { runtime.LockOSThread(); c <- struct{}{} }()
		<-c
	}
}

func fault() {
	for {
		b, err := syscall.Mmap(-1, 0, 1<<20, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
		if err != nil {
			panic(err)
		}
		for i := 0; i < len(b); i += 4096 {
			b[i] = 1
		}
		syscall.Munmap(b)
	}
}

func locked() {
	a, b := make(chan int), make(chan int)
	go func() {
		runtime.LockOSThread()
		for v := range a {
			b <- v
		}
	}()
	runtime.LockOSThread()
	for i := 0; ; i++ {
		a <- i
		<-b
	}
}

func pipe() {
	var to, from [2]int
	syscall.Pipe(to[:])
	syscall.Pipe(from[:])
	go func() {
		runtime.LockOSThread()
		for b := make([]byte, 1); ; {
			call(syscall.SYS_READ, to[0], b)
			call(syscall.SYS_WRITE, from[1], b)
		}
	}()
	runtime.LockOSThread()
	for b := make([]byte, 1); ; {
		call(syscall.SYS_WRITE, to[1], b)
		call(syscall.SYS_READ, from[0], b)
	}
}

func call(nr uintptr, fd int, b []byte) {
	syscall.RawSyscall(nr, uintptr(fd), uintptr(unsafe.Pointer(&b[0])), 1)
}

// ipc is a call through the gate and its reply.
func ipc() {
	e, err := gate.EndpointCreate(gate.Root().Endpoints, gate.EndpointOptions{})
	if err != nil {
		panic(err)
	}
	go func() {
		var m gate.Message
		for err := gate.EndpointRecv(e, nil, &m); err == nil; {
			err = gate.EndpointReplyRecv(e, nil, m.Call, &m)
		}
	}()
	var m gate.Message
	m.Put([]byte("a request of some length"))
	for err == nil {
		err = gate.EndpointCall(e, nil, &m, &m)
	}
}
