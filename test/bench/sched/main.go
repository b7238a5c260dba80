// Sched measures what the scheduler does for threads and spawned tasks, on one CPU. It is an image of PDAC alone, and prints
// a line of ticks per operation for each; a tick is one of RDTSC, which under run-qemu.sh --icount is one instruction.
// Package compare (test/bench/linux) runs it and keeps the record.
package main

import (
	"cmp"
	"fmt"
	"runtime"
	"runtime/debug"
	"slices"
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"

	"pdac/asm"
	_ "pdac/board/qemu-amd64"
	"pdac/kernel/gate"
	"pdac/kernel/lockfree"
)

var root = gate.Root()

func main() {
	debug.SetGCPercent(-1)
	collections()
	queues()
	wakeups()
	preemptions()
	spawns()
	fmt.Println("DONE")
}

func report(name string, ticks float64) { fmt.Printf("BENCH %-40s %12.1f ticks/op\n", name, ticks) }

func must[T any](v T, err error) T {
	check(err)
	return v
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}

// collections measures what Ps that have nothing to do cost a collection: the runtime stops and asks each.
func collections() {
	for _, more := range []int{0, 64} {
		runtime.GOMAXPROCS(runtime.NumCPU() + more)
		const n = 20
		runtime.GC() // makes what is new
		t := asm.RDTSC()
		for range n {
			runtime.GC()
		}
		name := "runtime.GC"
		if more != 0 {
			name = fmt.Sprintf("runtime.GC with %d more Ps", more)
		}
		report(name, float64(asm.RDTSC()-t)/n)
	}
	runtime.GOMAXPROCS(runtime.NumCPU())
}

// queues measures a band of a run queue: the names in it stand for tasks, whose state words are not touched.
func queues() {
	const n = 100_000
	nodes := make([]lockfree.Node, 4)
	var q lockfree.Queue
	q.Init(nodes, 1)
	node, sum := uint32(2), uint64(0)
	t := asm.RDTSC()
	for i := range uint64(n) {
		q.Push(nodes, node, i)
		var v uint64
		v, node, _ = q.Pop(nodes)
		sum += v
	}
	t = asm.RDTSC() - t
	if sum != n*(n-1)/2 {
		panic(sum)
	}
	report("queue push+pop", float64(t)/n)
}

func futex(word *uint32, op, value uintptr) {
	syscall.RawSyscall6(syscall.SYS_FUTEX, uintptr(unsafe.Pointer(word)), op, value, 0, 0, 0)
}

const (
	futexWait = 0 | 128 // FUTEX_PRIVATE_FLAG
	futexWake = 1 | 128
)

// wakeups measures from the call that wakes a task of class Latency to its first instruction: the median, as the Go runtime
// interrupts either now and then.
func wakeups() {
	const n = 10_000
	var word, taken uint32
	var sent uint64
	took := make([]uint64, n)
	sleeper := must(gate.Spawn(root.Task, gate.TaskOptions{Name: "sleeper", Class: gate.Latency}, func() {
		for i := range uint32(n) {
			atomic.StoreUint32(&taken, i)
			for atomic.LoadUint32(&word) == i {
				futex(&word, futexWait, uintptr(i))
			}
			took[i] = asm.RDTSC() - sent
		}
	}))
	waker := must(gate.Spawn(root.Task, gate.TaskOptions{Name: "waker"}, func() {
		for i := range uint32(n) {
			for atomic.LoadUint32(&taken) != i {
				runtime.Gosched()
			}
			sent = asm.RDTSC()
			atomic.StoreUint32(&word, i+1)
			futex(&word, futexWake, 1)
		}
	}))
	check(gate.TaskJoin(waker, nil))
	check(gate.TaskJoin(sleeper, nil))
	report("wakeup to run, class latency", median(took))
}

func median(ticks []uint64) float64 {
	slices.Sort(ticks)
	return float64(ticks[len(ticks)/2])
}

// turn is when a task had the CPU, in ticks.
type turn struct{ from, to uint64 }

// preemptions measures from the last instruction of a task whose quantum is over to the first of the next one, the timer's
// interrupt in between: the median over those that no other thread came between.
func preemptions() {
	const n = 1000
	turns := make([][]turn, 2)
	var begun atomic.Int32
	var tasks []gate.ID
	for i := range turns {
		turns[i] = make([]turn, 1, n)
		tasks = append(tasks, must(gate.Spawn(root.Task, gate.TaskOptions{Name: "busy", Quantum: gate.MinQuantum}, func() {
			begun.Add(1)
			for begun.Load() < int32(len(turns)) {
				runtime.Gosched()
			}
			const together = 1000 // ticks: less than the shortest time without the CPU
			mine := turns[i]
			at := &mine[0]
			at.from = asm.RDTSC()
			for at.to = at.from; ; {
				now := asm.RDTSC()
				if now-at.to > together {
					if len(mine) == n {
						break
					}
					mine = append(mine, turn{from: now})
					at = &mine[len(mine)-1]
				}
				at.to = now
			}
			turns[i] = mine
		})))
	}
	for _, id := range tasks {
		check(gate.TaskJoin(id, nil))
	}
	all := slices.Concat(turns...)
	slices.SortFunc(all, func(a, b turn) int { return cmp.Compare(a.from, b.from) })
	var between []uint64
	for i, t := range all[1:] {
		between = append(between, t.from-all[i].to)
	}
	report("preemption at the end of a quantum", median(between))
}

// spawns measures a task that does nothing, from its making to its end.
func spawns() {
	const n = 1000
	spawn := func(n int) {
		for range n {
			check(gate.TaskJoin(must(gate.Spawn(root.Task, gate.TaskOptions{}, func() {})), nil))
		}
	}
	spawn(n / 10)
	time.Sleep(2 * time.Second) // Ps that nobody needs are gone
	t := asm.RDTSC()
	spawn(n)
	report("gate.Spawn+TaskJoin", float64(asm.RDTSC()-t)/n)
}
