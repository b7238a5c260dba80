package numa

import "pdac/kernel/numa/acpi"

// rangeSet is ascending, disjoint ranges, neighbours of one node joined.
type rangeSet struct {
	n      int
	ranges [MaxRanges]Range
}

// search returns the first range that ends after pa, or n.
func (s *rangeSet) search(pa uint64) int {
	lo, hi := 0, s.n
	for lo < hi {
		if m := int(uint(lo+hi) >> 1); s.ranges[m].Limit <= pa {
			lo = m + 1
		} else {
			hi = m
		}
	}
	return lo
}

// add puts in what of g no earlier range covers. alone is false where a range of another node covered some of it, fits
// where the set is full and some of it was dropped.
func (s *rangeSet) add(g Range) (alone, fits bool) {
	alone = true
	for i := s.search(g.Base); g.Base < g.Limit; i++ {
		piece := g
		if i < s.n {
			next := &s.ranges[i]
			if next.Base <= g.Base { // covered up to there
				alone = alone && next.Node == g.Node
				g.Base = next.Limit
				continue
			}
			piece.Limit = min(g.Limit, next.Base)
		}
		below := i > 0 && s.ranges[i-1].Limit == piece.Base && s.ranges[i-1].Node == piece.Node
		above := i < s.n && s.ranges[i].Base == piece.Limit && s.ranges[i].Node == piece.Node
		switch {
		case below && above:
			s.ranges[i-1].Limit = s.ranges[i].Limit
			copy(s.ranges[i:s.n-1], s.ranges[i+1:s.n])
			s.n--
			i--
		case below:
			s.ranges[i-1].Limit = piece.Limit
			i--
		case above:
			s.ranges[i].Base = piece.Base
		case s.n == len(s.ranges):
			return alone, false
		default:
			copy(s.ranges[i+1:s.n+1], s.ranges[i:s.n])
			s.ranges[i] = piece
			s.n++
		}
		// Now range i ends at or after piece.Limit, and i+1 is above it.
		g.Base = max(piece.Limit, s.ranges[i].Limit)
	}
	return alone, true
}

// buildRanges gives RAM its nodes: it cuts the memory map at the borders of the SRAT's ranges.
//
// Overlapping ranges: the earlier entry has the address, and one that may be plugged in later yields to every one that is
// there. RAM that no range covers goes to the node of the range below it (below all ranges: of the lowest). Memory
// controllers decode ascending windows, so that a hole is most likely the rest of the window under it, which firmware
// rounded or left out; node 0 would be right only by chance.
func (t *Topology) buildRanges(srat *acpi.SRAT, ram []Range, r *acpi.Report) {
	a := &t.affinity
	if srat != nil {
		t.addAffinity(srat, false, r)
		t.addAffinity(srat, true, r)
	}
	var bare, first uint64 // bytes of RAM outside all ranges, and where they begin
	var lost uint64
	for _, g := range ram {
		for i := a.search(g.Base); g.Base < g.Limit; {
			piece := Range{Base: g.Base, Limit: g.Limit}
			switch {
			case a.n == 0:
			case i < a.n && a.ranges[i].Base <= g.Base:
				piece.Node, piece.Limit = a.ranges[i].Node, min(g.Limit, a.ranges[i].Limit)
				i++
			default:
				piece.Node = a.ranges[max(i, 1)-1].Node
				if i < a.n {
					piece.Limit = min(g.Limit, a.ranges[i].Base)
				}
				if bare == 0 {
					first = piece.Base
				}
				bare += piece.Limit - piece.Base
			}
			if _, fits := t.ram.add(piece); !fits {
				lost += piece.Limit - piece.Base
			}
			g.Base = piece.Limit
		}
	}
	if bare != 0 {
		r.Add(sigSRAT, acpi.RAMUncovered, 0, bare, first)
	}
	if lost != 0 {
		r.Add(sigSRAT, acpi.RAMLost, 0, lost, MaxRanges)
	}
}

// addAffinity takes in the SRAT's ranges that are, or are not, hot-pluggable. Those of domains that have no node have no RAM
// either, or are beyond MaxNodes.
func (t *Topology) addAffinity(srat *acpi.SRAT, hotplug bool, r *acpi.Report) {
	for i := range srat.Memory[:srat.NMemory] {
		m := &srat.Memory[i]
		node := t.nodeOfDomain(m.Domain)
		if m.Hotplug != hotplug || node == unplaced {
			continue
		}
		alone, _ := t.affinity.add(Range{Base: m.Base, Limit: m.Limit, Node: node})
		if !alone && !hotplug {
			r.Add(sigSRAT, acpi.RangeOverlap, 0, m.Base, m.Limit, uint64(m.Domain))
		}
	}
}
