package boot

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// cpuReport and numaReport are the console's "cpu -j" and "numa -j".
type cpuReport struct {
	CPUs []struct {
		ID     int
		APICID int `json:"apic_id"`
		Node   int
		Online bool
	}
}

type numaReport struct {
	Nodes []struct {
		ID         int
		Domain     int
		CPUs       []int
		TotalBytes int64 `json:"total_bytes"`
		FreeBytes  int64 `json:"free_bytes"`
		Distances  []int
	}
}

const mib = 1 << 20

// A machine and what the kernel must find in it.
type machine struct {
	Options
	cpus      [][]int // of each node
	mib       []int   // of each node
	distances [][]int // nil: 10 and 20
}

// even is a machine whose CPUs and memory run-qemu.sh shares out.
func even(cpus, nodes, mem int) machine {
	m := machine{Options: Options{CPUs: cpus, Nodes: nodes, Mem: fmt.Sprintf("%dM", mem)}}
	for i := range nodes {
		var of []int
		for c := cpus * i / nodes; c < cpus*(i+1)/nodes; c++ {
			of = append(of, c)
		}
		m.cpus = append(m.cpus, of)
		m.mib = append(m.mib, mem*(i+1)/nodes-mem*i/nodes)
	}
	return m
}

func (m machine) with(change func(o *Options)) machine {
	change(&m.Options)
	return m
}

func TestCPUs(t *testing.T) {
	Need(t)
	for _, n := range []int{1, 2, 4, 5, 16, 64} {
		t.Run(fmt.Sprint(n), func(t *testing.T) { even(n, min(n, 2), 1024).check(t) })
	}
}

func TestNodes(t *testing.T) {
	Need(t)
	for _, n := range []int{1, 2, 3, 8} {
		t.Run(fmt.Sprint(n), func(t *testing.T) { even(8, n, 1024).check(t) })
	}
	t.Run("APIC IDs with gaps", func(t *testing.T) { even(6, 2, 1024).check(t) })
	t.Run("more nodes than CPUs", func(t *testing.T) { even(2, 3, 512).check(t) })
}

func TestMemory(t *testing.T) {
	Need(t)
	for _, mib := range []int{32, 64, 128, 512, 3072, 4096, 8192} {
		t.Run(fmt.Sprintf("%dM", mib), func(t *testing.T) { even(2, 2, mib).check(t) })
	}
	// One node on both sides of the hole below 4 GiB, the other above it only.
	t.Run("node around the hole", func(t *testing.T) {
		m := machine{Options: Options{CPUs: 2, Nodes: NoNodes, Mem: "4096M", Raw: []string{
			"-object", "memory-backend-ram,id=r0,size=3584M", "-object", "memory-backend-ram,id=r1,size=512M",
			"-numa", "node,nodeid=0,memdev=r0,cpus=0", "-numa", "node,nodeid=1,memdev=r1,cpus=1",
		}}, cpus: [][]int{{0}, {1}}, mib: []int{3584, 512}}
		m.check(t)
	})
}

func TestMachines(t *testing.T) {
	Need(t)
	for _, kind := range []string{"q35", "pc"} {
		for _, cpu := range []string{"max", "qemu64"} {
			t.Run(kind+"/"+cpu, func(t *testing.T) {
				even(4, 2, 1024).with(func(o *Options) { o.Machine, o.CPU = kind, cpu }).check(t)
			})
		}
	}
}

// Without ACPI there is one CPU and one node, and the power goes off by QEMU's exit device.
func TestNoACPI(t *testing.T) {
	Need(t)
	for _, code := range []int{0, 7} {
		r := Boot(t, Options{CPUs: 1, Nodes: NoNodes, Mem: "256M", Machine: "pc", Raw: []string{"-no-acpi"},
			Exec: fmt.Sprint("numa -j; poweroff ", code), Timeout: time.Minute})
		r.Want(t, code)
		var numa numaReport
		if r.JSON(t, "nodes", &numa); len(numa.Nodes) != 1 {
			t.Errorf("%d nodes, want 1", len(numa.Nodes))
		}
	}
}

