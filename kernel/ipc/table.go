package ipc

import (
	"sync/atomic"

	"pdac/kernel/lockfree"
)

// Endpoints by number. A number is taken from a stack of those that were given back by Remove, or
// is the next that never was one; in between its word is the endpoint. The words are in segments,
// made with their first number, so that a collection looks at no more than there was. Look-ups are
// two loads, wait-free. Nobody may look a number up that was given back: for capabilities that is
// kernel/cap's word, since an object is released a grace period after its last capability.

// Table is a set of endpoints.
type Table struct {
	caps  Capabilities
	pages Pages

	segments []atomic.Pointer[segment] // by CAS from nil
	links    []uint32
	free     lockfree.Stack
	fresh    atomic.Uint32 // numbers from here on were never used
}

const segmentSize = 256

type segment [segmentSize]atomic.Pointer[Endpoint]

// Config says what a table works with. Without Capabilities or Pages, messages that carry some are
// refused.
type Config struct {
	Endpoints    int // how many there can be; 0: 4096
	Capabilities Capabilities
	Pages        Pages
}

const defaultEndpoints = 4096

// New returns a table without endpoints. Error: ErrArgument.
func New(c Config) (*Table, error) {
	if c.Endpoints == 0 {
		c.Endpoints = defaultEndpoints
	}
	if c.Endpoints < 0 || c.Endpoints > 1<<24 {
		return nil, ErrArgument
	}
	return &Table{
		caps:     c.Capabilities,
		pages:    c.Pages,
		segments: make([]atomic.Pointer[segment], (c.Endpoints+segmentSize-1)/segmentSize),
		links:    make([]uint32, c.Endpoints),
	}, nil
}

// take returns a free number. False: all are in use.
func (t *Table) take() (uint32, bool) {
	if i, ok := t.free.Pop(t.links); ok {
		return i, true
	}
	for {
		i := t.fresh.Load()
		if int(i) == len(t.links) {
			return 0, false
		}
		if t.fresh.CompareAndSwap(i, i+1) {
			if s := &t.segments[i/segmentSize]; s.Load() == nil {
				s.CompareAndSwap(nil, new(segment))
			}
			return i, true
		}
	}
}

// word returns the place of an endpoint by its number, which was taken once.
func (t *Table) word(ref uint32) *atomic.Pointer[Endpoint] {
	return &t.segments[ref/segmentSize].Load()[ref%segmentSize]
}

// Create makes an endpoint. Errors: ErrArgument, ErrFull.
func (t *Table) Create(o Options) (*Endpoint, error) {
	if o.Capacity == 0 {
		o.Capacity = defaultCapacity
	}
	if o.Waiters == 0 {
		o.Waiters = defaultWaiters
	}
	if o.Capacity < 0 || o.Capacity > MaxCapacity || o.Waiters < 0 || o.Waiters > MaxWaiters {
		return nil, ErrArgument
	}
	i, ok := t.take()
	if !ok {
		return nil, ErrFull
	}
	e := newEndpoint(t, i, o)
	t.word(i).Store(e)
	return e, nil
}

// Find returns the endpoint with a number, or nil.
func (t *Table) Find(ref uint64) *Endpoint {
	if ref >= uint64(len(t.links)) {
		return nil
	}
	s := t.segments[ref/segmentSize].Load()
	if s == nil {
		return nil
	}
	return s[ref%segmentSize].Load()
}

// Remove kills an endpoint, for a reason as in Kill, and gives its number back. False: it was
// removed already.
//
// Preconditions: nobody will look its number up any more.
func (t *Table) Remove(e *Endpoint, reason error) bool {
	e.Kill(reason)
	if !t.word(e.ref).CompareAndSwap(e, nil) {
		return false
	}
	t.free.Push(t.links, e.ref)
	return true
}

// Info is an endpoint's state: not a snapshot, each figure of another moment.
type Info struct {
	Ref      uint64
	Owner    uint32
	Capacity int
	Depth    int // messages that can be received

	// Calls that wait: for room, for a message, for a reply (and for room before that).
	Senders, Receivers, Callers int

	Sent, Received, Replied, Dropped uint64 // messages
	Err                              error  // why it is dead
}

// Info tells about the endpoint.
func (e *Endpoint) Info() Info {
	return Info{
		Ref:       uint64(e.ref),
		Owner:     uint32(e.owner),
		Capacity:  len(e.slots),
		Depth:     e.ready.permits(),
		Senders:   e.room.waiting(),
		Receivers: e.ready.waiting(),
		Callers:   e.callers.waiting(),
		Sent:      e.counts.sent.Load(),
		Received:  e.counts.received.Load(),
		Replied:   e.counts.replied.Load(),
		Dropped:   e.counts.dropped.Load(),
		Err:       e.Err(),
	}
}

// List calls f for each endpoint, by number, until it returns false.
func (t *Table) List(f func(Info) bool) {
	for i := range t.segments {
		s := t.segments[i].Load()
		if s == nil {
			continue
		}
		for j := range s {
			if e := s[j].Load(); e != nil && !f(e.Info()) {
				return
			}
		}
	}
}
