package rcu

import (
	"testing"
	"time"
	"unsafe"
)

func TestSectionLeft(t *testing.T) {
	var s Section
	if !s.Left(s.Mark()) {
		t.Error("nobody was in it, and it was not left")
	}
	s.Enter()
	m := s.Mark()
	if s.Left(m) {
		t.Error("left before Leave")
	}
	s.Leave()
	if !s.Left(m) {
		t.Error("not left after Leave")
	}
	s.Enter()
	if !s.Left(m) {
		t.Error("a later section counts as the one at Mark")
	}
}

// TestTrapsSynchronize: it returns after the sections of its time, and doesn't wait for later ones.
func TestTrapsSynchronize(t *testing.T) {
	traps := make(Traps, 3)
	traps.Synchronize()
	for cpu := range traps {
		traps[cpu].Enter()
		left := make(chan bool)
		go func() {
			time.Sleep(time.Millisecond)
			close(left)
			traps[cpu].Leave()
			traps[cpu].Enter() // from now on for ever
		}()
		traps.Synchronize()
		select {
		case <-left:
		default:
			t.Errorf("CPU %d was still in its section", cpu)
		}
		for m := traps[cpu].Mark(); m != 3; {
			m = traps[cpu].Mark()
		}
		traps[cpu].Leave()
	}
}

// TestDomainWaitsForTraps: the form for goroutines.
func TestDomainWaitsForTraps(t *testing.T) {
	traps := make(Traps, 2)
	d := newStepped(Config{CPUs: 2, Traps: traps})
	traps[1].Enter()
	done := d.start(t, d.Synchronize)
	d.again(t, done)
	traps[1].Leave()
	traps[1].Enter()
	d.finish(t, done)
}

func TestPadding(t *testing.T) {
	for name, size := range map[string]uintptr{
		"TrapCPU": unsafe.Sizeof(TrapCPU{}), "cell": unsafe.Sizeof(cell{}), "Hazard": unsafe.Sizeof(Hazard{}), "hazardList": unsafe.Sizeof(hazardList{}),
	} {
		if size%128 != 0 {
			t.Errorf("a %s has %d bytes, want a multiple of 128", name, size)
		}
	}
}

func BenchmarkTraps(b *testing.B) {
	traps := make(Traps, 2)
	b.Run("section", func(b *testing.B) {
		for b.Loop() {
			traps[0].Enter()
			traps[0].Leave()
		}
	})
	b.Run("Synchronize", func(b *testing.B) {
		for b.Loop() {
			traps.Synchronize()
		}
	})
}
