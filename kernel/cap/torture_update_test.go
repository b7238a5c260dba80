package cap

import (
	"math/rand/v2"
	"sync/atomic"
)

// update makes, changes and ends capabilities.
func (r *torture) update() {
	var pipe []*aging
	for !r.stop.Load() {
		r.rest()
		wander()
		place := &r.places[rand.IntN(len(r.places))]
		h := place.Load()
		switch n := rand.IntN(16); {
		case h == nil || n < 6:
			pipe = r.end(r.derive(place), pipe)
		case n < 9: // what is above h gives what it may have
			if above := r.holder(h.above); above != nil && r.table.Grant(above.id, h.id, flicking) == nil {
				r.updates[1].Add(1)
			}
		case n == 9:
			if r.narrow(r.table, h.root(r), h.id, AllPerms&^flicking) == nil {
				r.updates[2].Add(1)
			}
		case n == 10:
			h.less.reach(1)
			if r.narrow(r.table, h.root(r), h.id, AllPerms&^fading) == nil {
				h.less.reach(2)
				pipe = append(pipe, &h.less)
				r.updates[3].Add(1)
			}
		case n < 13:
			h.gone.reach(1)
			if id, err := r.transfer(r.table, h.id, Space(n)); err == nil {
				h.gone.reach(2)
				pipe = append(pipe, &h.gone)
				r.updates[4].Add(1)
				if now := (&holding{id: id, life: h.life}); !place.CompareAndSwap(h, now) {
					pipe = r.end(now, pipe) // nobody else knows it
				}
			}
		default:
			pipe = r.end(h, pipe)
			place.CompareAndSwap(h, nil)
		}
		if rand.IntN(4) == 0 {
			r.table.rcu.Synchronize()
			still := pipe[:0]
			for _, a := range pipe {
				if a.reach(a.n.Load() + 1); a.n.Load() < oldest {
					still = append(still, a)
				}
			}
			pipe = still
		}
	}
}

// end revokes a holding, if there is one, and lets it age.
func (r *torture) end(h *holding, pipe []*aging) []*aging {
	if h == nil {
		return pipe
	}
	h.life.end.reach(1)
	if r.revoke(r.table, h.root(r), h.id) == nil {
		h.life.end.reach(2)
		pipe = append(pipe, &h.life.end)
		r.updates[5].Add(1)
	}
	return pipe
}

// root returns the identifier of the root that a holding is below.
func (h *holding) root(r *torture) ID {
	l := h.life
	for l.above != nil {
		l = l.above
	}
	return r.holder(l).id
}

// holder returns the holding of a life that there is, if any.
func (r *torture) holder(l *life) *holding {
	for _, h := range r.roots {
		if h.life == l {
			return h
		}
	}
	for i := range r.places {
		if h := r.places[i].Load(); h != nil && h.life == l {
			return h
		}
	}
	return nil
}

// derive puts a new capability into a place, derived from a root or another, and returns what was
// there. Nil: nothing was, or it stays.
func (r *torture) derive(place *atomic.Pointer[holding]) (old *holding) {
	above := r.places[rand.IntN(len(r.places))].Load()
	if above == nil || above.depth == 6 || rand.IntN(4) == 0 {
		above = r.roots[rand.IntN(len(r.roots))]
	}
	l := &life{above: above.life, depth: above.depth + 1, object: above.object}
	p := AllPerms
	if !r.table.Check(above.id, fading) {
		p &^= fading
	}
	if !r.table.Check(above.id, flicking) {
		p &^= flicking
	}
	if id, err := r.table.Derive(rand.IntN(testCPUs), above.id, 1, p, Options{}); err == nil {
		if p&fading == 0 {
			l.less.reach(oldest)
		}
		r.updates[0].Add(1)
		old = place.Swap(&holding{id: id, life: l})
	}
	return old
}
