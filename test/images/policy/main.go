// Policy places memory by policies of tasks and areas, and prints where it came to be: a JSON object for
// each experiment. It wants 3 nodes with 2 CPUs each.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"runtime"
	"syscall"
	"time"
	"unsafe"

	"pdac/kernel/gate"
	"pdac/kernel/numa"
)

const (
	pageSize = 4096
	nodes    = 3
	perNode  = 2 // CPUs
)

// report is what an experiment found.
type report struct {
	What  string     `json:"what"`
	Nodes [nodes]int `json:"nodes"` // pages by node
	Error string     `json:"error"`
}

func main() {
	experiments := map[string]func(){"place": place, "full": full, "sample": sample}
	experiments[os.Args[1]]()
}

func tell(what string, b []byte, err error) {
	r := report{What: what, Nodes: byNode(b)}
	if err != nil {
		r.Error = err.Error()
	}
	json.NewEncoder(os.Stdout).Encode(r)
}

// tellPlacement is tell by the gate: pages on node 1, on node 2, and on none.
func tellPlacement(what string, b []byte) {
	p, err := gate.MemoryPlacement(gate.Root().Memory, b)
	r := report{What: what}
	if err != nil {
		r.Error = err.Error()
	} else {
		r.Nodes = [nodes]int{int(p.Bytes[1] / pageSize), int(p.Bytes[2] / pageSize), int(p.Untouched / pageSize)}
	}
	json.NewEncoder(os.Stdout).Encode(r)
}

// onNode runs f on a thread of its own that is pinned to a CPU of a node.
func onNode(node int, f func()) {
	done := make(chan bool)
	go func() {
		runtime.LockOSThread() // for good: the thread ends
		mask := uint64(1) << (node * perNode)
		_, _, e := syscall.Syscall(syscall.SYS_SCHED_SETAFFINITY, 0, unsafe.Sizeof(mask), uintptr(unsafe.Pointer(&mask)))
		if e != 0 {
			panic(e)
		}
		f()
		close(done)
	}()
	<-done
}

func mmap(pages int) []byte {
	b, err := syscall.Mmap(-1, 0, pages*pageSize, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_PRIVATE|syscall.MAP_ANON|syscall.MAP_NORESERVE)
	if err != nil {
		panic(err)
	}
	return b
}

func touch(b []byte) {
	for i := 0; i < len(b); i += pageSize {
		b[i]++
	}
}

func address(b []byte) uintptr { return uintptr(unsafe.Pointer(unsafe.SliceData(b))) }

func mbind(b []byte, m numa.Mode, set uint64, flags uintptr) error {
	_, _, e := syscall.Syscall6(syscall.SYS_MBIND, address(b), uintptr(len(b)), uintptr(m), uintptr(unsafe.Pointer(&set)), 65, flags)
	if e != 0 {
		return e
	}
	return nil
}

func setPolicy(m numa.Mode, set uint64) {
	_, _, e := syscall.Syscall(syscall.SYS_SET_MEMPOLICY, uintptr(m), uintptr(unsafe.Pointer(&set)), 65)
	if e != 0 {
		panic(e)
	}
}

// byNode counts the pages of b that are there by node. get_mempolicy would bring in the others, so mincore
// is asked first.
func byNode(b []byte) (n [nodes]int) {
	if len(b) == 0 {
		return n
	}
	in := make([]byte, len(b)/pageSize)
	if _, _, e := syscall.Syscall(syscall.SYS_MINCORE, address(b), uintptr(len(b)), address(in)); e != 0 {
		panic(e)
	}
	for i := range in {
		if in[i]&1 == 0 {
			continue
		}
		const nodeOfAddress = 3 // MPOL_F_NODE|MPOL_F_ADDR
		var node int32
		_, _, e := syscall.Syscall6(syscall.SYS_GET_MEMPOLICY, uintptr(unsafe.Pointer(&node)), 0, 0, address(b)+uintptr(i*pageSize), nodeOfAddress, 0)
		if e != 0 {
			panic(e)
		}
		n[node]++
	}
	return n
}

