// Protect tries accesses that the page tables allow and such that they forbid,
// and prints what came of each: "NAME: ok", or the address of the fault.
package main

import (
	"fmt"
	"os"
	"runtime/debug"
	"syscall"
	"unsafe"
)

const (
	pageSize   = 4096
	directBase = 0xffff_8000_0000_0000 // all RAM, by physical address
	ret        = 0xc3
)

// stacks is where the kernel stacks are, and stackStep bytes of it are each CPU's
// (stacks.go of the board).
//
//go:linkname stacks pdac/board/qemu-amd64.stacks
var stacks uint64

const stackStep = 128 << 10

// guards are the pages below the stacks of a CPU, tops where the stacks end.
var (
	guards = [...]uintptr{0, 20 << 10, 40 << 10, 52 << 10, 64 << 10}
	tops   = [...]uintptr{20 << 10, 40 << 10, 52 << 10, 64 << 10, 128 << 10}
)

var (
	variable = [...]byte{ret}
	sink     byte
)

const constant = "\xc3 constant"

func main() {
	debug.SetPanicOnFault(true)
	f := empty
	text := **(**uintptr)(unsafe.Pointer(&f))
	rodata := uintptr(unsafe.Pointer(unsafe.StringData(constant)))
	data := uintptr(unsafe.Pointer(&variable))
	heap := uintptr(unsafe.Pointer(&append([]byte(nil), ret)[0]))

	try("read text", read, text)
	try("write text", write, text)
	try("execute text", execute, text)
	try("read constant", read, rodata)
	try("write constant", write, rodata)
	try("execute constant", execute, rodata)
	try("write variable", write, data)
	try("execute variable", execute, data)
	try("write heap", write, heap)
	try("execute heap", execute, heap)

	try("read direct map of text", read, directBase+text)
	try("write direct map of text", write, directBase+text)
	try("execute direct map of text", execute, directBase+text)
	try("write direct map of constant", write, directBase+rodata)
	try("write direct map of variable", write, directBase+data)

	try("read page 0", read, 16)
	try("read page 1", read, pageSize)
	try("read firmware", read, 0xf0000)
	try("read RAM below the image", read, 1<<20)
	try("read the entry's tables", read, 2<<20)
	try("read RAM above the image", read, 200<<20)
	try("read no RAM", read, 3<<30)
	try("read no kernel memory", read, 0xffff_c000_0000_0000)

	for cpu := range uintptr(2) {
		for i := range guards {
			at := uintptr(stacks) + cpu*stackStep
			try(fmt.Sprintf("read guard of stack %d", i), read, at+guards[i])
			try(fmt.Sprintf("read end of guard of stack %d", i), read, at+guards[i]+pageSize-1)
			try(fmt.Sprintf("read bottom of stack %d", i), read, at+guards[i]+pageSize)
			try(fmt.Sprintf("read top of stack %d", i), read, at+tops[i]-1)
		}
	}

	m, err := syscall.Mmap(-1, 0, 3*pageSize, syscall.PROT_NONE, syscall.MAP_PRIVATE|syscall.MAP_ANON)
	if err != nil {
		panic(err)
	}
	at := uintptr(unsafe.Pointer(&m[0])) + pageSize
	for _, p := range []struct {
		name string
		prot int
	}{
		{"PROT_NONE", syscall.PROT_NONE},
		{"PROT_READ", syscall.PROT_READ},
		{"PROT_WRITE", syscall.PROT_READ | syscall.PROT_WRITE},
		{"PROT_EXEC", syscall.PROT_READ | syscall.PROT_EXEC},
		{"PROT_NONE again", syscall.PROT_NONE},
	} {
		if err := syscall.Mprotect(m[pageSize:2*pageSize], p.prot); err != nil {
			panic(err)
		}
		try("read "+p.name, read, at)
		try("write "+p.name, write, at)
		try("execute "+p.name, execute, at)
		try("read beside "+p.name, read, at+pageSize)
	}
	if err := syscall.Munmap(m); err != nil {
		panic(err)
	}
	try("read unmapped", read, at)
}

func try(name string, access func(uintptr), at uintptr) {
	defer func() {
		switch r := recover().(type) {
		case nil:
			fmt.Println(name + ": ok")
		case interface{ Addr() uintptr }:
			if r.Addr() != at {
				fmt.Printf("%s: fault at %#x instead of %#x\n", name, r.Addr(), at)
				os.Exit(1)
			}
			fmt.Println(name + ": fault")
		default:
			fmt.Println(name+":", r)
		}
	}()
	access(at)
}

func read(a uintptr) { sink = *(*byte)(pointer(a)) }

func write(a uintptr) { *(*byte)(pointer(a)) = ret }

// execute calls a, where a RET is if all is well.
func execute(a uintptr) {
	entry := &a
	(*(*func())(unsafe.Pointer(&entry)))()
}

//go:noinline
func empty() {}

// pointer makes a pointer that points where no Go pointer may.
func pointer(a uintptr) unsafe.Pointer { return *(*unsafe.Pointer)(unsafe.Pointer(&a)) }
