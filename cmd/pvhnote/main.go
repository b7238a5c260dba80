// Pvhnote writes the PVH entry note into a program linked by the Go linker,
// so that QEMU and Xen boot it as a kernel. It runs on the host.
//
//	pvhnote [-entry SYMBOL] FILE...
package main

import (
	"flag"
	"fmt"
	"os"

	"pdac/cmd/internal/pvh"
)

func main() {
	entry := flag.String("entry", "pdac/board/qemu-amd64.Entry", "symbol of the 32-bit entry")
	flag.Usage = func() {
		fmt.Fprintln(flag.CommandLine.Output(), "usage: pvhnote [-entry SYMBOL] FILE...")
		flag.PrintDefaults()
	}
	flag.Parse()
	if flag.NArg() == 0 {
		flag.Usage()
		os.Exit(2)
	}
	for _, file := range flag.Args() {
		r, err := pvh.AddNote(file, *entry)
		if err != nil {
			fmt.Fprintln(os.Stderr, "pvhnote:", err)
			os.Exit(1)
		}
		state := "written"
		if r.Already {
			state = "already there"
		}
		fmt.Printf("%s: PVH entry %#x (%s) %s\n", file, r.Entry, *entry, state)
	}
}