const (
	all  = 0b111
	n    = 300 // pages of an area
	move = 2
)

// place has fresh memory come from where policies say.
func place() {
	for node := range nodes {
		onNode(node, func() {
			b := mmap(n)
			touch(b)
			tell("local", b, nil)
		})
	}
	onNode(0, func() {
		for _, x := range []struct {
			what string
			mode numa.Mode
			set  uint64
		}{{"bind", numa.Bind, 0b100}, {"preferred", numa.Preferred, 0b010}, {"interleave", numa.Interleave, all}, {"interleave two", numa.Interleave, 0b101}} {
			b := mmap(n)
			err := mbind(b, x.mode, x.set, 0)
			touch(b)
			tell("area "+x.what, b, err)

			setPolicy(x.mode, x.set)
			b = mmap(n)
			touch(b)
			setPolicy(numa.Default, 0)
			tell("task "+x.what, b, nil)
		}
		b := mmap(n)
		touch(b)
		tell("strict", b, mbind(b, numa.Bind, 0b010, 1))
		tell("move", b, mbind(b, numa.Bind, 0b010, move|1))
		kept := true
		for i := 0; i < len(b); i += pageSize {
			kept = kept && b[i] == 1
		}
		if !kept {
			tell("contents lost", nil, nil)
		}

		const huge = 2 << 20 / pageSize
		b = mmap(4 * huge)
		b = b[-address(b)&(2<<20-1):][:3*huge*pageSize]
		if err := syscall.Madvise(b, 14); err != nil { // MADV_HUGEPAGE
			panic(err)
		}
		err := mbind(b, numa.Interleave, all, 0)
		for i := range 3 {
			b[i<<21] = 1
		}
		tell("interleave 2 MiB", b, err)

		r := gate.Root()
		b, err = gate.MemoryMap(r.Memory, n*pageSize)
		if err == nil {
			err = gate.MemoryPolicy(r.Memory, b, gate.Policy{Mode: gate.PolicyInterleave, Nodes: 0b110}, false)
		}
		tellPlacement("gate, fresh", b)
		touch(b)
		tell("gate", b, err)
		tellPlacement("gate, touched", b)
		if err := gate.TaskPolicy(r.Task, gate.Policy{Mode: gate.PolicyBind, Nodes: 0b100}); err != nil {
			tell("gate task", nil, err)
		}
		b = mmap(n)
		touch(b)
		gate.TaskPolicy(r.Task, gate.Policy{})
		tell("gate task", b, nil)
	})
}

// full uses up node 1, and goes on: first where that is allowed, which takes from the nearest node, then where it
// isn't, which ends the program.
func full() {
	onNode(1, func() {
		b := mmap(64 << 20 / pageSize)
		if err := mbind(b, numa.Preferred, 0b010, 0); err != nil {
			panic(err)
		}
		used := 0
		for ; used < len(b)/pageSize; used++ { // until the first that comes from elsewhere
			b[used*pageSize] = 1
			if used%16 == 0 && byNode(b[used*pageSize:][:pageSize])[1] == 0 {
				break
			}
		}
		rest := b[(used+1)*pageSize:][:1000*pageSize]
		touch(rest)
		tell("fallback", rest, nil)

		bound := mmap(1000)
		if err := mbind(bound, numa.Bind, 0b010, 0); err != nil {
			panic(err)
		}
		if _, _, e := syscall.Syscall(syscall.SYS_MUNMAP, address(b), 100*pageSize, 0); e != 0 { // they go home
			panic(e)
		}
		touch(bound[:60*pageSize])
		tell("came home", bound, nil)
		touch(bound)
		tell("not reached", bound, nil)
	})
}

// sample has a thread of a node use memory of node 0, while pages are sampled: what the console says then is
// the test's to look at.
func sample() {
	b := mmap(2000)
	onNode(0, func() { touch(b) })
	onNode(int(os.Args[2][0]-'0'), func() {
		for end := time.Now().Add(4 * time.Second); time.Now().Before(end); {
			touch(b)
		}
	})
	fmt.Println("used")
	select {} // the console ends the machine
}
