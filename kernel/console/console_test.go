package console

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"
	"testing"

	"pdac/kernel/klog"
)

// serial is a serial line whose input is given in pieces, one a Read, as a UART would give them.
type serial struct {
	in  []string
	out bytes.Buffer
}

func (s *serial) Read(p []byte) (int, error) {
	if len(s.in) == 0 {
		return 0, io.EOF
	}
	n := copy(p, s.in[0])
	if s.in[0] = s.in[0][n:]; s.in[0] == "" {
		s.in = s.in[1:]
	}
	return n, nil
}

func (s *serial) Write(p []byte) (int, error) { return s.out.Write(p) }

// machine is a System of two nodes, and a record of what was asked of it.
func machine(calls *[]string) System {
	return System{
		Version: func() Version { return Version{"0.1", "go1.26.8", "qemu-amd64", "loglevel=info a=<&>", 1_500_000_000} },
		CPUs: func() CPUs {
			return CPUs{"QEMU TCG", 2_500_000_000, []CPU{{ID: 0, APICID: 0, Online: true, BusyNS: 1e9, IdleNS: 2e9, Switches: 12, Task: 3, Ready: 1},
				{ID: 1, APICID: 4, Node: 1}}}
		},
		Memory: func() Memory {
			return Memory{TotalBytes: 1 << 30, FreeBytes: 1 << 29, Nodes: []NodeMemory{{ID: 0, TotalBytes: 1 << 30, FreeBytes: 1 << 29, LocalAllocs: 7}, {ID: 1}}, Faults4K: 99}
		},
		NUMA: func() NUMA {
			return NUMA{Nodes: []Node{{0, 0, []int{0, 1, 2, 5}, 1 << 30, 1 << 29, []int{10, 20, 20, 20}, nil}, {ID: 1, Domain: 7, Distances: []int{20, 10}}}}
		},
		IRQs:  func() IRQs { return IRQs{[]Vector{{14, "#PF", 33, []uint64{30, 3}}, {32, "timer", 5, []uint64{5, 0}}}} },
		Tasks: func() Tasks { return Tasks{[]Task{{3, "m0", "running", 1, 1, 1e9, 5e8, 17}}} },
		Syscalls: func() Syscalls {
			return Syscalls{[]Syscall{{39, "getpid", true, 2, 0}, {257, "openat", true, 9, 3}, {299, "", false, 1, 0}}}
		},
		Faults: func() Faults {
			return Faults{[]Fault{{3, 14, "page fault", 2, 8, 0x401000, "main.f", "/src/f.go", 7, "MOVQ AX, 0(CX)"}}}
		},
		Run: func(w io.Writer) (Workload, error) {
			fmt.Fprintln(w, "working")
			return Workload{true, 1 << 20, 1e9, []WorkloadCPU{{0, 0, 9, 1 << 20, 1e9}}, []WorkloadNode{{0, 4096, 0}}}, nil
		},
		Caps:      func(func(Capability)) Caps { return Caps{} },
		RevokeCap: func(uint32, uint64) error { return nil },
		RCU:       func() RCU { return RCU{} },
		IPC:       func() IPC { return IPC{} },

		PowerOff: func(code int) { *calls = append(*calls, fmt.Sprint("poweroff ", code)) },
		Reboot:   func() { *calls = append(*calls, "reboot") },
		Sched:    func() Sched { return Sched{} },
		DAG:      func() DAG { return DAG{} },
		Crash:    func() { *calls = append(*calls, "crash") },
	}
}

// exec returns what commands print, with line feeds only, after checking that each comes with a carriage return.
func exec(t *testing.T, sys System, commands string) string {
	t.Helper()
	var s serial
	New(&s, sys).Exec(commands)
	return clean(t, s.out.String())
}

func clean(t *testing.T, s string) string {
	t.Helper()
	if strings.Count(s, "\n") != strings.Count(s, "\r\n") {
		t.Errorf("a line feed without its carriage return in %q", s)
	}
	return strings.ReplaceAll(s, "\r", "")
}

