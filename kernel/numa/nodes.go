package numa

import "pdac/kernel/numa/acpi"

// buildNodes numbers the domains that have an enabled CPU or RAM.
func (t *Topology) buildNodes(srat *acpi.SRAT, ram []Range, r *acpi.Report) {
	if srat != nil {
		for _, a := range srat.CPUs[:srat.NCPUs] {
			if _, ok := t.CPUOf(a.APICID); ok {
				t.addDomain(a.Domain, r)
			}
		}
		for i := range srat.Memory[:srat.NMemory] {
			if m := &srat.Memory[i]; intersects(ram, m.Base, m.Limit) {
				t.addDomain(m.Domain, r)
			}
		}
	}
	if t.NNodes == 0 {
		t.NNodes = 1
	}
}

// addDomain inserts a domain in ascending order, unless it is there. The first MaxNodes domains named are kept.
func (t *Topology) addDomain(domain uint32, r *acpi.Report) {
	i := t.searchDomain(domain)
	if i < t.NNodes && t.Nodes[i].Domain == domain {
		return
	}
	if t.NNodes == MaxNodes {
		r.Add(sigSRAT, acpi.TooManyNodes, 0, uint64(domain), MaxNodes)
		return
	}
	copy(t.Nodes[i+1:t.NNodes+1], t.Nodes[i:t.NNodes])
	t.Nodes[i] = Node{Domain: domain}
	t.NNodes++
}

// searchDomain returns the first node whose domain is not below domain.
func (t *Topology) searchDomain(domain uint32) int {
	lo, hi := 0, t.NNodes
	for lo < hi {
		if m := int(uint(lo+hi) >> 1); t.Nodes[m].Domain < domain {
			lo = m + 1
		} else {
			hi = m
		}
	}
	return lo
}

// nodeOfDomain returns a domain's node, or unplaced.
func (t *Topology) nodeOfDomain(domain uint32) uint8 {
	i := t.searchDomain(domain)
	if i == t.NNodes || t.Nodes[i].Domain != domain {
		return unplaced
	}
	return uint8(i)
}

func intersects(ram []Range, base, limit uint64) bool {
	for i := range ram {
		if ram[i].Base < limit && base < ram[i].Limit {
			return true
		}
	}
	return false
}
