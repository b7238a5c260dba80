package console

import (
	"fmt"
	"strings"
	"testing"
)

func TestNUMASampling(t *testing.T) {
	var calls []string
	s := machine(&calls)
	rate := 0
	s.SetRate = func(pages int) { rate = pages }
	s.NUMA = func() NUMA {
		return NUMA{Rate: rate, Sampled: 40, Nodes: []Node{{ID: 0, Accesses: []uint64{30, 0}}, {ID: 1, Accesses: []uint64{9, 1}}, {ID: 2, Accesses: []uint64{0, 0}}}}
	}
	const want = "sampling 250 pages a second; 40 were sampled\n" +
		"node  accesses   local  to node 0, 1, ...\n" +
		"   0        30  100.0%  30 0\n" +
		"   1        10   10.0%  9 1\n" +
		"   2         0       -  0 0\n"
	if got := exec(t, s, "numa sample 250"); !strings.HasSuffix(got, want) || rate != 250 {
		t.Errorf("printed %s, rate %d", got, rate)
	}
	for _, bad := range []string{"sample", "sample x", "sample -1", "250", fmt.Sprint("sample ", MaxRate+1)} {
		if got := exec(t, s, "numa "+bad); !strings.Contains(got, "expected nothing, or sample and pages a second from 0 to 2000") || rate != 250 {
			t.Errorf("numa %s printed %s, rate %d", bad, got, rate)
		}
	}
	s.SetRate = nil
	if got := exec(t, s, "numa sample 1"); !strings.Contains(got, errMissing.Error()) {
		t.Errorf("printed %s", got)
	}
}
