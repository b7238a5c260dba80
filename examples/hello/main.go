// Hello is the smallest program that becomes a kernel image.
package main

import (
	"fmt"
	"os"
	"runtime"

	_ "pdac/board/qemu-amd64"
)

func main() {
	fmt.Printf("hello from %s on %d CPUs, args %q\n", runtime.Version(), runtime.NumCPU(), os.Args[1:])
}
