package sim

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"

	build "pdac/kernel/numa/acpi/acpitest"
)

func TestAgendaAgainstSearch(t *testing.T) {
	for seed := range uint64(20) {
		rng := rand.New(rand.NewPCG(seed, 0))
		n := 1 + rng.IntN(40)
		a := newAgenda(n)
		for range 2000 {
			a.set(rng.IntN(n), rng.Uint64N(50))
			cpu, at := a.first()
			if want := slices.Min(a.at); at != want || cpu != slices.Index(a.at, want) {
				t.Fatalf("seed %d: first is CPU %d at %d of %v", seed, cpu, at, a.at)
			}
		}
	}
}

func TestHistogramAgainstSort(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	var h Histogram
	var all []uint64
	for range 10_000 {
		ns := rng.Uint64() >> rng.IntN(64)
		h.add(ns)
		all = append(all, ns)
	}
	slices.Sort(all)
	for _, q := range []float64{0, 0.1, 0.5, 0.9, 0.99, 0.9999} {
		want := all[int(q*float64(len(all)))]
		if got := h.Quantile(q); got < want || got-want > want/31 {
			t.Errorf("quantile %g: %d, expected %d", q, got, want)
		}
	}
	if h.Max() != all[len(all)-1] {
		t.Errorf("longest %d, expected %d", h.Max(), all[len(all)-1])
	}
}

func TestJain(t *testing.T) {
	for _, c := range []struct {
		x    []float64
		want float64
	}{{[]float64{3, 3, 3}, 1}, {[]float64{1, 0, 0, 0}, 0.25}, {nil, 1}, {[]float64{1, 3}, 0.8}} {
		var j jain
		for _, x := range c.x {
			j.add(x)
		}
		if got := j.index(); got != c.want {
			t.Errorf("%v: %g, expected %g", c.x, got, c.want)
		}
	}
}

// TestLineIsHadInTurn: CPUs that want a line at once get it one after the other; one that asks for what it has waits for
// nobody, and one whose trap began earlier doesn't wait for who took the line late in a long trap.
func TestLineIsHadInTurn(t *testing.T) {
	costs := Committed(1)
	m := &Machine{cfg: Config{Costs: costs}, cpus: make([]cpu, 4), now: 1000}
	m.lines = newLines(uniform(t, 4, 2), &costs)
	near, far := costs[NearLine], costs[FarLine]
	var l Line
	for _, c := range []struct {
		cpu         int
		spent, want uint64 // in the trap before, and by it
	}{{0, 0, 0}, {0, 0, 0}, {1, 0, near}, {2, 0, near + far}, {3, 10_000, near}, {0, 0, far}} {
		m.on(c.cpu)
		m.c.cost = c.spent
		m.own(&l)
		if got := m.c.cost - c.spent; got != c.want {
			t.Errorf("CPU %d waits %d ns, expected %d", c.cpu, got, c.want)
		}
	}
}

func TestLineCostsGrowWithDistance(t *testing.T) {
	c := Committed(1)
	last := uint64(0)
	for d := range 256 {
		ns := c.line(uint8(d))
		if ns < last || ns < c[NearLine] {
			t.Errorf("distance %d: %d ns, less than nearer", d, ns)
		}
		last = ns
	}
	if c.line(10) != c[NearLine] || c.line(21) != c[FarLine] {
		t.Errorf("%d and %d ns", c.line(10), c.line(21))
	}
}

// TestTopologyFromTables reads tables as a machine's, whose nodes lie in a row.
func TestTopologyFromTables(t *testing.T) {
	dir := t.TempDir()
	for name, b := range map[string][]byte{
		"APIC": build.MADT(build.LocalAPIC(0, 1), build.LocalAPIC(2, 1), build.LocalAPIC(4, 1), build.LocalAPIC(6, 1)),
		"SRAT": build.SRAT(1, build.CPU(0, 0, 1), build.CPU(2, 1, 1), build.CPU(4, 2, 1), build.CPU(6, 2, 1),
			build.Memory(0, 1<<30, 0, 1), build.Memory(1<<32, 1<<30, 1, 1), build.Memory(1<<33, 1<<30, 2, 1)),
		"SLIT": build.SLIT(3, 10, 16, 22, 16, 10, 16, 22, 16, 10),
	} {
		if err := os.WriteFile(filepath.Join(dir, name+".bin"), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	top, err := FromACPI(dir)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(top.Node, []uint8{0, 1, 2, 2}) || len(top.Distance) != 3 || !slices.Equal(top.Distance[0], []uint8{10, 16, 22}) {
		t.Errorf("%+v", top)
	}
	simulate(t, "server", Config{Topology: top, Costs: Committed(1)}, 0.05)
}

// TestRealMachines runs on the shapes of machines whose tables were captured, where there are any.
func TestRealMachines(t *testing.T) {
	for _, dir := range build.Machines(filepath.Join("..", "..")) {
		t.Run(filepath.Base(dir), func(t *testing.T) {
			top, err := FromACPI(dir)
			if err != nil {
				t.Fatal(err)
			}
			for _, name := range []string{"fork-join", "hot-node"} {
				simulate(t, name, Config{Topology: top, Costs: Committed(1)}, 0.05)
			}
		})
	}
}
