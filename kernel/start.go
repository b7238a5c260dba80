package kernel

import (
	"errors"
	"io"
	"sync/atomic"
	"unsafe"

	"pdac/kernel/console"
	"pdac/kernel/numa"
)

// Board is what a board gives to Start, above the runtime.
type Board struct {
	Name     string // of the board package
	CPUModel string
	TSCHz    uint64
	Line     io.ReadWriter // serial line of the console, raw

	CPU      func() int                      // the caller's, quickly
	Local    func() unsafe.Pointer           // what SetLocal was given for the caller's CPU, quickly
	SetLocal func(cpu int, p unsafe.Pointer) // once; the kernel keeps what p points to
	CPUs     func() []CPU                    // that the firmware lists, those online first and by number
	Topology *numa.Topology
	Frames   *numa.Frames

	ImageBytes uint64 // RAM that was never free: the image, its files, the firmware's data

	Vectors    int
	IRQs       func(cpu, vector int) uint64
	VectorName func(vector int) string

	PowerOff func(code int)
	Reboot   func()
}

// CPU is a CPU as the firmware names it.
type CPU struct {
	APICID uint32
	Node   int
	Online bool
}

// Start opens the gate, for the program that is about to begin, and the console: it runs the
// commands of the kernel's command line, and goes on reading commands, unless console=off. It is
// called once, by the board's init function.
func Start(b *Board) {
	operator := b.openGate()
	go func() {
		operator.Enter()
		c := console.New(b.Line, b.system(operator))
		c.Exec(string(options.bytes(options.exec)))
		if !options.noConsole {
			c.Run()
		}
	}()
}

// Workload is a program's demonstration: the console's command run.
type Workload func(progress io.Writer) (console.Workload, error)

var workload atomic.Pointer[Workload]

// OfferWorkload makes w what the console's command run does.
func OfferWorkload(w Workload) { workload.Store(&w) }

func runWorkload(progress io.Writer) (console.Workload, error) {
	w := workload.Load()
	if w == nil {
		return console.Workload{}, errors.New("this program has no workload")
	}
	return (*w)(progress)
}
