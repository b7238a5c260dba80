package lockfree

import "sync/atomic"

// Owned is a word that one CPU or task writes at a time and anyone may read. Its Add and Store are plain instructions: each is seen in
// time, whole and in the order of the writer's other stores, which is all that a reader of a statistic or a hint may count on. What must
// be seen before a later load is an atomic's.
//
// Preconditions: calls of Add and Store are ordered, as by the hand-over of what the word belongs to.
type Owned struct{ word uint64 }

// Load returns the word.
func (o *Owned) Load() uint64 { return atomic.LoadUint64(&o.word) }

// Owned32 is Owned of half the size.
type Owned32 struct{ word uint32 }

// Load returns the word.
func (o *Owned32) Load() uint32 { return atomic.LoadUint32(&o.word) }

// Store sets the word. It inlines.
func (o *Owned32) Store(v uint32) { store32(&o.word, v) }

// Store sets the word. It inlines.
func (o *Owned) Store(v uint64) { store64(&o.word, v) }

// Add adds to the word. It inlines, to one instruction.
func (o *Owned) Add(n uint64) {
	if raceDetector {
		atomic.StoreUint64(&o.word, o.word+n)
		return
	}
	o.word += n
}

// store32 and store64 write a word that belongs to the caller alone, but that an overtaken call of
// somebody else may still read. A plain store does: who was told of the element by the CAS that
// published it sees the store, and an overtaken reader may see the old value, the new one or an
// older one still, since its CAS then fails (a word is never torn: The Go Memory Model,
// "Implementation Restrictions for Programs Containing Data Races"). Go's atomic store is an XCHG,
// as dear as the CAS that follows. The race detector cannot know the argument and is shown an atomic
// store.
func store32(word *uint32, v uint32) {
	if raceDetector {
		atomic.StoreUint32(word, v)
		return
	}
	*word = v
}

func store64(word *uint64, v uint64) {
	if raceDetector {
		atomic.StoreUint64(word, v)
		return
	}
	*word = v
}
