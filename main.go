// Pdac is the standard image: it boots to the serial console, whose command run
// is a workload on real files.
package main

import (
	"io"
	"os"

	board "pdac/board/qemu-amd64"
	"pdac/kernel"
	"pdac/kernel/console"
	"pdac/kernel/crash/disasm"
	"pdac/workload"
)

func main() {
	if !board.Running() {
		os.Stderr.WriteString("pdac: this is a kernel image: boot it by scripts/run-qemu.sh\n")
		os.Exit(1)
	}
	kernel.OfferWorkload(run)
	kernel.OfferDisassembler(disasm.Line)
	select {}
}

func run(progress io.Writer) (console.Workload, error) {
	r, err := workload.Run(progress, os.DirFS("/workload"), workload.Machine{
		NodeOf: board.NodeOf,
		Nodes:  nodes,
		Pin:    board.Pin,
	})
	w := console.Workload{OK: err == nil, Bytes: r.Bytes, WallNS: uint64(r.Took)}
	for id, c := range r.CPUs {
		w.CPUs = append(w.CPUs, console.WorkloadCPU{ID: id, Node: c.Node, Files: c.Files, Bytes: c.Bytes, BusyNS: uint64(c.Busy)})
	}
	for id, n := range r.Nodes {
		w.Nodes = append(w.Nodes, console.WorkloadNode{ID: id, LocalBytes: n.Local * pageSize, RemoteBytes: n.Remote * pageSize})
	}
	return w, err
}

const pageSize = 4096

func nodes() (r []workload.Node) {
	for _, s := range board.Nodes() {
		r = append(r, workload.Node{Local: s.Local, Remote: s.Remote})
	}
	return r
}
