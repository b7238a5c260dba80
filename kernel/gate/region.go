package gate

import "syscall"

// Whose the addresses of mapped memory are.
//
// Each space has regions of its own, and no address of one is ever given to another space: not when it
// was unmapped or sent away, and not when the space has ended, since slices of it may have been kept
// anywhere. Within its regions a space's addresses come in turn, so that what it gave up comes again
// late. Pages in a message are in regions of the kernel's, whose addresses no program gets a slice of,
// so those are used again and again.
//
// A region is as large as all that its space had before: so the laps in which it looks for room, in vain, are
// few. A space gets a share of all addresses at most, so that none can take them from the others by itself.
//
// Rejected: one lap over all addresses for all spaces. It comes round after some thousand large maps.

const (
	reserved   = 1 << 44 // bytes
	share      = reserved / 8
	leastRange = 64 << 20
	pageSize   = 4 << 10
	hugeSize   = 2 << 20 // moved pages lie in the same way in their 2 MiB (vm, move.go)
)

// span is a range of addresses.
type span struct{ from, to uintptr }

// regions are the addresses of one space.
type regions struct {
	all  []span
	size uintptr // of all
	turn int     // the one that was used last
	next uintptr // where the search in it goes on
}

// place finds n free bytes among a space's addresses, at one that is off, modulo align: a power of 2 up to
// hugeSize. Errors: ErrMemory.
func (a *arena) place(owner uint32, n, off, align uintptr) (uintptr, error) {
	r := a.regions[owner]
	if r == nil {
		if a.regions == nil {
			a.regions = make(map[uint32]*regions)
		}
		r = new(regions)
		a.regions[owner] = r
	}
	from := r.next
	for range len(r.all) {
		if at, ok := a.room(span{from, r.all[r.turn].to}, n, off, align); ok {
			r.next = at + n
			return at, nil
		}
		r.turn = (r.turn + 1) % len(r.all)
		from = r.all[r.turn].from
	}
	if len(r.all) > 0 { // what was skipped of the first
		if at, ok := a.room(r.all[r.turn], n, off, align); ok {
			r.next = at + n
			return at, nil
		}
	}
	if err := a.extend(r, n+align); err != nil {
		return 0, err
	}
	at, _ := a.room(r.all[r.turn], n, off, align)
	r.next = at + n
	return at, nil
}

// room finds n free bytes within a span.
func (a *arena) room(s span, n, off, align uintptr) (uintptr, bool) {
	for at := s.from; ; {
		at += (off - at) % align
		if at+n > s.to {
			return 0, false
		}
		i := a.above(at)
		if i == len(a.areas) || a.areas[i].from >= at+n {
			return at, true
		}
		at = a.areas[i].to
	}
}

// extend gives a space another region, of n bytes or more, that nobody ever had. Errors: ErrMemory.
func (a *arena) extend(r *regions, n uintptr) error {
	if a.end == 0 {
		base, err := mmap(0, reserved, syscall.PROT_NONE, mapReserve)
		if err != nil {
			return ErrMemory
		}
		a.fresh, a.end = base, base+reserved
	}
	left := min(a.end-a.fresh, share-r.size)
	n = (n + hugeSize - 1) &^ (hugeSize - 1)
	if n > left {
		return ErrMemory
	}
	n = min(max(n, r.size, leastRange), left)
	r.turn = len(r.all)
	r.all = append(r.all, span{a.fresh, a.fresh + n})
	r.size += n
	a.fresh += n
	return nil
}
