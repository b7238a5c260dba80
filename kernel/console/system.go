package console

import "io"

// System is the machine as the console sees it. A nil function makes its command say that it isn't available. All may be called
// from any goroutine.
type System struct {
	Version  func() Version
	CPUs     func() CPUs
	Memory   func() Memory // without Heap, which the console fills in
	NUMA     func() NUMA
	SetRate  func(pages int) // of sampling, a second: 0 to MaxRate
	IRQs     func() IRQs
	Tasks    func() Tasks
	Syscalls func() Syscalls
	Faults   func() Faults
	// Caps calls its argument for each active capability, parents before children, and returns the counts. RevokeCap revokes the
	// capability of a generation in a slot, and all derived from it.
	Caps        func(func(Capability)) Caps
	RevokeCap   func(slot uint32, generation uint64) error
	RCU         func() RCU
	IPC         func() IPC
	DAG         func() DAG
	Sched       func() Sched
	SetPolicy   func(class, policy string) error
	SetStrategy func(strategy string) error
	// Trace returns the last n events of each CPU, and whether events are kept. SetTracing begins or ends that; false: it can't.
	Trace      func(n int) ([]SchedEvent, bool)
	SetTracing func(on bool) bool
	// Run runs the workload. What it has to say on its way goes to progress.
	Run func(progress io.Writer) (Workload, error)
	// PowerOff powers off with an exit code from 0 to 255, Reboot restarts; neither returns if it works.
	PowerOff func(code int)
	Reboot   func()
	Crash    func() // by a panic of the kernel; doesn't return either
}

// Version is what was booted.
type Version struct {
	Version  string `json:"version"`   // of PDAC
	Go       string `json:"go"`        // of the toolchain
	Board    string `json:"board"`     // board package
	Cmdline  string `json:"cmdline"`   // of the kernel
	UptimeNS uint64 `json:"uptime_ns"` // since boot
}

// CPUs is all CPUs that the firmware lists.
type CPUs struct {
	Model string `json:"model"`
	TSCHz uint64 `json:"tsc_hz"`
	CPUs  []CPU  `json:"cpus"`
}

// CPU is one of them. Counters are since boot.
type CPU struct {
	ID       int    `json:"id"`
	APICID   uint32 `json:"apic_id"`
	Node     int    `json:"node"`
	Online   bool   `json:"online"`
	BusyNS   uint64 `json:"busy_ns"`  // in tasks and the kernel
	IdleNS   uint64 `json:"idle_ns"`  // halted
	Switches uint64 `json:"switches"` // from one task to another
	Task     uint32 `json:"task"`     // that it runs, 0 if none
	Ready    int    `json:"ready"`    // tasks in its run queue
}

// Memory is where memory is. Counters are since boot.
type Memory struct {
	TotalBytes  uint64       `json:"total_bytes"`
	FreeBytes   uint64       `json:"free_bytes"`
	ImageBytes  uint64       `json:"image_bytes"`  // never free: the image, its files, the firmware's data
	KernelBytes uint64       `json:"kernel_bytes"` // the kernel's arrays and stacks, and the program's large variables in use
	TableBytes  uint64       `json:"table_bytes"`  // page tables
	Nodes       []NodeMemory `json:"nodes"`
	Areas       uint64       `json:"areas"`      // mapped address ranges
	Faults4K    uint64       `json:"faults_4k"`  // page faults that mapped 4 KiB
	Faults2M    uint64       `json:"faults_2m"`  // page faults that mapped 2 MiB
	Shootdowns  uint64       `json:"shootdowns"` // TLB shootdowns, each of any number of pages
	Heap        Heap         `json:"heap"`
}

// NodeMemory is the memory of one node.
type NodeMemory struct {
	ID           int    `json:"id"`
	TotalBytes   uint64 `json:"total_bytes"`
	FreeBytes    uint64 `json:"free_bytes"`
	Free2M       uint64 `json:"free_2m"`       // whole free 2 MiB blocks
	LocalAllocs  uint64 `json:"local_allocs"`  // by CPUs of the node
	RemoteAllocs uint64 `json:"remote_allocs"` // by CPUs of other nodes
}

