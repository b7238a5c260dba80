package cap

import (
	"errors"
	"math/rand/v2"
	"testing"
	"time"

	"pdac/kernel/rcu"
)

const testCPUs = 4

// newTable returns a table in Go memory, which the race detector watches.
func newTable(t testing.TB, slots int) *Table {
	t.Helper()
	start := time.Now()
	table, err := New(Config{
		Slots:      slots,
		CPUs:       testCPUs,
		NodeOf:     func(cpu int) int { return cpu / 2 },
		Now:        func() uint64 { return uint64(time.Since(start)) },
		Key:        [2]uint64{rand.Uint64(), rand.Uint64()},
		RCU:        rcu.New(rcu.Config{CPUs: testCPUs}),
		CacheAbove: -1,
		Reserve:    func(bytes int) ([]byte, error) { return make([]byte, bytes), nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	return table
}

// onCPU0 makes everything happen on CPU 0, as far as the table knows, which takes the slot that was freed last.
func onCPU0(table *Table) *Table {
	table.rcu = rcu.New(rcu.Config{CPUs: testCPUs, CPU: func() int { return 0 }})
	return table
}

const (
	typeFile Type = 1 + iota
	typePort
)

var file7 = MakeObject(typeFile, 7)

// must returns what a call gave that has to succeed.
func must(t testing.TB) func(id ID, err error) ID {
	return func(id ID, err error) ID {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return id
	}
}

func wantErr(t testing.TB, err, want error) {
	t.Helper()
	if !errors.Is(err, want) || (err == nil) != (want == nil) {
		t.Fatalf("error %v, want %v", err, want)
	}
}

// wantWhole fails unless every slot with memory is free, or retired, once callbacks have run.
func wantWhole(t testing.TB, table *Table) {
	t.Helper()
	table.rcu.Barrier()
	s := table.Stats()
	if s.Used != 0 {
		t.Errorf("%d slots used, want 0: %+v", s.Used, s)
	}
	free := 0
	seen := make([]bool, table.slots)
	for i := range table.locals {
		l := &table.locals[i]
		for slot := l.take(table.links); slot != 0; slot = l.take(table.links) {
			if seen[slot] {
				t.Fatalf("slot %d is free twice", slot)
			}
			seen[slot] = true
			free++
			if table.homes[slot/chunk].Load() != table.nodeOf[i] {
				t.Errorf("slot %d is on the list of CPU %d, of another node", slot, i)
			}
		}
	}
	if want := max(s.Backed-1, 0) - s.Retired; free != want {
		t.Errorf("%d free slots, want %d: %+v", free, want, s)
	}
}

// wantTree fails unless each active capability has no more than its parent, and counts them.
//
// Preconditions: nobody else uses the table.
func wantTree(t testing.TB, table *Table) (active int) {
	t.Helper()
	table.Walk(func(i Info) bool {
		active++
		if !table.Check(i.ID, i.Perms) {
			t.Errorf("slot %d doesn't pass for what it has", i.ID.Slot())
		}
		if i.Parent != 0 {
			p, ok := table.info(i.Parent)
			if !ok {
				t.Errorf("slot %d is active below slot %d, which isn't", i.ID.Slot(), i.Parent)
			}
			if i.Perms&^p.Perms != 0 {
				t.Errorf("slot %d has %v beyond its parent", i.ID.Slot(), i.Perms&^p.Perms)
			}
		}
		return true
	})
	for slot := uint32(1); slot < table.limit.Load(); slot++ {
		if _, ok := table.info(slot); ok {
			active--
		}
	}
	if active != 0 {
		t.Errorf("%d fewer active capabilities are in the trees than in the slots", -active)
	}
	return int(table.Stats().Used)
}
