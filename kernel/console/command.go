package console

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// Command is something to type at the console.
type Command struct {
	Name string
	Args string // what may follow the name, as in "[code]"; empty if nothing may. -j goes without saying
	Help string // one line
	// Result is a zero value of what Run returns; its json tags are the fields that docs/CONSOLE.md must list.
	Result Result
	Run    func(c *Call) (Result, error)
	Other  Result // of another type, where what follows the name makes Run return that; nil: never
}

// Result is the outcome of a command: encoding/json writes it for -j, Print otherwise.
type Result interface {
	// Print writes the result for people, in lines of up to 80 columns.
	Print(w io.Writer)
}

// Call is one execution of a command.
type Call struct {
	Sys  *System
	Args []string  // without -j
	Out  io.Writer // for progress; discards with -j
	then func() error
}

// Then makes f run after the result is out: for commands that end the kernel.
func (c *Call) Then(f func() error) { c.then = f }

// Number returns argument i, called name in the error, as a number from lo to hi, or def if there is no such argument.
func (c *Call) Number(i int, name string, lo, hi, def int) (int, error) {
	if i >= len(c.Args) {
		return def, nil
	}
	n, err := strconv.Atoi(c.Args[i])
	if err != nil || n < lo || n > hi {
		return 0, fmt.Errorf("%s %q is not a number from %d to %d", name, c.Args[i], lo, hi)
	}
	return n, nil
}

// Usage returns how the command is typed.
func (c *Command) Usage() string {
	if c.Args == "" {
		return c.Name + " [-j]"
	}
	return c.Name + " [-j] " + c.Args
}

var registered struct {
	sync.Mutex
	commands []Command
}

// Register adds a command to every console. It panics if there is one of that name, or if the command is incomplete.
func Register(c Command) {
	if c.Name == "" || strings.ContainsAny(c.Name, " ;\t") || c.Help == "" || c.Result == nil || c.Run == nil {
		panic(fmt.Sprintf("console: incomplete command %q", c.Name))
	}
	if _, ok := find(c.Name); ok {
		panic(fmt.Sprintf("console: a second command %q", c.Name))
	}
	registered.Lock()
	registered.commands = append(registered.commands, c)
	registered.Unlock()
}

// Commands returns all commands sorted by name.
func Commands() []Command {
	registered.Lock()
	all := append(builtin(), registered.commands...)
	registered.Unlock()
	slices.SortFunc(all, func(a, b Command) int { return strings.Compare(a.Name, b.Name) })
	return all
}

func find(name string) (Command, bool) {
	all := Commands()
	i := slices.IndexFunc(all, func(c Command) bool { return c.Name == name })
	if i < 0 {
		return Command{}, false
	}
	return all[i], true
}

// builtin returns the commands of this package.
func builtin() []Command {
	return []Command{
		{"help", "[command]", "list the commands, or say what one does", Help{}, runHelp, nil},
		{"version", "", "what was booted, and how long ago", Version{}, get(func(s *System) func() Version { return s.Version }), nil},
		{"cpu", "", "the CPUs, what they did and what they run", CPUs{}, get(func(s *System) func() CPUs { return s.CPUs }), nil},
		{"mem", "", "memory by node, page faults, the Go heap", Memory{}, runMem, nil},
		{"numa", "[sample pages]", "the nodes; sample so many pages a second", NUMA{}, runNUMA, nil},
		{"irq", "", "interrupts and exceptions per CPU", IRQs{}, get(func(s *System) func() IRQs { return s.IRQs }), nil},
		{"ps", "", "the tasks", Tasks{}, get(func(s *System) func() Tasks { return s.Tasks }), nil},
		{"syscalls", "", "system calls by number, those that are not implemented too", Syscalls{}, get(func(s *System) func() Syscalls { return s.Syscalls }), nil},
		{"log", "[n]", "the last n records of the kernel's log (50)", Log{}, runLog, nil},
		{"gc", "", "collect garbage", GC{}, runGC, nil},
		{"run", "", "run the workload on all CPUs", Workload{}, runWorkload, nil},
		{"poweroff", "[code]", "power off with an exit code from 0 to 255 (0)", PowerOff{}, runPowerOff, nil},
		{"faults", "", "the last fault of each task, recovered ones too", Faults{}, get(func(s *System) func() Faults { return s.Faults }), nil},
		{"caps", "[revoke slot:generation | filter...]", "the capabilities, by type=, space= and perm=; or revoke one", Caps{}, runCaps, nil},
		{"rcu", "", "grace periods, readers and callbacks", RCU{}, get(func(s *System) func() RCU { return s.RCU }), nil},
		{"ipc", "", "the endpoints, who waits there, and what was sent", IPC{}, get(func(s *System) func() IPC { return s.IPC }), nil},
		{Name: "sched", Args: "[policy class rr|lottery | steal strategy | trace [on|off|n]]", Help: "what each CPU scheduled; set a policy; the last events", Result: Sched{}, Run: runSched, Other: Trace{}},
		{"dag", "", "the executors of graphs, and what their workers do", DAG{}, get(func(s *System) func() DAG { return s.DAG }), nil},
		{"crash", "", "end the machine by a kernel panic, to see its dump", Crash{}, runCrash, nil},
		{"reboot", "", "restart the machine", Reboot{}, runReboot, nil},
	}
}
