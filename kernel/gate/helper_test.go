package gate

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"sync"
	"testing"
	"time"
	"unsafe"

	"pdac/kernel/sched/dag"
	"pdac/kernel/space"
)

// board is the machine of the tests.
type board struct {
	op    *Operator
	out   bytes.Buffer
	keys  *io.PipeWriter
	off   int // exit code, -1: on
	boots int
	root  Roots

	threads machineThreads
	local   [testCPUs]unsafe.Pointer
}

const testCPUs = 4

var start = time.Now()

// openGate opens a fresh gate, with the test in the root space.
func openGate(t testing.TB) *board {
	t.Helper()
	return openTracked(t, false)
}

// openTracked is openGate, with rcu.track or not.
func openTracked(t testing.TB, track bool) *board {
	t.Helper()
	return openWith(t, func(c *Config) { c.Track = track })
}

// openWith is openGate with a configuration that was changed.
func openWith(t testing.TB, change func(*Config)) *board {
	t.Helper()
	if core.tasks != nil {
		until(t, "the last gate's tasks", func() bool { return core.tasks.live.Load() == 0 })
	}
	space.Set(space.Root)
	accounts = [maxSpaces]account{}
	numbers.free, addresses.areas, addresses.regions = nil, nil, nil
	b := &board{off: -1}
	in, keys := io.Pipe()
	b.keys = keys
	c := Config{
		CPUs:     testCPUs,
		CPU:      func() int { return rand.IntN(testCPUs) },
		Local:    func() unsafe.Pointer { return b.local[rand.IntN(testCPUs)] },
		SetLocal: func(cpu int, p unsafe.Pointer) { b.local[cpu] = p },
		Now:      func() uint64 { return uint64(time.Since(start)) },
		Key:      [2]uint64{rand.Uint64(), rand.Uint64()},
		Slots:    1 << 14,
		Output:   &b.out,
		Input:    in,
		Task:     func() Task { return Task{ID: 7, CPU: 3} },
		Threads:  b.threads.hooks(),
		Workers:  func() dag.Config { return dag.Config{Workers: testCPUs} },
		Nodes:    2,
		// Pages are on the nodes in turn, but for one in four.
		NodeOfMemory: func(at uintptr) (int, bool) { return int(at / pageSize % 2), at/pageSize%4 != 3 },
		Power:        func(code int) { b.off = code },
		Reboot:       func() { b.boots++ },
	}
	change(&c)
	op, err := open(c)
	if err != nil {
		t.Fatal(err)
	}
	b.op, b.root = op, Root()
	t.Cleanup(func() { keys.Close() })
	return b
}

// quiet fails unless no read section is left under way.
func quiet(t testing.TB) {
	t.Helper()
	core.rcu.Barrier()
	if n := core.rcu.Stats().Readers; n != 0 {
		t.Fatalf("%d read sections were never left", n)
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func ok(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func want(t testing.TB, err, target error) {
	t.Helper()
	if !errors.Is(err, target) {
		t.Fatalf("error %v, want %v", err, target)
	}
}

// derive is CapDerive without formula and gas, to the caller's space.
func derive(t testing.TB, id ID, p Perm) ID {
	t.Helper()
	d, err := CapDerive(id, 0, p, Options{})
	ok(t, err)
	return d
}

// until waits for what must come.
func until(t testing.TB, what string, f func() bool) {
	t.Helper()
	for end := time.Now().Add(time.Minute); !f(); time.Sleep(100 * time.Microsecond) {
		if time.Now().After(end) {
			t.Fatalf("waited in vain for %s", what)
		}
	}
}

// in runs f in a space on a goroutine of its own.
func in(t testing.TB, id ID, f func()) {
	t.Helper()
	var wg sync.WaitGroup
	wg.Add(1)
	ok(t, Go(id, func() {
		defer wg.Done()
		f()
	}))
	wg.Wait()
}
