package numa

import (
	"os"
	"path/filepath"
	"testing"

	"pdac/kernel/numa/acpi"
	build "pdac/kernel/numa/acpi/acpitest"
)

// FuzzBuild builds from tables that hold anything, and checks what the kernel relies on whatever they hold.
func FuzzBuild(f *testing.F) {
	dirs, _ := filepath.Glob(filepath.Join(repository, "test", "testdata", "acpi", "*"))
	for _, dir := range dirs {
		var tables [4][]byte
		for i, name := range []string{"APIC", "SRAT", "SLIT", "HMAT"} {
			if files, _ := filepath.Glob(filepath.Join(dir, "*-"+name+".bin")); len(files) == 1 {
				tables[i], _ = os.ReadFile(files[0])
			}
		}
		f.Add(tables[0], tables[1], tables[2], tables[3], uint64(gib), uint32(0))
	}
	f.Add(build.MADT(build.X2APIC(70000, 1)), build.SRAT(3, build.X2CPU(70000, 1<<31, 1)), build.SLIT(1, 10), []byte(nil), uint64(1), uint32(9))
	f.Fuzz(func(t *testing.T, madt, srat, slit, hmat []byte, border uint64, bsp uint32) {
		var (
			r   acpi.Report
			top Topology
			m   acpi.MADT
			s   acpi.SRAT
			d   acpi.SLIT
			h   acpi.HMAT
		)
		pm, ps, pd, ph := &m, &s, &d, &h
		if !acpi.ParseMADT(madt, pm, &r) {
			pm = nil
		}
		if !acpi.ParseSRAT(srat, ps, &r) {
			ps = nil
		}
		if !acpi.ParseSLIT(slit, pd, &r) {
			pd = nil
		}
		if !acpi.ParseHMAT(hmat, ph, &r) {
			ph = nil
		}
		ram := []Range{{Base: border, Limit: ^uint64(0)}, {Base: 0, Limit: border / 2}}
		top.Build(pm, ps, pd, ph, ram, bsp, &r)

		if top.NNodes < 1 || top.NNodes > MaxNodes || top.NCPUs < 1 || top.NCPUs > MaxCPUs || top.CPUs[0].APICID != bsp {
			t.Fatalf("%d nodes, %d CPUs, boot CPU %+v", top.NNodes, top.NCPUs, top.CPUs[0])
		}
		cpus, bytes := 0, uint64(0)
		for n := range top.NNodes {
			cpus += top.Nodes[n].CPUs
			bytes += top.Nodes[n].Bytes
			seen := [MaxNodes]bool{}
			near := top.Neighbours(n)
			for i, o := range near {
				if int(o) >= top.NNodes || seen[o] || i == 0 && int(o) != n || i > 1 && top.Distance[n][near[i-1]] > top.Distance[n][o] {
					t.Fatalf("neighbours of %d: %v, distances %v", n, near, top.Distance[n][:top.NNodes])
				}
				seen[o] = true
			}
			if len(near) != top.NNodes || len(top.Order(n)) == 0 && bytes != 0 {
				t.Fatalf("node %d: neighbours %v, order %v", n, near, top.Order(n))
			}
			if n > 0 && top.Nodes[n-1].Domain >= top.Nodes[n].Domain {
				t.Fatalf("domains %d and %d out of order", top.Nodes[n-1].Domain, top.Nodes[n].Domain)
			}
		}
		if cpus != top.NCPUs || bytes != ^uint64(0)-border+border/2 {
			t.Fatalf("%d of %d CPUs, %d bytes of %d", cpus, top.NCPUs, bytes, ^uint64(0)-border+border/2)
		}
		for i := range top.NCPUs {
			if c := top.CPUs[i]; int(c.Node) >= top.NNodes {
				t.Fatalf("CPU %d %+v of %d nodes", i, c, top.NNodes)
			} else if cpu, ok := top.CPUOf(c.APICID); !ok || cpu != i {
				t.Fatalf("APIC ID %d is CPU %d %v, expected %d", c.APICID, cpu, ok, i)
			}
		}
		for i, g := range top.RAM() {
			if g.Base >= g.Limit || int(g.Node) >= top.NNodes || i > 0 && top.RAM()[i-1].Limit > g.Base {
				t.Fatalf("RAM %x", top.RAM())
			}
		}
	})
}
