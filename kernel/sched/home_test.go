package sched

import "testing"

// TestHome: a task goes home when it wakes, to an idle CPU there if there is one; another node's idle CPU is better than none.
func TestHome(t *testing.T) {
	f := boot(t, 6, 3, 64, 0) // two CPUs to a node
	for cpu := range 6 {
		leave(t, cpu, 0)
	}
	id := spawn(t, 0)
	leave(t, 0, id)
	if _, ok := HomeOf(id); ok || Info(id).Home != -1 {
		t.Error("a home from nowhere")
	}
	SetHome(id, 2)
	if node, ok := HomeOf(id); node != 2 || !ok || Info(id).Home != 2 {
		t.Errorf("home %d, %v", node, ok)
	}
	child := spawn(t, 0)
	if node, ok := HomeOf(child); node != 2 || !ok {
		t.Errorf("the child's home is %d, %v", node, ok)
	}
	wake := func(want int) {
		t.Helper()
		at := Get(id).CPU()
		seq := Park(at, id, 0)
		Leave(at)
		Wake(1, id, seq, 0, false)
		if got := Get(id).CPU(); got != want {
			t.Fatalf("woken on CPU %d, want %d", got, want)
		}
		settle(f)
	}
	settle(f)
	if at := Get(child).CPU(); at != 4 {
		t.Fatalf("the child began on CPU %d, want 4", at)
	}
	wake(5)
	wake(5) // where it was
	// Home is busy: an idle one elsewhere.
	Park(5, id, 0)
	leave(t, 5, 0)
	_, seq := Get(id).State()
	other := spawn(t, 5)
	leave(t, 5, other)
	if Wake(1, id, seq, 0, false); Get(id).CPU()/2 == 2 {
		t.Fatalf("woken on CPU %d behind others", Get(id).CPU())
	}
	settle(f)
	// All are busy: home's queue.
	for cpu := range 6 {
		if Current(cpu) == 0 {
			occupy(t, cpu)
		}
	}
	at := Get(id).CPU()
	seq = Park(at, id, 0)
	occupy(t, at)
	Wake(1, id, seq, 0, false)
	if Get(id).CPU()/2 != 2 {
		t.Fatalf("queued on CPU %d, want one at home", Get(id).CPU())
	}
	SetHome(id, -1)
	if _, ok := HomeOf(id); ok {
		t.Error("still a home")
	}
	checkSettled(t, f)
}

// TestHomeAndAffinity: the mask goes before the home, and each is set without touching the other.
func TestHomeAndAffinity(t *testing.T) {
	f := boot(t, 4, 2, 64, 0)
	occupy(t, 0, 1, 2, 3)
	id, _ := New(0)
	SetHome(id, 1)
	SetAffinity(0, id, &CPUSet{0b0011})
	Enqueue(0, id)
	if at := Get(id).CPU(); at > 1 {
		t.Errorf("queued on CPU %d", at)
	}
	var m CPUSet
	if GetAffinity(id, &m); m != (CPUSet{0b0011}) {
		t.Errorf("affinity %b", m[0])
	}
	SetAffinity(0, id, &CPUSet{0b1111})
	if GetAffinity(id, &m); m != online {
		t.Errorf("affinity %b", m[0])
	}
	if node, ok := HomeOf(id); node != 1 || !ok {
		t.Errorf("home %d, %v", node, ok)
	}
	// A home without CPUs is none for placement.
	other, _ := New(0)
	SetHome(other, 40)
	Enqueue(0, other)
	if at := Get(other).CPU(); at != 0 {
		t.Errorf("queued on CPU %d", at)
	}
	checkSettled(t, f)
}
