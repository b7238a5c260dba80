// Ways reaches in every way that a file of Go can.
package main

import (
	"reflect"
	"runtime"
	"sync/atomic"
	sys "syscall"
	_ "unsafe"

	"pdac/asm"
	board "pdac/board/qemu-amd64"
	"pdac/kernel/linux"
)

//go:linkname nanotime runtime.nanotime
func nanotime() int64

func main() {
	f := sys.RawSyscall
	f(39, 0, 0, 0)
	sys.AllThreadsSyscall(39, 0, 0, 0)
	asm.Pause()
	println(nanotime(), board.Running(), linux.Calls)
	p := reflect.ValueOf(new(int)).UnsafePointer()
	atomic.LoadPointer(&p)
	reflect.NewAt(reflect.TypeFor[uint](), p)
	runtime.SetCgoTraceback(0, nil, nil, nil)
	sys.Madvise(make([]byte, 8), sys.MADV_DONTNEED)
	sys.Mprotect(make([]byte, 8), sys.PROT_NONE)
	sys.Munmap(nil)
	again = leap
	again()
}

var again func()

//go:nosplit
func leap() { again() }
