package lockfree

import "sync/atomic"

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
