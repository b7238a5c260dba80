package numa

import "pdac/kernel/numa/acpi"

// buildDistances fills Distance from the SLIT, if there is one, and with ACPI's defaults where it does not reach.
func (t *Topology) buildDistances(slit *acpi.SLIT, r *acpi.Report) {
	missing := false
	for i := range t.Nodes[:t.NNodes] {
		for j := range t.Nodes[:t.NNodes] {
			d, known := uint8(acpi.RemoteDistance), false
			if i == j {
				d = acpi.LocalDistance
			}
			if slit != nil {
				from, to := t.Nodes[i].Domain, t.Nodes[j].Domain
				var s uint8
				if s, known = slit.Distance(from, to); known {
					d = s
				} else if !missing {
					missing = true
					r.Add(sigSLIT, acpi.DistanceMissing, 36, uint64(max(from, to)), uint64(slit.N), uint64(d))
				}
			}
			t.Distance[i][j] = d
		}
	}
}

// buildOrders sorts the nodes by distance for each node. Insertion sort: there are at most 64, and it is stable, which
// keeps the rotation that the nodes are inserted in, beginning with the node itself, which no distance is below.
func (t *Topology) buildOrders() {
	n := t.NNodes
	for node := range n {
		near := &t.neighbours[node]
		for k := range n {
			other := uint8((node + k) % n)
			i := k
			for ; i > 0 && t.Distance[node][near[i-1]] > t.Distance[node][other]; i-- {
				near[i] = near[i-1]
			}
			near[i] = other
		}
		i := 0
		for _, other := range near[:n] {
			if t.Nodes[other].Bytes != 0 {
				t.order[node][i] = other
				i++
			}
		}
	}
}

// buildAttributes fills ReadLatency and ReadBandwidth from the HMAT's structures for memory itself. One that measures
// reads is better than one that measures accesses of both kinds, whichever comes first; the others are no answer to how
// far a node is.
func (t *Topology) buildAttributes(hmat *acpi.HMAT) {
	for _, exact := range [2]bool{false, true} {
		for k := range hmat.Localities[:hmat.NLocalities] {
			l := &hmat.Localities[k]
			if l.Hierarchy != 0 || l.Special {
				continue
			}
			switch {
			case l.Type == acpi.AccessLatency && !exact, l.Type == acpi.ReadLatency && exact:
				t.copyLocality(l, &t.ReadLatency)
			case l.Type == acpi.AccessBandwidth && !exact, l.Type == acpi.ReadBandwidth && exact:
				t.copyLocality(l, &t.ReadBandwidth)
			}
		}
	}
}

func (t *Topology) copyLocality(l *acpi.Locality, to *[MaxNodes][MaxNodes]uint32) {
	for i := range l.Initiators {
		from := t.nodeOfDomain(l.Initiator(i))
		if from == unplaced {
			continue
		}
		for j := range l.Targets {
			node := t.nodeOfDomain(l.Target(j))
			if v, ok := l.Value(i, j); ok && node != unplaced && v <= 1<<32-1 {
				to[from][node] = uint32(v)
			}
		}
	}
}
