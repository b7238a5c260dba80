// Ipc moves pages between goroutines on a booted machine, and waits for grace periods there. It prints
// what is wrong, and exits 1 then; else 3.
package main

import (
	"fmt"
	"os"
	"sync/atomic"

	_ "pdac/board/qemu-amd64"
)

var failed atomic.Bool

// check reports what is wrong unless ok.
func check(ok bool, format string, args ...any) {
	if !ok {
		failed.Store(true)
		fmt.Printf(format+"\n", args...)
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func main() {
	for _, size := range []uintptr{pageSize, 3 * pageSize, 5<<20 + pageSize} {
		moveOne(size)
	}
	passAround()
	lose()
	returnTables()
	slots()
	stall()
	if failed.Load() {
		os.Exit(1)
	}
	os.Exit(3)
}