// Heap is the Go runtime's memory.
type Heap struct {
	LiveBytes     uint64 `json:"live_bytes"` // in objects, garbage not yet found included
	Objects       uint64 `json:"objects"`
	GoalBytes     uint64 `json:"goal_bytes"`     // at which the next collection ends
	RuntimeBytes  uint64 `json:"runtime_bytes"`  // all that the runtime has mapped and not given back
	ReleasedBytes uint64 `json:"released_bytes"` // given back
	Cycles        uint64 `json:"cycles"`         // collections
	Goroutines    uint64 `json:"goroutines"`
}

// NUMA is the topology, and whose memory the CPUs of each node were seen to use.
type NUMA struct {
	Nodes   []Node `json:"nodes"`
	Rate    int    `json:"sample_rate"` // pages a second that are sampled, 0: none
	Sampled uint64 `json:"sampled"`     // pages that were
}

// Node is a NUMA node. Distances are ACPI's: 10 is the node itself.
type Node struct {
	ID         int    `json:"id"`
	Domain     uint32 `json:"domain"` // ACPI's proximity domain
	CPUs       []int  `json:"cpus"`
	TotalBytes uint64 `json:"total_bytes"`
	FreeBytes  uint64 `json:"free_bytes"`
	Distances  []int  `json:"distances"` // to node 0, 1, ...

	Accesses []uint64 `json:"accesses"` // sampled ones by the node's CPUs, to node 0, 1, ...
}

// IRQs is all vectors that were ever taken.
type IRQs struct {
	Vectors []Vector `json:"vectors"`
}

// Vector is an interrupt or exception vector.
type Vector struct {
	Vector int      `json:"vector"`
	Name   string   `json:"name"`
	Total  uint64   `json:"total"`
	CPUs   []uint64 `json:"cpus"` // counts by CPU
}

// Tasks is all live tasks.
type Tasks struct {
	Tasks []Task `json:"tasks"`
}

// Task is a kernel thread. Times are since its creation.
type Task struct {
	ID       uint32 `json:"id"`
	Name     string `json:"name"`
	State    string `json:"state"` // new, ready, running, blocked, dead
	CPU      int    `json:"cpu"`   // where it runs or ran last
	Node     int    `json:"node"`  // of that CPU
	CPUNS    uint64 `json:"cpu_ns"`
	WaitNS   uint64 `json:"wait_ns"` // ready, but not running
	Switches uint64 `json:"switches"`
}

// Faults is the last synchronous fault of each task that had one: nil dereferences that were recovered are among them.
type Faults struct {
	Faults []Fault `json:"faults"`
}

// Fault is a fault of a program.
type Fault struct {
	Task        uint32 `json:"task"`
	Vector      int    `json:"vector"`
	Name        string `json:"name"`    // of the vector
	Code        uint64 `json:"code"`    // the CPU's error code
	Address     uint64 `json:"address"` // that was accessed, for a page fault
	RIP         uint64 `json:"rip"`
	Func        string `json:"func"` // that RIP is in
	File        string `json:"file"`
	Line        int    `json:"line"`
	Instruction string `json:"instruction"` // at RIP, in Go's assembly syntax, or its first 15 bytes
}

// Syscalls is all system calls that were ever made.
type Syscalls struct {
	Syscalls []Syscall `json:"syscalls"`
}

// Syscall is a system call's count since boot.
type Syscall struct {
	Number int    `json:"number"`
	Name   string `json:"name"`  // empty if it has none here
	Known  bool   `json:"known"` // false: answered with ENOSYS
	Count  uint64 `json:"count"`

	Refused uint64 `json:"refused"` // of these, because of the caller's space
}

// Workload is what came out of a run of the workload.
type Workload struct {
	OK     bool           `json:"ok"` // the results are those computed on the host
	Bytes  uint64         `json:"bytes"`
	WallNS uint64         `json:"wall_ns"`
	CPUs   []WorkloadCPU  `json:"cpus"`
	Nodes  []WorkloadNode `json:"nodes"`
}

// WorkloadCPU is a CPU's share.
type WorkloadCPU struct {
	ID     int    `json:"id"`
	Node   int    `json:"node"`
	Files  int    `json:"files"`
	Bytes  uint64 `json:"bytes"`
	BusyNS uint64 `json:"busy_ns"`
}

// WorkloadNode is where the pages came from that the run touched first.
type WorkloadNode struct {
	ID          int    `json:"id"`
	LocalBytes  uint64 `json:"local_bytes"`  // for CPUs of the node
	RemoteBytes uint64 `json:"remote_bytes"` // for CPUs of other nodes
}
