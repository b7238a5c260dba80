package console

import (
	"errors"
	"fmt"
	"io"
	"runtime"
	"runtime/metrics"
	"strings"
	"time"

	"pdac/kernel/klog"
)

var errMissing = errors.New("not available on this machine")

// get makes a command of a System function that has the whole answer.
func get[R Result](f func(s *System) func() R) func(c *Call) (Result, error) {
	return func(c *Call) (Result, error) {
		if g := f(c.Sys); g != nil {
			return g(), nil
		}
		return nil, errMissing
	}
}

// Help describes commands.
type Help struct {
	Commands []HelpEntry `json:"commands"`
}

// HelpEntry describes a command.
type HelpEntry struct {
	Name  string `json:"name"`
	Usage string `json:"usage"`
	Help  string `json:"help"`
}

func runHelp(c *Call) (Result, error) {
	var h Help
	for _, k := range Commands() {
		if len(c.Args) == 0 || c.Args[0] == k.Name {
			h.Commands = append(h.Commands, HelpEntry{k.Name, k.Usage(), k.Help})
		}
	}
	if len(h.Commands) == 0 {
		return nil, unknown(c.Args[0])
	}
	return h, nil
}

// unknown is the error for a command that isn't there.
func unknown(name string) error {
	var names []string
	for _, k := range Commands() {
		names = append(names, k.Name)
	}
	return fmt.Errorf("no command %q; there are %s", name, strings.Join(names, " "))
}

func runMem(c *Call) (Result, error) {
	if c.Sys.Memory == nil {
		return nil, errMissing
	}
	m := c.Sys.Memory()
	m.Heap = heap()
	return m, nil
}

// heap asks runtime/metrics, which doesn't stop the world as runtime.ReadMemStats does.
func heap() Heap {
	s := []metrics.Sample{
		{Name: "/memory/classes/heap/objects:bytes"},
		{Name: "/gc/heap/objects:objects"},
		{Name: "/gc/heap/goal:bytes"},
		{Name: "/memory/classes/total:bytes"},
		{Name: "/memory/classes/heap/released:bytes"},
		{Name: "/gc/cycles/total:gc-cycles"},
		{Name: "/sched/goroutines:goroutines"},
	}
	metrics.Read(s)
	v := func(i int) uint64 { return s[i].Value.Uint64() }
	return Heap{LiveBytes: v(0), Objects: v(1), GoalBytes: v(2), RuntimeBytes: v(3) - v(4), ReleasedBytes: v(4), Cycles: v(5), Goroutines: v(6)}
}

// GC is a garbage collection.
type GC struct {
	WallNS      uint64 `json:"wall_ns"`
	PauseNS     uint64 `json:"pause_ns"` // of all pauses of the world
	BeforeBytes uint64 `json:"before_bytes"`
	AfterBytes  uint64 `json:"after_bytes"`
}

func runGC(*Call) (Result, error) {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	start := time.Now()
	runtime.GC()
	wall := time.Since(start)
	runtime.ReadMemStats(&after)
	return GC{uint64(wall), after.PauseTotalNs - before.PauseTotalNs, before.HeapAlloc, after.HeapAlloc}, nil
}

// Log is the end of the kernel's log.
type Log struct {
	Records []LogRecord `json:"records"`
	Lost    uint64      `json:"lost"` // overwritten, or still being written
}

// LogRecord is a record of kernel/klog.
type LogRecord struct {
	Seq    uint64 `json:"seq"`
	TimeNS uint64 `json:"time_ns"`
	CPU    int    `json:"cpu"`
	Level  string `json:"level"`
	Text   string `json:"text"`
	line   string
}

func runLog(c *Call) (Result, error) {
	n, err := c.Number(0, "n", 1, klog.Slots, 50)
	if err != nil {
		return nil, err
	}
	var l Log
	head := klog.Head()
	for at := head - min(head, uint64(n)); at < head; at++ {
		var e klog.Entry
		lost, ok := klog.Read(at, &e)
		if l.Lost += lost; !ok {
			break
		}
		at = e.Seq
		var b [klog.MaxLine]byte
		l.Records = append(l.Records, LogRecord{e.Seq, e.Time, e.CPU, e.Level.String(), string(e.Text()), string(b[:e.Line(&b)])})
	}
	return l, nil
}

func runWorkload(c *Call) (Result, error) {
	if c.Sys.Run == nil {
		return nil, errMissing
	}
	w, err := c.Sys.Run(c.Out)
	if err != nil {
		return nil, err
	}
	return w, nil
}

// PowerOff is about to happen.
type PowerOff struct {
	Code int `json:"code"`
}

func runPowerOff(c *Call) (Result, error) {
	code, err := c.Number(0, "code", 0, 255, 0)
	if err != nil {
		return nil, err
	}
	if c.Sys.PowerOff == nil {
		return nil, errMissing
	}
	c.Then(func() error {
		c.Sys.PowerOff(code)
		return errors.New("the machine is still on")
	})
	return PowerOff{code}, nil
}

// Reboot is about to happen.
type Reboot struct {
	Reboot bool `json:"reboot"` // true
}

func runReboot(c *Call) (Result, error) {
	if c.Sys.Reboot == nil {
		return nil, errMissing
	}
	c.Then(func() error {
		c.Sys.Reboot()
		return errors.New("the machine is still on")
	})
	return Reboot{true}, nil
}

// Crash is about to happen.
type Crash struct {
	Crash bool `json:"crash"` // true
}

func runCrash(c *Call) (Result, error) {
	if c.Sys.Crash == nil {
		return nil, errMissing
	}
	c.Then(func() error {
		c.Sys.Crash()
		return errors.New("the machine is still on")
	})
	return Crash{true}, nil
}

// failure is what -j writes of an error.
type failure struct {
	Error string `json:"error"`
}

func (f failure) Print(w io.Writer) { fmt.Fprintln(w, f.Error) }
