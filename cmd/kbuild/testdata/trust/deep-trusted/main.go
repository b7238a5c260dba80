// Deep-trusted is deep with a trust list.
package main

import (
	_ "pdac/board/qemu-amd64"
	"pdac/cmd/kbuild/testdata/trust/lib"
)

func main() { println(lib.Size) }
