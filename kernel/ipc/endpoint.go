package ipc

import (
	"context"
	"sync/atomic"

	"pdac/kernel/cap"
	"pdac/kernel/lockfree"
)

// A bounded queue of messages, with callers who wait at both ends, and a death.
//
// Paper: E. W. Dijkstra, "Cooperating Sequential Processes", EWD 123, 1965, the bounded buffer; the
// queue in it is lockfree.Queue.
//
// Words and writers:
//
//	room          permits: slots that are free
//	ready         permits: messages that are in the queue
//	free          the free slots. Popped with a permit of room, pushed before one is released
//	queue         the slots with messages, by their numbers; pushed before a permit of ready is
//	              released, popped with one, or by drain
//	slots[i]      its owner: who popped i from free or queue, until he pushes it to the other
//	fate          nil, then why it died: CAS, once
//
// Invariants: free has at least as many slots as room has permits, so a sender with a permit finds
// one. As long as the endpoint lives the queue has at least as many messages as ready has
// permits, so a receiver with a permit finds one; not necessarily that whose sender released it.
// slots[i].node is a node of the queue's that is not in it, while i isn't.
//
// Linearization: Send at its push to the queue, Recv at its pop: the order is the queue's, which is
// first in, first out (a Call may find the queue empty and a receiver waiting: hand.go). Death at the CAS of fate. ErrWouldBlock is when no permit is there, and calls
// in progress count: one that has a permit and not yet pushed or popped, and one who was handed a
// permit in his sleep.
//
// Death: Kill sets fate, ends the waits, then drains the queue. Send looks at fate after its push, and
// then drains, too (Dekker), so nothing stays in a dead endpoint. Each message that Send accepted is
// received, by a Recv that began before the death, or dropped. Its sender learns of the death by
// Err and by whatever he calls next, and who called by Call's error.
//
// Reclamation: none needed. Slots are type-stable and live as long as the endpoint, which is the
// collector's when Table and callers have left it.
//
// Progress: TrySend, TryRecv, Reply and Kill are lock-free, but for what Capabilities and Pages do.
// No call pairs need be kept apart.

// Endpoint is where messages are sent to and received from. A Table makes it.
type Endpoint struct {
	// Constant.
	table *Table
	ref   uint32
	owner cap.Space
	slots []slot
	nodes []lockfree.Node
	links []uint32

	fate atomic.Pointer[fate]

	// Atomic.
	_       [64]byte // keeps what is constant off what senders and receivers write
	room    semaphore
	ready   semaphore
	queue   lockfree.Queue
	free    lockfree.Stack
	callers waiters
	counts  counts
}

// slot is the memory of a message on its way.
type slot struct {
	node    uint32
	message Message
}

type fate struct{ err error }

// counts are what has happened at an endpoint. Written by adding.
type counts struct {
	sent, received, replied, dropped atomic.Uint64
}

// Options says what an endpoint is to be like. 0 means the default.
type Options struct {
	Capacity int       // messages that wait to be received: 1 to MaxCapacity; 16
	Waiters  int       // calls that can wait, for each of room, a message and a reply: to MaxWaiters; 64. Rounded up to 64s
	Owner    cap.Space // the space that gets the capabilities sent to it
}

const (
	// MaxCapacity and MaxWaiters bound Options, and so an endpoint's memory: 300 bytes for each
	// message, 120 for each call (and 400 more once it has waited for a message or a reply).
	MaxCapacity = 1 << 12
	MaxWaiters  = 1 << 14

	defaultCapacity = 16
	defaultWaiters  = 64
)

func newEndpoint(t *Table, ref uint32, o Options) *Endpoint {
	n := o.Capacity
	e := &Endpoint{
		table: t,
		ref:   ref,
		owner: o.Owner,
		slots: make([]slot, n),
		nodes: make([]lockfree.Node, n+1),
		links: make([]uint32, n),
	}
	e.room.init(n, o.Waiters)
	e.ready.init(0, o.Waiters)
	e.callers.init(o.Waiters)
	e.queue.Init(e.nodes, uint32(n))
	for i := n - 1; i >= 0; i-- {
		e.slots[i].node = uint32(i)
		e.free.Push(e.links, uint32(i))
	}
	return e
}

// Ref is the endpoint's number in its table, for the object of a capability.
func (e *Endpoint) Ref() uint64 { return uint64(e.ref) }

// Err returns why the endpoint is dead; nil: it isn't.
func (e *Endpoint) Err() error {
	if f := e.fate.Load(); f != nil {
		return f.err
	}
	return nil
}

// Send sends a copy of m, and waits for room; ctx may be nil. When it returns nil the message is in
// the queue, or dropped if the endpoint died.
//
// Errors, and m has not been sent: of a bad message ErrTooLong, ErrTooManyCaps, ErrTooManyPages and
// *ItemError; ErrNotCarried; ErrCrowded; why the endpoint died; the guard's, ctx's.
func (e *Endpoint) Send(ctx context.Context, in *Admission, m *Message) error {
	if err := e.admit(m); err != nil {
		return err
	}
	if err := e.room.acquire(ctx, in); err != nil {
		return e.named(err)
	}
	return e.send(m)
}

