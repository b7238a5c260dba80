package table

import "slices"

// Churn is a set of entries that one worker replaces in turn while others are read: an identifier
// that was replaced never comes back, so that the entries of the readers have to be left alone.
type Churn struct {
	ids  []uint64
	next int
	_    [128 - 4*8]byte // the workers' are allocated side by side
}

// Split returns the identifiers to read, seven eighths, and of the others a Churn for each of two
// workers.
func Split(ids []uint64) (kept []uint64, churns [2]*Churn) {
	k, half := len(ids)-len(ids)/8, len(ids)/16
	for w := range churns {
		churns[w] = &Churn{ids: slices.Clone(ids[k+w*half : k+(w+1)*half])}
	}
	return ids[:k], churns
}

// Mixed is n operations of which one in every replaces an entry and the others read.
func (c *Churn) Mixed(t Writable, cpu int, seq []uint64, from, n, every int) (passed int) {
	for ; n >= every; n -= every {
		passed += t.Read(cpu, seq, from, every-1)
		from += every - 1
		c.ids[c.next] = t.Replace(cpu, c.ids[c.next])
		c.next = (c.next + 1) % len(c.ids)
		passed++
	}
	return passed + t.Read(cpu, seq, from, n)
}
