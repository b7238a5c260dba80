package console

import (
	"fmt"
	"io"
	"strconv"
)

// The locality of accesses, as samples tell it.

// MaxRate is the most pages that are sampled in a second.
const MaxRate = 2000

func runNUMA(c *Call) (Result, error) {
	if c.Sys.NUMA == nil {
		return nil, errMissing
	}
	if len(c.Args) != 0 {
		if c.Sys.SetRate == nil {
			return nil, errMissing
		}
		rate, err := 0, error(nil)
		if len(c.Args) == 2 && c.Args[0] == "sample" {
			rate, err = strconv.Atoi(c.Args[1])
		}
		if len(c.Args) != 2 || c.Args[0] != "sample" || err != nil || rate < 0 || rate > MaxRate {
			return nil, fmt.Errorf("expected nothing, or sample and pages a second from 0 to %d", MaxRate)
		}
		c.Sys.SetRate(rate)
	}
	return c.Sys.NUMA(), nil
}

// printAccesses says for each node how many of the accesses that its CPUs were seen to make went to its own
// memory.
func (n NUMA) printAccesses(w io.Writer) {
	fmt.Fprintf(w, "sampling %d pages a second; %d were sampled\n", n.Rate, n.Sampled)
	var t table
	t.row("node", "accesses", "local", "to node 0, 1, ...")
	for _, d := range n.Nodes {
		all, local := uint64(0), uint64(0)
		for to, k := range d.Accesses {
			all += k
			if to == d.ID {
				local = k
			}
		}
		share := "-"
		if all != 0 {
			share = fmt.Sprintf("%.1f%%", 100*float64(local)/float64(all))
		}
		t.row(d.ID, all, share, runs(d.Accesses))
	}
	t.print(w)
}