func TestCommandsText(t *testing.T) {
	var calls []string
	klog.New(klog.Warn).Str("something odd").End()
	for _, c := range []struct{ cmd, want string }{
		{"help", "poweroff   power off"},
		{"help ps", "usage: ps [-j]\nthe tasks\n"},
		{"version", "PDAC 0.1, go1.26.8, board qemu-amd64, up 1.500 s\ncommand line: loglevel=info a=<&>\n"},
		{"cpu", "CPU  APIC  node  state       busy     idle  switches  ready  task\n" +
			"  0     0     0  busy     1.000 s  2.000 s        12      1  3\n" +
			"  1     4     1  offline  0.000 s  0.000 s         0      0  -\n"},
		{"mem", "page faults: 99 of 4 KiB"},
		{"numa", "node  domain    total     free  CPUs   distances\n" +
			"   0       0  1.0 GiB  512 MiB  0-2,5  10 20x3\n" +
			"   1       7      0 B      0 B  none   20 10\n"},
		{"irq", "vector  name   total  by CPU\n    14  #PF       33  30 3\n    32  timer      5  5 0\n"},
		{"ps", "task  state    CPU  node  CPU time   waited  switches  name\n   3  running    1     1   1.000 s  0.500 s        17  m0\n"},
		{"faults", "task 3: page fault, code 0x2, at 0x8\n  main.f (f.go:7)\n  0x401000 MOVQ AX, 0(CX)\n"},
		{"syscalls", "number  count  name\n    39      2  getpid\n   257      9  openat (3 refused)\n   299      1   (ENOSYS)\n"},
		{"log", "0 warn  something odd\n"},
		{"log 1", "0 warn  something odd\n"},
		{"gc", " after, took "},
		{"run", "working\n1.0 MiB in 1.000 s, 1.0 MiB/s; results are right\n"},
		{"poweroff", "power off, exit code 0\npoweroff: the machine is still on\n"},
		{"poweroff 255", "exit code 255\n"},
		{"reboot", "reboot\nreboot: the machine is still on\n"},
		{"crash", "crash\ncrash: the machine is still on\n"},
		{" version ;; version; ", "\nPDAC"},
		{"nonsense; version", "no command \"nonsense\"; there are caps cpu crash dag faults gc help "},
		{"", ""},
	} {
		got := exec(t, machine(&calls), c.cmd)
		if !strings.Contains(got, c.want) {
			t.Errorf("%s printed\n%s\nwant\n%s", c.cmd, got, c.want)
		}
		for l := range strings.Lines(got) {
			if len(strings.TrimSuffix(l, "\n")) > columns && !strings.HasPrefix(c.cmd, "nonsense") {
				t.Errorf("%s printed a line of %d columns: %s", c.cmd, len(l), l)
			}
		}
	}
	if got := strings.Join(calls, "; "); got != "poweroff 0; poweroff 255; reboot; crash" {
		t.Errorf("the machine was asked for %q", got)
	}
}

func TestCommandsJSON(t *testing.T) {
	var calls []string
	for _, c := range Commands() {
		for _, cmd := range []string{c.Name + " -j", c.Name + " -j -j"} {
			sys := machine(&calls)
			sys.PowerOff, sys.Reboot, sys.Crash = func(int) {}, func() {}, func() {}
			got, _, _ := strings.Cut(exec(t, sys, cmd), "{\"error\":\""+c.Name+": the machine is still on")
			if strings.Count(got, "\n") != 1 || strings.Contains(got, "null") {
				t.Errorf("%s printed %q", cmd, got)
			}
			v := reflect.New(reflect.TypeOf(c.Result))
			d := json.NewDecoder(strings.NewReader(got))
			d.DisallowUnknownFields()
			if err := d.Decode(v.Interface()); err != nil {
				t.Errorf("%s printed %q: %v", cmd, got, err)
			}
		}
	}
	want := `{"nodes":[{"id":0,"domain":0,"cpus":[0,1,2,5],"total_bytes":1073741824,"free_bytes":536870912,"distances":[10,20,20,20],"accesses":[]},` +
		`{"id":1,"domain":7,"cpus":[],"total_bytes":0,"free_bytes":0,"distances":[20,10],"accesses":[]}],"sample_rate":0,"sampled":0}` + "\n"
	if got := exec(t, machine(&calls), "numa -j"); got != want {
		t.Errorf("numa -j printed %s", got)
	}
	if got := exec(t, machine(&calls), "version -j"); !strings.Contains(got, "a=<&>") {
		t.Errorf("version -j printed %s", got)
	}
	if got := exec(t, machine(&calls), "poweroff -j 3"); !strings.HasPrefix(got, "{\"code\":3}\n") {
		t.Errorf("poweroff -j 3 printed %s", got)
	}
}

