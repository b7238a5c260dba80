package numa

import "pdac/kernel/numa/acpi"

// Names of the tables in reports.
var (
	sigMADT = acpi.Signature{'A', 'P', 'I', 'C'}
	sigSRAT = acpi.Signature{'S', 'R', 'A', 'T'}
	sigSLIT = acpi.Signature{'S', 'L', 'I', 'T'}
)

// unplaced marks a CPU or domain that has no node yet.
const unplaced = 0xff

// buildCPUs numbers the CPUs: the boot CPU, then the others in MADT order.
func (t *Topology) buildCPUs(madt *acpi.MADT, bsp uint32, r *acpi.Report) {
	t.addCPU(acpi.Processor{APICID: bsp})
	if madt == nil {
		return
	}
	found := false
	for _, p := range madt.CPUs[:madt.NCPUs] {
		if p.APICID == bsp && !found {
			found = true
			t.CPUs[0].UID = p.UID
			continue
		}
		if t.NCPUs == MaxCPUs { // the table is full and the boot CPU is not in it
			r.Add(sigMADT, acpi.TooManyCPUs, 0, uint64(p.APICID), MaxCPUs)
			break
		}
		if !t.addCPU(p) {
			r.Add(sigMADT, acpi.CPUDuplicate, 0, uint64(p.APICID))
		}
	}
	if !found {
		r.Add(sigMADT, acpi.BSPMissing, 0, uint64(bsp))
	}
}

// addCPU appends a CPU, unless its APIC ID is there. Preconditions: there is room.
func (t *Topology) addCPU(p acpi.Processor) bool {
	i := t.searchAPICID(p.APICID)
	if i < t.NCPUs && t.CPUs[t.byAPICID[i]].APICID == p.APICID {
		return false
	}
	copy(t.byAPICID[i+1:t.NCPUs+1], t.byAPICID[i:t.NCPUs])
	t.byAPICID[i] = uint16(t.NCPUs)
	t.CPUs[t.NCPUs] = CPU{APICID: p.APICID, UID: p.UID, Node: unplaced}
	t.NCPUs++
	return true
}

// searchAPICID returns the first position in byAPICID whose APIC ID is not below id.
func (t *Topology) searchAPICID(id uint32) int {
	lo, hi := 0, t.NCPUs
	for lo < hi {
		if m := int(uint(lo+hi) >> 1); t.CPUs[t.byAPICID[m]].APICID < id {
			lo = m + 1
		} else {
			hi = m
		}
	}
	return lo
}

// placeCPUs gives each CPU its node. Preconditions: the nodes are numbered.
func (t *Topology) placeCPUs(srat *acpi.SRAT, r *acpi.Report) {
	if srat != nil {
		for _, a := range srat.CPUs[:srat.NCPUs] {
			i, ok := t.CPUOf(a.APICID)
			if !ok {
				continue // in the SRAT as a place for a CPU, but not enabled in the MADT
			}
			c, node := &t.CPUs[i], t.nodeOfDomain(a.Domain)
			if node == unplaced {
				node = 0 // of a domain beyond MaxNodes
			}
			if c.Node != unplaced && c.Node != node {
				r.Add(sigSRAT, acpi.CPUTwoDomains, 0, uint64(a.APICID), uint64(t.Nodes[c.Node].Domain), uint64(a.Domain))
				continue
			}
			c.Node = node
		}
	}
	missing, first := uint64(0), uint32(0)
	for i := range t.CPUs[:t.NCPUs] {
		c := &t.CPUs[i]
		if c.Node == unplaced {
			if missing == 0 {
				first = c.APICID
			}
			missing++
			c.Node = 0
		}
		t.Nodes[c.Node].CPUs++
	}
	if missing != 0 && srat != nil {
		r.Add(sigSRAT, acpi.CPUNoDomain, 0, missing, uint64(first))
	}
}
