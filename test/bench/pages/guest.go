package main

import (
	"encoding/json"
	"fmt"
	"os"
	"runtime"
	"sync"
	"unsafe"

	board "pdac/board/qemu-amd64"
	"pdac/kernel/vm"
)

// programs are run by name. Each returns a figure if it has one.
var programs = map[string]func() float64{
	"small":  small,
	"alloc":  alloc,
	"gc":     collect,
	"random": random,
	"local":  local,
}

func inGuest() error {
	r := result{Boot: uint64(board.SinceEntry())}
	program := programs[os.Args[1]]
	if program == nil {
		return fmt.Errorf("no program %s", os.Args[1])
	}
	used, before := inUse(), vm.ReadStats()
	start := board.SinceEntry()
	r.Local = program()
	r.Took = uint64(board.SinceEntry() - start)
	after := vm.ReadStats()
	r.Bytes = inUse() - used
	r.Faults4K, r.Faults2M = after.Faults4K-before.Faults4K, after.Faults2M-before.Faults2M
	text, err := json.Marshal(r)
	fmt.Println(mark + string(text))
	return err
}

func inUse() (n uint64) {
	for _, s := range board.Nodes() {
		n += s.Total - s.Free
	}
	return n
}

// small hardly allocates: what a program costs at least.
func small() float64 {
	kept = make([][]byte, 100)
	return 0
}

var (
	kept [][]byte
	tree *node
	sum  uint64
)

// alloc makes a million objects from 16 bytes to 2 KiB, of which 16 MiB live.
func alloc() float64 {
	kept = make([][]byte, 1<<15)
	for i := range 1 << 20 {
		kept[i%len(kept)] = make([]byte, 16<<(i%8))
	}
	return 0
}

type node struct {
	left, right *node
	_           [2]uint64
}

func grow(depth int) *node {
	if depth == 0 {
		return new(node)
	}
	return &node{left: grow(depth - 1), right: grow(depth - 1)}
}

// collect marks a tree of 2^19 nodes five times.
func collect() float64 {
	tree = grow(18)
	for range 5 {
		runtime.GC()
	}
	return 0
}

// random writes and reads words all over 128 MiB.
func random() float64 {
	words := make([]uint64, 128<<20/8)
	x := uint64(1)
	for range 4 << 20 {
		x ^= x << 13
		x ^= x >> 7
		x ^= x << 17
		words[x%uint64(len(words))] += x
		sum += words[x>>32%uint64(len(words))]
	}
	return 0
}

// local has a thread on each CPU allocate 32 MiB at the same time, in objects of
// 8 KiB, and says how many of them are in the thread's own node.
func local() float64 {
	const objects, size = 4096, 8 << 10
	cpus := runtime.NumCPU()
	all := make([][][]byte, cpus) // kept to the end: what the collector hands to another CPU stays where it is
	var ready, done sync.WaitGroup
	ready.Add(cpus)
	for cpu := range cpus {
		done.Go(func() {
			runtime.LockOSThread()
			if err := board.Pin(cpu); err != nil {
				panic(err)
			}
			ready.Done()
			ready.Wait()
			mine := make([][]byte, objects)
			for i := range mine {
				mine[i] = make([]byte, size)
				for at := 0; at < size; at += vm.PageSize {
					mine[i][at] = 1
				}
			}
			all[cpu] = mine
		})
	}
	done.Wait()
	own := 0
	for cpu, mine := range all {
		for _, b := range mine {
			if n, ok := board.NodeOfMemory(unsafe.Pointer(&b[0])); ok && n == board.NodeOf(cpu) {
				own++
			}
		}
	}
	return float64(own) / float64(objects*cpus)
}
