package cap

// Looking at the table: for the console, for who holds a capability, for statistics. Nothing here is
// a snapshot of more than one entry.

// events are what the table counts.
const (
	created = iota
	derived
	died      // entries revoked
	reclaimed // slots given back
	finished  // both at once: leaf.go
	granted
	narrowed
	transferred
	events
)

// Info is what there is to know of a capability.
type Info struct {
	ID     ID
	Parent uint32 // slot of what it was derived from; 0: a root
	Depth  int    // 0: a root. Only Walk tells
	Space  Space
	Object Object
	Perms  Perm
	Slow   bool  // formula or gas are to be asked, its own or an ancestor's
	Gas    int64 // balance of its own account

	// Of its own formula.
	ExpiresAt uint64 // ns on Config.Now; 0: never
	UsesLeft  int64  // -1: any number
}

// Info tells about an active capability. Who knows its identifier may know.
//
// Errors: ErrNoCapability, ErrRevoked.
func (t *Table) Info(id ID) (Info, error) {
	defer t.rcu.ReadUnlock(t.rcu.ReadLock(t.rcu.CPU()))
	if _, v := t.judge(id, 0); v != OK {
		return Info{}, v
	}
	info, ok := t.info(id.Slot())
	if !ok || info.ID != id {
		return Info{}, ErrRevoked
	}
	return info, nil
}

// info reads an entry. False: it isn't active.
//
// What is active at the first load of the word keeps its slot until the read section ends; when the
// identifier is another at the second load, it was transferred between.
//
// Preconditions: in a read section.
func (t *Table) info(slot uint32) (Info, bool) {
	e, c := t.at(slot), &t.cold[slot]
	for {
		id, s := split(e.word.Load(), slot)
		if !s.active() {
			return Info{}, false
		}
		i := Info{
			ID:     id,
			Parent: c.parent.Load(),
			Space:  Space(c.space.Load()),
			Object: Object(e.object.Load()),
			Perms:  s.perms(),
			Slow:   s&slow != 0,
			Gas:    t.balance(slot),
		}
		i.ExpiresAt, i.UsesLeft = t.conditions(slot)
		if again, _ := split(e.word.Load(), slot); again == id {
			return i, true
		}
	}
}

// Walk calls f for each active capability, parents before children, until f returns false. f runs
// in a read section: it must not block, nor revoke.
func (t *Table) Walk(f func(Info) bool) {
	for root := uint32(1); root < t.limit.Load(); root++ {
		if t.cold[root].parent.Load() == 0 && !t.walk(root, f) {
			return
		}
	}
}

// walk is Walk for one tree. False: f has seen enough.
func (t *Table) walk(root uint32, f func(Info) bool) bool {
	defer t.rcu.ReadUnlock(t.rcu.ReadLock(t.rcu.CPU()))
	depth, last := 0, uint32(0)
	info, ok := t.info(root)
	if !ok || info.Parent != 0 {
		return true
	}
	for slot := root; slot != 0; slot = t.after(root, slot) {
		parent := t.cold[slot].parent.Load()
		switch {
		case slot == root:
		case parent == last:
			depth++
		default:
			for ; last != 0 && t.cold[last].parent.Load() != parent; last = t.cold[last].parent.Load() {
				depth--
			}
		}
		last = slot
		if info, ok := t.info(slot); ok {
			info.Depth = depth
			if !f(info) {
				return false
			}
		}
	}
	return true
}

// Stats sums up what the table did.
type Stats struct {
	Slots       int // full size
	Backed      int // slots with memory
	Used        int // slots that are not free: active, or waiting for a grace period
	Retired     int // slots without a further identifier
	Created     int64
	Derived     int64
	Granted     int64
	Narrowed    int64 // entries
	Transferred int64
	Revoked     int64 // entries
	Gas         GasStats
	Cache       CacheStats
}

// Stats sums up. It is not a snapshot.
func (t *Table) Stats() Stats {
	n := t.count
	both := n(finished)
	back := n(reclaimed) + both // before what it is taken from
	return Stats{
		Slots:       int(t.slots) - 1,
		Backed:      int(t.limit.Load()),
		Retired:     int(t.retired.Sum()),
		Used:        int(n(created) + n(derived) - back),
		Created:     n(created),
		Derived:     n(derived),
		Granted:     n(granted),
		Narrowed:    n(narrowed),
		Transferred: n(transferred),
		Revoked:     n(died) + both,
		Gas:         t.gasStats(),
		Cache:       t.cacheStats(),
	}
}
