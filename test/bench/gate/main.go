// Gate measures the gate and what it is made of: capabilities, read sections, messages. It is an image
// of PDAC alone, and prints a line of ticks per operation for each; a tick is one of RDTSC, which under
// run-qemu.sh --icount is one instruction. Package compare (test/bench/linux) runs it and keeps the record.
package main

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"time"

	"pdac/asm"
	board "pdac/board/qemu-amd64"
	"pdac/kernel/cap"
	"pdac/kernel/gate"
	"pdac/kernel/klog"
	"pdac/kernel/rcu"
)

func main() {
	debug.SetGCPercent(-1)
	table, domain := newTable()
	checks(table)
	sections(domain)
	calls()
	messages()
	trees(table)
	fmt.Println("DONE")
}

// measure reports what f spends on each of n operations, after it has warmed up.
func measure(name string, n int, f func(n int)) {
	f(n/10 + 1)
	t := asm.RDTSC()
	f(n)
	fmt.Printf("BENCH %-40s %12.1f ticks/op  (n=%d)\n", name, float64(asm.RDTSC()-t)/float64(n), n)
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// sink keeps results.
var sink uint64

// newTable makes a table beside the gate's, whose parts can be called alone.
func newTable() (*cap.Table, *rcu.Domain) {
	d := rcu.New(rcu.Config{CPUs: 1, Now: klog.Now})
	return must(cap.New(cap.Config{Slots: 1 << 15, CPUs: 1, Now: klog.Now, Key: [2]uint64{1, 2}, RCU: d})), d
}

var object = cap.MakeObject(1, 1)

func checks(t *cap.Table) {
	id := must(t.Create(0, 1, object, cap.AllPerms, cap.Options{}))
	timed := must(t.Create(0, 1, object, cap.AllPerms, cap.Options{Formula: &cap.Formula{ExpiresAt: 1 << 62}}))
	const n = 100_000
	passed := 0
	measure("cap.Holds", n, func(n int) {
		for range n {
			if t.Holds(id, cap.Read) {
				passed++
			}
		}
	})
	measure("cap.Check", n, func(n int) {
		for range n {
			if t.Check(id, cap.Read) {
				passed++
			}
		}
	})
	measure("cap.Check that expires", n, func(n int) {
		for range n {
			if t.Check(timed, cap.Read) {
				passed++
			}
		}
	})
	if want := 3 * (n + n/10 + 1); passed != want {
		panic(fmt.Sprint(passed, " checks passed, want ", want))
	}
	measure("cap.Lookup", n, func(n int) {
		for range n {
			sink += uint64(must(t.Lookup(0, id, cap.Read)))
		}
	})
}

func sections(d *rcu.Domain) {
	measure("rcu.ReadLock+ReadUnlock", 100_000, func(n int) {
		for range n {
			d.ReadUnlock(d.ReadLock(0))
		}
	})
	measure("rcu.Synchronize", 10_000, func(n int) {
		for range n {
			d.Synchronize()
		}
	})
}

// clock is the function that gate.TimeNow calls.
var clock = board.Clock()

// bare is gate.TimeNow without the gate: what calls of the two differ by is the gate's.
//
//go:noinline
func bare(gate.ID) (time.Duration, error) { return time.Duration(clock()), nil }

// calls measures a call that does nothing but to read the clock, beside that.
func calls() {
	root := gate.Root()
	id := must(gate.CapDerive(root.Clock, 0, gate.Read, gate.Options{}))
	log := must(gate.CapDerive(root.Task, 0, gate.Read, gate.Options{}))
	const n = 100_000
	measure("clock", n, func(n int) {
		for range n {
			sink += uint64(must(bare(id)))
		}
	})
	measure("gate.TimeNow", n, func(n int) {
		for range n {
			sink += uint64(must(gate.TimeNow(id)))
		}
	})
	measure("gate.TimeNow refused", n/10, func(n int) {
		for range n {
			if _, err := gate.TimeNow(log); err == nil {
				panic("admitted")
			}
		}
	})
}

// messages measures a call and its reply, each goroutine waiting for the other.
func messages() {
	root := gate.Root()
	for _, locked := range []bool{false, true} {
		e := must(gate.EndpointCreate(root.Endpoints, gate.EndpointOptions{}))
		done := make(chan bool)
		go func() {
			if locked {
				runtime.LockOSThread()
			}
			var m gate.Message
			for err := gate.EndpointRecv(e, nil, &m); err == nil; {
				err = gate.EndpointReplyRecv(e, nil, m.Call, &m)
			}
			close(done)
		}()
		name := "ipc call+reply"
		if locked {
			runtime.LockOSThread()
			name += ", locked threads"
		}
		var m gate.Message
		m.Put([]byte("a request of some length"))
		measure(name, 10_000, func(n int) {
			for range n {
				if err := gate.EndpointCall(e, nil, &m, &m); err != nil {
					panic(err)
				}
			}
		})
		gate.EndpointClose(e)
		<-done
		if locked {
			runtime.UnlockOSThread()
		}
	}
}

// trees measures deriving, and revoking with all that was derived: n of them below one.
func trees(t *cap.Table) {
	root := must(t.Create(0, 1, object, cap.AllPerms, cap.Options{}))
	for _, n := range []int{1, 100, 10_000} {
		const most = 20_000
		rounds := min(most/n, 200)
		var derive, revoke uint64
		for round := range rounds + 1 {
			t0 := asm.RDTSC()
			top := must(t.Derive(0, root, 1, cap.AllPerms, cap.Options{}))
			for range n {
				sink += uint64(must(t.Derive(0, top, 1, cap.Read, cap.Options{})))
			}
			t1 := asm.RDTSC()
			if err := t.Revoke(root, top); err != nil {
				panic(err)
			}
			if t2 := asm.RDTSC(); round > 0 { // the first makes the table's memory
				derive, revoke = derive+t1-t0, revoke+t2-t1
			}
		}
		if n == 100 {
			fmt.Printf("BENCH %-40s %12.1f ticks/op\n", "cap.Derive", float64(derive)/float64(rounds*(n+1)))
		}
		fmt.Printf("BENCH %-40s %12.1f ticks/op\n", fmt.Sprintf("cap.Revoke with %d descendants", n), float64(revoke)/float64(rounds))
	}
}
