package crash

import "sync/atomic"

// Notes hand instructions from dying goroutines, which can still disassemble, to the dump, which cannot.
//
// Paper: none; each slot is written once. Invariant: a slot whose rip is not 0 is complete and never changes again. Writers: the
// goroutine that drew the slot's number from taken, and it alone. Linearization: Note at its store to rip, noted at its load of
// that rip. Reclamation: none, who notes is about to end the machine. Progress: wait-free, both.
const (
	maxNotes = 4   // goroutines that die at once, of which one gets to the exit; later ones are not noted
	maxNote  = 112 // bytes: an instruction that names a long symbol is cut
)

// A note is what package disasm made of the instruction at rip.
type note struct {
	rip  atomic.Uint64 // 0 until the rest is there
	size int
	text [maxNote]byte
}

var (
	notes [maxNotes]note
	taken atomic.Uint32
)

// Note keeps the text of the instruction at address rip for a dump with that RIP. It is for a goroutine that is about to end
// the program for a fault there: room is for a few in the life of the machine. Callable from both worlds.
func Note(rip uint64, text string) {
	if text == "" {
		return
	}
	k := taken.Add(1) - 1
	if k >= maxNotes {
		return
	}
	n := &notes[k]
	n.size = copy(n.text[:], text)
	n.rip.Store(rip) // pairs with the load in noted
}

// noted returns a note of the instruction at rip, or nil. Text doesn't change, so all notes of it say the same.
func noted(rip uint64) *note {
	if rip == 0 {
		return nil
	}
	for k := range notes {
		if n := &notes[k]; n.rip.Load() == rip {
			return n
		}
	}
	return nil
}

func (n *note) put() {
	for _, c := range n.text[:n.size] {
		putPrintable(c)
	}
}
