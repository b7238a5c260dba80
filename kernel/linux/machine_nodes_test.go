package linux

import (
	"slices"

	"pdac/kernel/numa"
	"pdac/kernel/numa/acpi"
	build "pdac/kernel/numa/acpi/acpitest"
	"pdac/kernel/vm"
)

// The fake machine's nodes: 0 with all CPUs and half of the frames, 1 with nothing but a CPU that is never
// started, 2 with the other half.

const (
	testNodes  = 3
	testMemory = 0b101
	testFrames = 1024
)

var testTopology = func() *numa.Topology {
	const half = testFrames / 2 * vm.PageSize
	var (
		r    acpi.Report
		madt acpi.MADT
		srat acpi.SRAT
		top  numa.Topology
	)
	acpi.ParseMADT(build.MADT(build.LocalAPIC(0, 1), build.LocalAPIC(1, 1)), &madt, &r)
	acpi.ParseSRAT(build.SRAT(3, build.CPU(0, 0, 1), build.CPU(1, 1, 1), build.Memory(0, half, 0, 1), build.Memory(half, half, 2, 1)), &srat, &r)
	top.Build(&madt, &srat, nil, nil, []numa.Range{{Limit: 2 * half}}, 0, &r)
	return &top
}()

func nodeOfFrame(frame uint32) uint8 {
	if frame < testFrames/2 {
		return 0
	}
	return 2
}

// take takes a frame by policy.
func (s *frameStock) take(p numa.Policy, page uint64) (uint32, bool) {
	var buf [numa.MaxNodes]uint8
	for _, node := range testTopology.Place(p, 0, page, &buf) {
		for i := len(s.free) - 1; i >= 0; i-- {
			if f := s.free[i]; nodeOfFrame(f) == node {
				s.free = slices.Delete(s.free, i, i+1)
				return f, true
			}
		}
	}
	return 0, false
}
