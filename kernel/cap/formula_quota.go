package cap

// Quota: a token bucket in one word.
//
// Paper: the generic cell rate algorithm, ITU-T Recommendation I.371, annex A (virtual scheduling).
// The word is the theoretical arrival time, at which the next use is due if all come at the rate. A
// use that comes at most tolerance, (burst-1) intervals, before it conforms and moves it on by
// an interval, from now if it is past: time that passes fills the bucket, and nothing has to be
// stored for that.
//
// Invariant: arrival - now, if positive, is what is missing to a full bucket, in time, and at most
// burst intervals.
//
// Words and writers: arrival by CAS, anyone; up to take, down by the same one to give back.
//
// Linearization: the CAS, or the load that found the use too early.
//
// Giving back. The same interval cannot be subtracted later: if the bucket has been full in
// between, the use is forgotten already, and the subtraction would undo another one's. So a use is
// given back by a CAS from what it wrote to what it found, which succeeds only if no other lies on
// top of it: every use strictly raises the word, so to come back to what this one wrote, all later ones
// must have been undone, and only its own undoing takes it lower. The word is then what it would
// have been without this use. If another one is on top, it stays taken. That happens only to a call
// that finds two quotas in its chain, takes the first and is beaten to the second; quotas are taken
// last for that. It costs its caller one interval; too much is never given back.
//
// Progress: lock-free.
//
// Rejected: tokens and a time in one word (a division each time, and 32 bits are few for either).

func (r *record) setQuota(interval, burst uint64) {
	r.interval.Store(interval)
	r.tolerance.Store(interval * (burst - 1))
	r.arrival.Store(0)
}

// schedule tells what a use would make of arrival, and whether it conforms.
func (r *record) schedule(arrival, now uint64) (next uint64, conforms bool) {
	due := max(arrival, now)
	return due + r.interval.Load(), due-now <= r.tolerance.Load()
}

// due reports whether a use conforms now.
func (r *record) due(now uint64) bool {
	_, ok := r.schedule(r.arrival.Load(), now)
	return ok
}

// takeQuotas takes a use from every quota of a chain, or from none. False: one is short.
func (t *Table) takeQuotas(first uint32, now uint64) bool {
	var found [maxChain]uint64 // arrival of each record before
	n := 0
	s := first
	for ; s != 0; s = t.records[s].next() {
		r := &t.records[s]
		if r.interval.Load() == 0 {
			continue
		}
		for {
			arrival := r.arrival.Load()
			next, ok := r.schedule(arrival, now)
			if !ok {
				t.undoQuotas(first, s, now, &found)
				return false
			}
			if r.arrival.CompareAndSwap(arrival, next) {
				found[n] = arrival
				n++
				break
			}
		}
	}
	return true
}

// undoQuotas gives back what takeQuotas took from first to before end.
func (t *Table) undoQuotas(first, end uint32, now uint64, found *[maxChain]uint64) {
	n := 0
	for s := first; s != end; s = t.records[s].next() {
		r := &t.records[s]
		if r.interval.Load() == 0 {
			continue
		}
		next, _ := r.schedule(found[n], now)
		r.arrival.CompareAndSwap(next, found[n])
		n++
	}
}
