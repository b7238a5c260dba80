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

// What a Revoke ends goes back to where it belongs: to the CPU, to one of another node, or nowhere any more.
func TestSlotsOfSubtree(t *testing.T) {
	table := onCPU0(newTable(t, 4*chunk))
	top := must(t)(table.Create(0, 1, file7, AllPerms, Options{}))
	below := func(cpu int) uint32 {
		t.Helper()
		return must(t)(table.Derive(cpu, top, 1, AllPerms, Options{})).Slot()
	}
	own, old, far := below(0), below(0), below(2)
	if table.homes[own/chunk].Load() == table.homes[far/chunk].Load() {
		t.Fatal("all slots are from one node")
	}
	table.cold[old].generation.Store(lastGeneration)
	wantErr(t, table.Revoke(top, top), nil)
	if s := table.Stats(); s.Retired != 1 || s.Revoked != 4 {
		t.Errorf("%d slots retired, want 1; %d revoked, want 4", s.Retired, s.Revoked)
	}
	if slot, spare := table.locals[0].take(table.links), top.Slot(); slot != spare {
		t.Errorf("slot %d, want the spare, %d", slot, spare)
	} else if slot := table.locals[0].take(table.links); slot != own {
		t.Errorf("slot %d, want %d, the last on the list", slot, own)
	}
	table.give(0, own)
	table.give(0, top.Slot())
	wantWhole(t, table)
}
