package cap

import "testing"

// A CPU takes what it gave, then what others of its node have, then new memory, then what other nodes have.
func TestSlotsNearFirst(t *testing.T) {
	table := newTable(t, 2*chunk) // CPUs 0 and 1 are on node 0, 2 and 3 on node 1
	take := func(cpu int) uint32 {
		t.Helper()
		slot, ok := table.take(cpu)
		if !ok {
			t.Fatal("no slot")
		}
		return slot
	}
	a, b := take(0), take(0)
	table.give(0, a)
	table.give(0, b)
	if x, y := take(0), take(0); x != a || y != b {
		t.Errorf("slots %d and %d, want %d, the spare, and %d, the last on the list", x, y, a, b)
	}
	table.give(1, a)
	if x := take(1); x != a {
		t.Errorf("slot %d, want %d", x, a)
	}
	if take(1); table.limit.Load() != chunk {
		t.Error("new memory while CPU 0 has slots")
	}
	far := take(2)
	if home := table.homes[far/chunk].Load(); home != 1 || table.limit.Load() != 2*chunk {
		t.Errorf("a slot from node %d, %d with memory", home, table.limit.Load())
	}
	table.give(0, far)
	for taken := range 2 * chunk {
		if slot, ok := table.take(3); !ok {
			if want := 2*chunk - 1 - 3; taken != want { // without slot 0; a, b and another one are in use
				t.Errorf("%d slots, want %d", taken, want)
			}
			break
		} else if home := table.homes[slot/chunk].Load(); taken < chunk && home != 1 {
			t.Fatalf("slot %d from node %d while there are some at home", slot, home)
		}
	}
}
