package vm

import (
	"pdac/kernel/numa"
	"pdac/kernel/numa/acpi"
	build "pdac/kernel/numa/acpi/acpitest"
)

// The nodes of the machine that tests run on.

// topology has nodes at distances that differ.
func topology(ncpu, nodes, frames int) *numa.Topology {
	var affinity [][]byte
	size := uint64(frames) * PageSize / uint64(nodes)
	distances := make([]byte, 0, nodes*nodes)
	for n := range nodes {
		affinity = append(affinity, build.Memory(uint64(n)*size, size, uint32(n), 1))
		for m := range nodes {
			distances = append(distances, 10+10*byte(max(n-m, m-n)))
		}
	}
	var (
		r    acpi.Report
		srat acpi.SRAT
		slit acpi.SLIT
		top  numa.Topology
	)
	acpi.ParseSRAT(build.SRAT(3, affinity...), &srat, &r)
	acpi.ParseSLIT(build.SLIT(nodes, distances...), &slit, &r)
	top.Build(nil, &srat, &slit, nil, []numa.Range{{Limit: size * uint64(nodes)}}, 0, &r)
	return &top
}

func (s *sim) nodeOf(frame uint32) uint8 {
	n, ok := s.top.NodeOf(uint64(frame) * PageSize)
	if !ok {
		s.tb.Errorf("frame %#x has no node", frame)
	}
	return n
}

func (s *sim) spare(cpu int, p numa.Policy, page uint64) (uint32, bool) {
	var buf [numa.MaxNodes]uint8
	return s.allocIn(s.top.Place(p, cpu%s.top.NNodes, page, &buf)[:1], false)
}

func (s *sim) alloc(cpu int, p numa.Policy, page uint64, huge bool) (uint32, bool) {
	var buf [numa.MaxNodes]uint8
	return s.allocIn(s.top.Place(p, cpu%s.top.NNodes, page, &buf), huge)
}
