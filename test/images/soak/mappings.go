package main

// model is a mapping and what should be in it, page by page.
type model struct {
	at    region
	pages []page
}

type page struct {
	gone  bool // unmapped: may be somebody else's now
	prot  uintptr
	value uint64 // at the places below
}

// Places in a page that are written and looked at.
var places = [...]uintptr{0, 2040, pageSize - 8}

func newModel(n int) *model {
	m := &model{mmap(uintptr(n)*pageSize, protReadWrite), make([]page, n)}
	for i := range m.pages {
		m.pages[i].prot = protReadWrite
	}
	return m
}

func (m *model) end() { m.change(0, len(m.pages), (*model).unmap) }

// change calls f for the parts of pages [lo, hi) that are still there.
func (m *model) change(lo, hi int, f func(m *model, lo, hi int)) {
	for lo < hi {
		if m.pages[lo].gone {
			lo++
			continue
		}
		part := lo
		for lo < hi && !m.pages[lo].gone {
			lo++
		}
		f(m, part, lo)
	}
}

func (m *model) part(lo, hi int) (r region, n uintptr) {
	return m.at + region(lo*pageSize), uintptr(hi-lo) * pageSize
}

func (m *model) unmap(lo, hi int) {
	r, n := m.part(lo, hi)
	r.munmap(n)
	for i := lo; i < hi; i++ {
		m.pages[i].gone = true
	}
}

// step does one random thing to a random part.
func (m *model) step(w *worker) {
	lo := w.IntN(len(m.pages))
	hi := lo + 1 + w.IntN(len(m.pages)-lo)
	prot := []uintptr{protNone, protRead, protReadWrite, protReadWrite}[w.IntN(4)]
	switch w.IntN(8) {
	case 0, 1, 2:
		m.change(lo, hi, func(m *model, lo, hi int) {
			for i := lo; i < hi; i++ {
				if p := &m.pages[i]; p.prot == protReadWrite {
					p.value = w.Uint64()
					for _, o := range places {
						*m.at.word(uintptr(i*pageSize) + o) = p.value
					}
				}
			}
		})
	case 3, 4:
		m.change(lo, hi, func(m *model, lo, hi int) {
			r, n := m.part(lo, hi)
			r.protect(n, prot)
			for i := lo; i < hi; i++ {
				m.pages[i].prot = prot
			}
		})
	case 5, 6:
		m.change(lo, hi, func(m *model, lo, hi int) {
			r, n := m.part(lo, hi)
			if w.IntN(3) == 0 {
				r.mmapFixed(n, prot)
				for i := lo; i < hi; i++ {
					m.pages[i].prot = prot
				}
			} else {
				r.advise(n, madvDontNeed)
			}
			for i := lo; i < hi; i++ {
				m.pages[i].value = 0
			}
		})
	case 7:
		if hi-lo <= 1+len(m.pages)/8 {
			m.change(lo, hi, (*model).unmap)
		}
	}
}

// verify looks at every page that may be read, and at some that may not.
func (m *model) verify(w *worker) {
	for i := range m.pages {
		p := &m.pages[i]
		if p.gone {
			continue
		}
		base := uintptr(i * pageSize)
		if p.prot == protNone {
			if w.IntN(len(m.pages)) == 0 {
				if at, faulted := faultAt(func() { p.value = *m.at.word(base) }); !faulted || at != uintptr(m.at)+base {
					bad("mappings: load of page %d, PROT_NONE: fault %v at %#x", i, faulted, at)
				}
			}
			continue
		}
		for _, o := range places {
			if v := *m.at.word(base + o); v != p.value {
				bad("mappings: page %d of %d at %#x holds %#x at %d, want %#x", i, len(m.pages), uintptr(m.at)+base, v, o, p.value)
			}
		}
		if p.prot == protRead && w.IntN(len(m.pages)) == 0 {
			if at, faulted := faultAt(func() { *m.at.word(base) = 1 }); !faulted || at != uintptr(m.at)+base {
				bad("mappings: store to page %d, PROT_READ: fault %v at %#x", i, faulted, at)
			}
		}
	}
}

// mappings maps, changes and unmaps small areas.
func mappings(w *worker) func() {
	return func() {
		m := newModel(1 + w.IntN(80))
		for range 10 {
			m.step(w)
			m.verify(w)
		}
		m.end()
	}
}

// hugePages does the same to areas where pages of 2 MiB fit, and splits them.
func hugePages(w *worker) func() {
	return func() {
		m := newModel((1 + w.IntN(max(1, scaled(4)))) * pagesOfHugePage * 5 / 4)
		r, n := m.part(0, len(m.pages))
		switch w.IntN(3) {
		case 0:
			r.advise(n, madvHugePage)
		case 1:
			r.advise(n, madvNoHugePage)
		}
		for range 5 {
			m.step(w)
			w.beat()
			m.verify(w)
		}
		m.end()
	}
}