func TestBadInput(t *testing.T) {
	var calls []string
	cases := map[string]string{
		"poweroff x":   `poweroff: code "x" is not a number from 0 to 255`,
		"poweroff 256": `poweroff: code "256" is not a number from 0 to 255`,
		"poweroff -1":  `poweroff: code "-1" is not a number from 0 to 255`,
		"poweroff 1 2": `poweroff: unexpected argument "2"; usage: poweroff [-j] [code]`,
		"log 0":        `log: n "0" is not a number from 1 to 256`,
		"log many":     `log: n "many" is not a number from 1 to 256`,
		"log 1 2":      `log: unexpected argument "2"; usage: log [-j] [n]`,
		"help me":      `help: no command "me"; there are caps cpu crash dag faults gc help ipc irq log mem numa poweroff ps rcu reboot run sched syscalls version`,
		"help a b":     `help: unexpected argument "b"; usage: help [-j] [command]`,
		"what":         `no command "what"; there are caps cpu crash dag faults gc help ipc irq log mem numa poweroff ps rcu reboot run sched syscalls version`,
	}
	for _, c := range Commands() {
		if c.Args == "" {
			cases[c.Name+" x"] = c.Name + `: unexpected argument "x"; usage: ` + c.Name + " [-j]"
		}
	}
	for cmd, want := range cases {
		if got := exec(t, machine(&calls), cmd); got != want+"\n" {
			t.Errorf("%s printed %q, want %q", cmd, got, want)
		}
		var f failure
		got := exec(t, machine(&calls), cmd+" -j")
		if err := json.Unmarshal([]byte(got), &f); err != nil || f.Error != want {
			t.Errorf("%s -j printed %q", cmd, got)
		}
	}
	if calls != nil {
		t.Errorf("bad input made the machine do %v", calls)
	}
	for _, c := range Commands() {
		got := exec(t, System{}, c.Name)
		if c.Name == "help" || c.Name == "log" || c.Name == "gc" {
			continue
		}
		if got != c.Name+": not available on this machine\n" {
			t.Errorf("%s printed %q without a machine", c.Name, got)
		}
	}
	sys := machine(&calls)
	sys.Run = func(io.Writer) (Workload, error) { return Workload{}, errors.New("out of luck") }
	if got := exec(t, sys, "run"); got != "run: out of luck\n" {
		t.Errorf("a workload that failed printed %q", got)
	}
}

// typed runs a console on what is typed, in pieces, until the line ends, and returns all output.
func typed(t *testing.T, sys System, pieces ...string) string {
	t.Helper()
	s := serial{in: pieces}
	if err := New(&s, sys).Run(); err != io.EOF {
		t.Errorf("Run ended with %v", err)
	}
	return clean(t, s.out.String())
}

const versionLine = "PDAC 0.1, go1.26.8"

func TestTyping(t *testing.T) {
	var calls []string
	for name, c := range map[string]struct {
		pieces []string
		want   []string
		times  int // how often versionLine
	}{
		"piped":           {[]string{"numa -j\npoweroff 3\n"}, []string{`pdac> numa -j` + "\n" + `{"nodes":[`, "pdac> poweroff 3\npower off, exit code 3\n"}, 0},
		"byte by byte":    {strings.Split("version\r", ""), []string{"pdac> "}, 1},
		"CR LF":           {[]string{"version\r\nversion\r\n"}, nil, 2},
		"Tab":             {[]string{"ver\t\r"}, []string{"version"}, 1},
		"Tab after ;":     {[]string{"gc;ver\t\r"}, nil, 1},
		"Tab for help":    {[]string{"help ver\t\r"}, []string{"usage: version"}, 0},
		"Tab ambiguous":   {[]string{"p\t\x03version\r"}, []string{"poweroff ps\n"}, 1},
		"Tab common":      {[]string{"re\tb\t\x15version\r"}, []string{"reboot "}, 1},
		"Tab nothing":     {[]string{"zz\t\x15version\r"}, nil, 1},
		"Tab argument":    {[]string{"version \t\r"}, nil, 1},
		"up":              {[]string{"version\r", "\x1b[A\r"}, nil, 2},
		"up past blanks":  {[]string{"version\r \r\r", "\x1b[A", "\r"}, nil, 2},
		"up twice":        {[]string{"version\rgc\rgc\r", "\x1b[A\x1b[A\r"}, nil, 2},
		"edit":            {[]string{"vrsion", "\x01\x06", "e", "\r"}, nil, 1},
		"backspace":       {[]string{"versionx\x7f\r"}, nil, 1},
		"Ctrl-C":          {[]string{"reboot\x03version\r"}, nil, 1},
		"Ctrl-C alone":    {[]string{"\x03\x03", "\x03", "version\r"}, nil, 1},
		"Ctrl-D":          {[]string{"\x04", "\x04\x04version\x04\r", "version\r\x04"}, nil, 2},
		"noise":           {[]string{"\xff\xc3\x03version\r"}, nil, 1},
		"noise held back": {[]string{"\xe2\r" + "version\r"}, []string{`no command "?"`}, 1},
		"endless escape":  {[]string{"\x1b" + strings.Repeat("0", 1000), "\rversion\r"}, nil, 1},
		"pasted":          {[]string{"\x1b[200~version\r\x1b[201~"}, nil, 1},
		"long line":       {[]string{strings.Repeat("version;", 30) + "\r"}, nil, 30},
		"NUL":             {[]string{"\x00version\r"}, nil, 1},
	} {
		t.Run(name, func(t *testing.T) {
			calls = nil
			got := typed(t, machine(&calls), c.pieces...)
			for _, w := range c.want {
				if !strings.Contains(got, w) {
					t.Errorf("printed %q, want %q", got, w)
				}
			}
			if n := strings.Count(got, versionLine); n != c.times {
				t.Errorf("version ran %d times, not %d: %q", n, c.times, got)
			}
			if strings.Contains(strings.Join(calls, ""), "reboot") {
				t.Error("a cleared line was executed")
			}
		})
	}
}