// Topologies that firmware really reports, and QEMU can.
func TestOddTopologies(t *testing.T) {
	Need(t)
	ram := func(sizes ...int) (raw []string) {
		for i, size := range sizes {
			raw = append(raw, "-object", fmt.Sprintf("memory-backend-ram,id=r%d,size=%dM", i, size))
		}
		return raw
	}
	numa := func(args string) (raw []string) {
		for _, a := range strings.Fields(args) {
			raw = append(raw, "-numa", a)
		}
		return raw
	}
	own := func(raw ...[]string) Options {
		return Options{CPUs: 4, Nodes: NoNodes, Mem: "1024M", Raw: slices.Concat(raw...)}
	}
	for name, m := range map[string]machine{
		"no SRAT": {Options: own(), cpus: [][]int{{0, 1, 2, 3}}, mib: []int{1024}},
		"node without memory": {
			Options: own(ram(512, 512), numa("node,nodeid=0,memdev=r0,cpus=0-1 node,nodeid=1,cpus=2 node,nodeid=2,memdev=r1,cpus=3")),
			cpus:    [][]int{{0, 1}, {2}, {3}}, mib: []int{512, 0, 512},
		},
		"boot CPU's node without memory": {
			Options: own(ram(1024), numa("node,nodeid=0,cpus=0-1 node,nodeid=1,memdev=r0,cpus=2-3")),
			cpus:    [][]int{{0, 1}, {2, 3}}, mib: []int{0, 1024},
		},
		"node without CPUs": {
			Options: own(ram(256, 768), numa("node,nodeid=0,memdev=r0,cpus=0-3 node,nodeid=1,memdev=r1")),
			cpus:    [][]int{{0, 1, 2, 3}, {}}, mib: []int{256, 768},
		},
		"interleaved CPUs": {
			Options: own(ram(512, 512), numa("node,nodeid=0,memdev=r0,cpus=0,cpus=2 node,nodeid=1,memdev=r1,cpus=1,cpus=3")),
			cpus:    [][]int{{0, 2}, {1, 3}}, mib: []int{512, 512},
		},
		"asymmetric distances": {
			Options: own(ram(512, 512), numa("node,nodeid=0,memdev=r0,cpus=0-1 node,nodeid=1,memdev=r1,cpus=2-3 dist,src=0,dst=1,val=17 dist,src=1,dst=0,val=28")),
			cpus:    [][]int{{0, 1}, {2, 3}}, mib: []int{512, 512}, distances: [][]int{{10, 17}, {28, 10}},
		},
		"no way between nodes": {
			Options: own(ram(512, 512), numa("node,nodeid=0,memdev=r0,cpus=0-1 node,nodeid=1,memdev=r1,cpus=2-3 dist,src=0,dst=1,val=255")),
			cpus:    [][]int{{0, 1}, {2, 3}}, mib: []int{512, 512}, distances: [][]int{{10, 255}, {255, 10}},
		},
		"SRAT without SLIT": {
			Options: own(ram(512, 512), numa("node,nodeid=0,memdev=r0,cpus=0-1 node,nodeid=1,memdev=r1,cpus=2-3")),
			cpus:    [][]int{{0, 1}, {2, 3}}, mib: []int{512, 512},
		},
		"HMAT": {
			Options: own([]string{"-machine", "hmat=on"}, ram(512, 512), numa(`node,nodeid=0,memdev=r0,cpus=0-3,initiator=0 node,nodeid=1,memdev=r1,initiator=0
				hmat-lb,initiator=0,target=0,hierarchy=memory,data-type=access-latency,latency=10
				hmat-lb,initiator=0,target=0,hierarchy=memory,data-type=access-bandwidth,bandwidth=20G
				hmat-lb,initiator=0,target=1,hierarchy=memory,data-type=access-latency,latency=40
				hmat-lb,initiator=0,target=1,hierarchy=memory,data-type=access-bandwidth,bandwidth=5G`)),
			cpus: [][]int{{0, 1, 2, 3}, {}}, mib: []int{512, 512},
		},
		"memory to plug in": {
			Options: func() Options {
				o := own(ram(512, 512), numa("node,nodeid=0,memdev=r0,cpus=0-1 node,nodeid=1,memdev=r1,cpus=2-3"))
				o.Raw = append(o.Raw, "-m", "1024M,slots=4,maxmem=16G")
				return o
			}(),
			cpus: [][]int{{0, 1}, {2, 3}}, mib: []int{512, 512},
		},
		"CPUs to plug in": {
			Options: func() Options {
				o := own(ram(512, 512), numa("node,nodeid=0,memdev=r0,cpus=0-3 node,nodeid=1,memdev=r1,cpus=4-7"))
				o.Raw = append(o.Raw, "-smp", "4,maxcpus=8")
				return o
			}(),
			cpus: [][]int{{0, 1, 2, 3}, {}}, mib: []int{512, 512},
		},
	} {
		t.Run(name, m.check)
	}
}

// check boots the machine and compares what the console reports. The machines of one test boot side by side, as many as the host has CPUs:
// a boot keeps one of them busy.
func (m machine) check(t *testing.T) {
	t.Parallel()
	m.Exec = "cpu -j; numa -j; poweroff"
	r := Boot(t, m.Options)
	r.Want(t, 0)
	if t.Failed() {
		return
	}
	var cpus cpuReport
	var numa numaReport
	r.JSON(t, "cpus", &cpus)
	r.JSON(t, "nodes", &numa)

	if len(cpus.CPUs) != m.CPUs {
		t.Errorf("%d CPUs, want %d", len(cpus.CPUs), m.CPUs)
	}
	apicIDs := make(map[int]bool)
	for i, c := range cpus.CPUs {
		if c.ID != i || !c.Online || apicIDs[c.APICID] {
			t.Errorf("CPU %d: %+v; want that number, online, an APIC ID of its own", i, c)
		}
		apicIDs[c.APICID] = true
		if c.Node >= len(m.cpus) || !slices.Contains(m.cpus[c.Node], c.ID) {
			t.Errorf("CPU %d is in node %d, want %v", c.ID, c.Node, m.cpus)
		}
	}

	if len(numa.Nodes) != len(m.cpus) {
		t.Fatalf("%d nodes, want %d", len(numa.Nodes), len(m.cpus))
	}
	for i, n := range numa.Nodes {
		if n.ID != i || !slices.Equal(n.CPUs, m.cpus[i]) {
			t.Errorf("node %d has ID %d and CPUs %v, want CPUs %v", i, n.ID, n.CPUs, m.cpus[i])
		}
		// The firmware keeps some.
		most := int64(m.mib[i]) * mib
		least := max(0, most-2*mib)
		if n.TotalBytes > most || n.TotalBytes < least || n.FreeBytes < 0 || n.FreeBytes > n.TotalBytes {
			t.Errorf("node %d: %d bytes free of %d, want a total from %d to %d", i, n.FreeBytes, n.TotalBytes, least, most)
		}
		for j, d := range n.Distances {
			want := 20
			if i == j {
				want = 10
			}
			if m.distances != nil {
				want = m.distances[i][j]
			}
			if d != want {
				t.Errorf("distance from node %d to %d is %d, want %d", i, j, d, want)
			}
		}
		if len(n.Distances) != len(m.cpus) {
			t.Errorf("node %d has distances %v to %d nodes", i, n.Distances, len(m.cpus))
		}
	}
}
