// Soak loads a machine with everything that the Go runtime asks of a kernel,
// all of it at once, and checks each result.
//
//	soak [SECONDS] [seed=N] [only=NAME,NAME...] [scale=N] [stall=SECONDS]
//
// The seed decides how many goroutines each load has and what they do; it is
// printed, so that a run can be repeated. The end is a line for each load with
// the count of its operations, and "SOAK OK". A wrong result prints "SOAK BAD"
// and exits 1. A load that does nothing for 20 s (stall=) prints "SOAK STALL"
// and all stacks, and exits 2.
//
// It is an ordinary Go program: on Linux it has to pass as well.
package main

import (
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// A load is one kind of work. Each of its goroutines calls start once, and then
// what that returned again and again. A step that takes many turns of the Go
// scheduler calls beat in each: on a small machine a turn takes long.
type load struct {
	name  string
	most  int // goroutines
	start func(w *worker) (step func())

	ops    atomic.Uint64 // steps
	pulse  atomic.Uint64 // steps and beats
	active atomic.Int32  // goroutines that have not ended
	off    atomic.Bool   // not this load's turn
	paused atomic.Bool   // nothing to do on this machine
}

// worker is one goroutine of a load.
type worker struct {
	*load
	*rand.Rand
}

// beat shows the watchdog that the load is alive.
func (l *load) beat() { l.pulse.Add(1) }

var loads = []*load{
	{name: "trees", most: 4, start: trees},
	{name: "maps", most: 3, start: maps},
	{name: "cleanups", most: 2, start: cleanups},
	{name: "channels", most: 3, start: channels},
	{name: "select", most: 2, start: selects},
	{name: "coroutines", most: 2, start: coroutines},
	{name: "sleeps", most: 6, start: sleeps},
	{name: "timers", most: 3, start: timers},
	{name: "ticker", most: 2, start: tickers},
	{name: "contexts", most: 2, start: contexts},
	{name: "clock", most: 3, start: clocks},
	{name: "threads", most: 3, start: threads},
	{name: "broadcast", most: 1, start: broadcast},
	{name: "handoff", most: 2, start: handoff},
	{name: "futex", most: 2, start: futexes},
	{name: "affinity", most: 2, start: affinity},
	{name: "nil", most: 8, start: nils},
	{name: "divide", most: 4, start: divides},
	{name: "signals", most: 1, start: signals},
	{name: "mappings", most: 3, start: mappings},
	{name: "hugepages", most: 2, start: hugePages},
	{name: "shootdown", most: 2, start: shootdowns},
	{name: "faults", most: 2, start: badAccesses},
	{name: "profile", most: 1, start: profiles},
	{name: "labels", most: 2, start: labels},
	{name: "float", most: 3, start: floats},
	{name: "hash", most: 2, start: hashes},
	{name: "copy", most: 2, start: copies},
	{name: "json", most: 2, start: jsons},
	{name: "flate", most: 2, start: flates},
	{name: "ospipe", most: 2, start: osPipes},
	{name: "rawpipe", most: 2, start: rawPipes},
	{name: "eventfd", most: 2, start: eventfds},
	{name: "files", most: 2, start: files},
	{name: "stacks", most: 4, start: stacks},
	{name: "world", most: 2, start: worldStops},
	{name: "procs", most: 1, start: procs},
}

// What the arguments say.
var (
	seconds = 60.0
	seed    = uint64(time.Now().UnixNano()) % 1_000_000
	stall   = 20.0
	scale   = 0 // percent of full size; 0: what fits the memory
)

var stop atomic.Bool

func main() {
	only := arguments()
	ram := memory()
	if scale == 0 {
		scale = int(max(10, min(100, ram>>20/10)))
	}
	debug.SetMemoryLimit(int64(ram / 3))
	root := rand.New(rand.NewPCG(seed, 0))
	fmt.Printf("soak: seed %d, %v s, %d CPUs, %d MiB, scale %d%%\n", seed, seconds, runtime.NumCPU(), ram>>20, scale)

	var wg sync.WaitGroup
	var running []*load
	for i, l := range loads {
		n := 1 + root.IntN(l.most)
		if only != "" && !strings.Contains(","+only+",", ","+l.name+",") {
			continue
		}
		running = append(running, l)
		for c := range n {
			w := &worker{l, rand.New(rand.NewPCG(seed, uint64(i<<16|c+1)))}
			l.active.Add(1)
			wg.Go(func() {
				defer l.active.Add(-1)
				step := l.start(w)
				for {
					step()
					l.ops.Add(1)
					l.beat()
					if stop.Load() {
						return
					}
					w.rest()
					for l.off.Load() && !stop.Load() {
						l.beat()
						time.Sleep(20 * time.Millisecond)
					}
				}
			})
		}
	}
	ended := make(chan struct{})
	watched := make(chan struct{})
	go func() { watch(running, ended); close(watched) }()
	conduct(root, running)
	stop.Store(true)
	wg.Wait()
	close(ended)
	<-watched

	idle := false
	for _, l := range running {
		n := l.ops.Load()
		note := ""
		if l.paused.Load() {
			note = " (nothing to do)"
		}
		fmt.Printf("soak: %-10s %d%s\n", l.name, n, note)
		idle = idle || n == 0
	}
	if idle {
		bad("a load did nothing")
	}
	fmt.Println("SOAK OK")
}

// conduct takes the time of the run. In every other of its parts all loads have
// their turn, and a random few in those between: one alone does in a second what
// it does among all others in a minute.
func conduct(r *rand.Rand, running []*load) {
	end := time.Now().Add(time.Duration(seconds * float64(time.Second)))
	for part := 0; time.Now().Before(end); part++ {
		for _, l := range running {
			l.off.Store(part%2 != 0 && r.IntN(4) != 0)
		}
		time.Sleep(min(time.Until(end), time.Second+time.Duration(r.IntN(2e9))))
	}
}

// rest stays off the CPU for a moment now and then: a machine that is always
// busy never goes idle, and never has to wake.
func (w *worker) rest() {
	switch w.IntN(16) {
	case 0:
		time.Sleep(time.Duration(w.IntN(2_000_000)))
	case 1, 2, 3:
		runtime.Gosched()
	}
}

// arguments reads the command line and returns the value of only=.
func arguments() (only string) {
	for _, a := range os.Args[1:] {
		name, value, named := strings.Cut(a, "=")
		if !named {
			name, value = "seconds", a
		}
		var err error
		switch name {
		case "seconds":
			seconds, err = strconv.ParseFloat(value, 64)
		case "seed":
			seed, err = strconv.ParseUint(value, 10, 64)
		case "stall":
			stall, err = strconv.ParseFloat(value, 64)
		case "scale":
			scale, err = strconv.Atoi(value)
		case "only":
			only = value
		default:
			err = fmt.Errorf("no such argument: %s", a)
		}
		if err != nil {
			fmt.Println("soak:", err)
			os.Exit(3)
		}
	}
	return only
}

// memory returns the machine's bytes of RAM.
func memory() uint64 {
	var s syscall.Sysinfo_t
	if err := syscall.Sysinfo(&s); err != nil {
		bad("sysinfo: %v", err)
	}
	return s.Totalram * uint64(max(s.Unit, 1))
}

// scaled returns n in the proportion of scale, at least 1.
func scaled(n int) int { return max(1, n*scale/100) }

// bad ends the run for a wrong result.
func bad(format string, args ...any) {
	os.Stdout.WriteString("SOAK BAD " + fmt.Sprintf(format, args...) + "\n" + string(debug.Stack()))
	os.Exit(1)
}

// must ends the run for an error that there is no reason for.
func must(err error, what string) {
	if err != nil {
		bad("%s: %v", what, err)
	}
}