func TestHistoryIsBounded(t *testing.T) {
	var h history
	for i := range 3 * historyLines {
		h.Add(fmt.Sprint(i))
	}
	if h.Len() != historyLines || h.At(0) != fmt.Sprint(3*historyLines-1) || h.At(h.Len()-1) != fmt.Sprint(2*historyLines) {
		t.Errorf("%d lines from %s to %s", h.Len(), h.At(h.Len()-1), h.At(0))
	}
}

type echo struct {
	Words []string `json:"words"`
}

func (e echo) Print(w io.Writer) { fmt.Fprintln(w, strings.Join(e.Words, "+")) }

func TestRegister(t *testing.T) {
	c := Command{"echo", "word...", "print the words", echo{}, func(c *Call) (Result, error) { return echo{c.Args}, nil }, nil}
	Register(c)
	defer func() { registered.commands = nil }()
	if got := exec(t, System{}, "echo a b -j c; echo d e; help echo"); got != "{\"words\":[\"a\",\"b\",\"c\"]}\nd+e\nusage: echo [-j] word...\nprint the words\n" {
		t.Errorf("printed %q", got)
	}
	for _, bad := range []Command{c, {}, {Name: "a b", Help: "x", Result: echo{}, Run: c.Run}, {Name: "ps", Help: "x", Result: echo{}, Run: c.Run}} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%q was registered", bad.Name)
				}
			}()
			Register(bad)
		}()
	}
}

func TestTableIsCutAtTheScreen(t *testing.T) {
	var b bytes.Buffer
	n := NUMA{}
	for i := range 64 {
		d := Node{ID: i}
		for j := range 64 {
			d.Distances = append(d.Distances, 10+(i*j)%11)
		}
		n.Nodes = append(n.Nodes, d)
	}
	n.Print(&b)
	for l := range strings.Lines(b.String()) {
		if len(l) > columns+1 {
			t.Errorf("%d columns: %s", len(l), l)
		}
	}
}

func TestUnits(t *testing.T) {
	for in, want := range map[size]string{0: "0 B", 1023: "1023 B", 1024: "1.0 KiB", 1 << 29: "512 MiB", 3 << 39: "1.5 TiB", 1<<64 - 1: "16384 PiB"} {
		if in.String() != want {
			t.Errorf("%d: %v, want %s", uint64(in), in, want)
		}
	}
	for want, in := range map[string][]int{"none": nil, "3": {3}, "0-3": {0, 1, 2, 3}, "0,2-3,7": {0, 2, 3, 7}} {
		if got := ranges(in); got != want {
			t.Errorf("%v: %s, want %s", in, got, want)
		}
	}
	for want, in := range map[string][]int{"": nil, "1 1": {1, 1}, "1x3 2": {1, 1, 1, 2}} {
		if got := runs(in); got != want {
			t.Errorf("%v: %s, want %s", in, got, want)
		}
	}
}
