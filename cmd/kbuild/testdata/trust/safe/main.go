// Safe uses what looks dangerous and is not.
package main

import (
	"fmt"
	"net"
	"reflect"
	"sync/atomic"
	"syscall"

	_ "pdac/board/qemu-amd64"
	_ "pdac/kernel/gate"
	_ "pdac/kernel/sched/dag"
)

// The text unsafe, syscall.RawSyscall and //go:linkname in a comment is no reach.
var conn syscall.RawConn

var p atomic.Pointer[int]

func main() {
	p.Store(new(int))
	syscall.Getpid()
	fmt.Println(reflect.TypeFor[net.IP](), `import "unsafe"`, conn)
}