// TrySend is a Send that does not wait: ErrWouldBlock.
func (e *Endpoint) TrySend(m *Message) error {
	if err := e.admit(m); err != nil {
		return err
	}
	if !e.room.try() {
		return ErrWouldBlock
	}
	return e.send(m)
}

// Recv receives the oldest message into m, and waits for one; ctx may be nil. If m.Call isn't 0 then
// that call waits for a Reply.
//
// Errors: ErrCrowded; why the endpoint died; the guard's, ctx's.
func (e *Endpoint) Recv(ctx context.Context, in *Admission, m *Message) error {
	if err := e.Err(); err != nil {
		return err
	}
	return e.receive(ctx, in, m, nil)
}

// receive is Recv that unparks partner, if there is one.
func (e *Endpoint) receive(ctx context.Context, in *Admission, m *Message, partner *parker) error {
	if e.ready.try() {
		partner.unpark()
		return e.fetch(m)
	}
	p := e.ready.waiters.take()
	if p == nil {
		partner.unpark()
		return ErrCrowded
	}
	if p.letter == nil {
		p.open()
		p.letter = new(Message)
	}
	e.ready.waiters.begin(p)
	var err error
	if e.ready.balance.Add(-1) >= 0 {
		e.ready.found(p, partner)
	} else if err = p.sleep(ctx, in, partner); err != nil || p.state() != handed {
		err = e.ready.woken(p, err)
	}
	got := p.state() == handed
	switch {
	case got && err == nil:
		e.open(p.letter, m)
	case got:
		e.refuse(p.letter)
	}
	p.end()
	if got || err != nil {
		return e.named(err)
	}
	return e.fetch(m)
}

// TryRecv is a Recv that does not wait: ErrWouldBlock.
func (e *Endpoint) TryRecv(m *Message) error {
	if err := e.Err(); err != nil {
		return err
	}
	if !e.ready.try() {
		return ErrWouldBlock
	}
	return e.fetch(m)
}

// Kill ends the endpoint: calls that wait, and all that come, fail with reason (nil: ErrDead), and
// messages that nobody has received are dropped, with what they carry. False: it was dead.
func (e *Endpoint) Kill(reason error) bool {
	if reason == nil {
		reason = ErrDead
	}
	if !e.fate.CompareAndSwap(nil, &fate{reason}) {
		return false
	}
	e.room.close()
	e.ready.close()
	e.callers.close()
	e.drain()
	return true
}

// admits says whether m could be sent, and is a payload alone. False: admit knows.
func (e *Endpoint) admits(m *Message) bool {
	return e.fate.Load() == nil && uint(m.Len) <= MaxData && m.Caps|m.Ranges == 0
}

// admit says whether m could be sent.
func (e *Endpoint) admit(m *Message) error {
	if e.admits(m) {
		return nil
	}
	if err := e.Err(); err != nil {
		return err
	}
	return m.check()
}

// named gives the death its reason, in the error of a wait.
func (e *Endpoint) named(err error) error {
	if err == ErrDead {
		return e.Err()
	}
	return err
}

// send sends m with the permit of room that the caller has.
func (e *Endpoint) send(m *Message) error {
	receiver, err := e.post(m, 0)
	receiver.unpark()
	return err
}

// post is send that takes a call's number along, and leaves it to the caller to unpark the receiver.
func (e *Endpoint) post(m *Message, call CallID) (receiver *parker, err error) {
	i, ok := e.free.Pop(e.links)
	if !ok {
		panic("ipc: a permit without a slot")
	}
	s := &e.slots[i]
	m.copyTo(&s.message)
	s.message.Call = call
	if err := e.table.pack(m, &s.message, e.owner); err != nil {
		e.release(i)
		return nil, err
	}
	e.counts.sent.Add(1)
	e.queue.Push(e.nodes, s.node, uint64(i))
	receiver = e.ready.pass()
	if e.fate.Load() != nil { // pairs with the CAS in Kill
		e.drain()
	}
	return receiver, nil
}

// pop takes the oldest message's slot.
func (e *Endpoint) pop() (uint32, bool) {
	v, n, ok := e.queue.Pop(e.nodes)
	if ok {
		e.slots[v].node = n
	}
	return uint32(v), ok
}

// release makes room of a slot.
func (e *Endpoint) release(i uint32) {
	e.free.Push(e.links, i)
	e.room.release()
}

// fetch receives with the permit of ready that the caller has.
func (e *Endpoint) fetch(m *Message) error {
	i, ok := e.pop()
	if !ok { // only drain takes messages without a permit
		return e.Err()
	}
	s := &e.slots[i]
	e.table.deliver(&s.message, m)
	m.Call = s.message.Call
	e.release(i)
	e.counts.received.Add(1)
	return nil
}

// drain drops what is in a dead endpoint's queue.
func (e *Endpoint) drain() {
	for i, ok := e.pop(); ok; i, ok = e.pop() {
		e.table.discard(&e.slots[i].message)
		e.free.Push(e.links, i)
		e.counts.dropped.Add(1)
	}
}
