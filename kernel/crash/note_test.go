package crash

import (
	"strings"
	"sync"
	"testing"
)

// forget empties the notes, before the test and after it.
func forget(t *testing.T) {
	empty := func() {
		for k := range notes {
			notes[k].rip.Store(0)
		}
		taken.Store(0)
	}
	empty()
	t.Cleanup(empty)
}

func text(n *note) string {
	if n == nil {
		return "none"
	}
	return string(n.text[:n.size])
}

func TestNote(t *testing.T) {
	forget(t)
	long := strings.Repeat("x", maxNote)
	Note(10, "")
	for range 3 { // each in a slot of its own, which is no harm
		Note(20, "NOPL")
	}
	Note(30, long+"y")
	for rip, want := range map[uint64]string{0: "none", 10: "none", 20: "NOPL", 21: "none", 30: long} {
		if got := text(noted(rip)); got != want {
			t.Errorf("at %d: %q, want %q", rip, got, want)
		}
	}
}

func TestNoteWhenFull(t *testing.T) {
	forget(t)
	for rip := range uint64(2 * maxNotes) {
		Note(1+rip, "NOPL")
	}
	for rip := range uint64(2 * maxNotes) {
		if got, want := noted(1+rip) != nil, rip < maxNotes; got != want {
			t.Errorf("note %d is kept: %v, want %v", rip, got, want)
		}
	}
}

// TestNoteTorture has many note at once: what is found must be whole.
func TestNoteTorture(t *testing.T) {
	const writers = 16
	for range 200 {
		forget(t)
		var all sync.WaitGroup
		for w := range uint64(writers) {
			want := strings.Repeat(string(rune('a'+w)), 1+int(w))
			all.Go(func() { Note(1+w, want) })
			all.Go(func() {
				if n := noted(1 + w); n != nil && text(n) != want {
					t.Errorf("at %d: %q, want %q", 1+w, text(n), want)
				}
			})
		}
		all.Wait()
		kept := 0
		for w := range uint64(writers) {
			if noted(1+w) != nil {
				kept++
			}
		}
		if kept != maxNotes {
			t.Fatalf("%d notes are kept, want %d", kept, maxNotes)
		}
	}
}
