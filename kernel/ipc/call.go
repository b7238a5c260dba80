package ipc

import (
	"context"

	"pdac/kernel/cap"
)

// Calls: a message that takes along where its answer goes.
//
// Paper: J. Liedtke, "Improving IPC by Kernel Design", SOSP 1993, for the one call that sends and
// waits for its reply, which goes to the caller itself and takes no queue.
//
// Words and writers: the word of the caller's place (waiters.go), whose ticket is in the CallID. Who
// replies makes it serving by CAS; the caller record is his until he makes it granted, or waiting
// again. Before the wait and after it, the record is the caller's.
//
// Invariant: a CallID is answered once at most: there is one wait with its ticket, and one CAS takes
// it from waiting.
//
// Linearization: Reply at the store of granted; its ErrNoCall at the load or CAS that finds another
// word. Call as Send, then at the same store.
//
// Reclamation: none needed. Places and records are type-stable; a late Reply finds another ticket.
//
// Who is served is woken last, when who served him is about to wait: Call and ReplyRecv hand a
// partner down to park, and each way that doesn't lead there unparks him. Until then nobody waits
// for who serves, but the partner: his wait has ended by his word, whether he runs or not.
//
// Progress: Reply is lock-free, but for what Capabilities and Pages do. Who gives up a Call while its
// reply is being written waits until it is.
//
// A message whose caller gave up is received all the same: what it asks for may have to be done, and
// its Reply fails with ErrNoCall.

// caller is what a call that waits leaves for who replies.
type caller struct {
	space cap.Space // gets the reply's capabilities
	reply Message
}

const placeBits = 16 // MaxWaiters is less

// Call sends a copy of m and waits for the reply, which it copies into reply; they may be the same.
// The reply's capabilities go to space; ctx may be nil. It waits for room, and then for the reply.
//
// Errors: as Send, and then nothing has been sent. While it waits for the reply: why the endpoint
// died, the guard's, ctx's; then it is not known whether anybody received m.
func (e *Endpoint) Call(ctx context.Context, g Guard, space cap.Space, m, reply *Message) error {
	if err := e.admit(m); err != nil {
		return err
	}
	at, ok := e.callers.take()
	if !ok {
		return ErrCrowded
	}
	p := &e.callers.places[at]
	if p.call == nil {
		p.call = new(caller)
	}
	p.call.space = space
	w := e.callers.begin(at)
	var err error
	if !e.room.try() { // most often there is room: acquire is inlined so far
		err = e.room.await(ctx, g, nil)
	}
	if err == nil {
		var receiver *parker
		if receiver, err = e.post(m, CallID(w>>stateBits<<placeBits|uint64(at))); err == nil {
			err = p.sleep(ctx, g, receiver)
		}
	}
	if err == nil && p.state() == dead {
		err = ErrDead
	}
	if err != nil {
		e.abandon(p)
		err = e.named(err)
	} else {
		e.table.deliver(&p.call.reply, reply)
		reply.Call = 0
	}
	e.callers.end(at)
	return err
}

// abandon ends the wait at p, and drops a reply that came too late.
func (e *Endpoint) abandon(p *place) {
	for !p.withdraw() {
		switch p.state() {
		case serving:
			p.park(nil) // until it is granted, or again waiting
		case granted:
			e.table.discard(&p.call.reply)
			return
		case dead:
			return
		}
	}
}

// Reply answers a call that was received at this endpoint. It does not wait.
//
// Errors, and the call still waits: of a bad message as Send. ErrNoCall; why the endpoint died.
func (e *Endpoint) Reply(call CallID, m *Message) error {
	caller, err := e.answer(call, m)
	caller.unpark()
	return err
}

// ReplyRecv is Reply and then Recv, into the same message: a server's turn. It is cheaper than
// one after the other, since the processor goes to who is answered.
//
// Errors: Reply's, and then nothing has been received and m is as it was; Recv's, and then the call
// has been answered.
func (e *Endpoint) ReplyRecv(ctx context.Context, g Guard, call CallID, m *Message) error {
	caller, err := e.answer(call, m)
	if err != nil {
		caller.unpark()
		return err
	}
	return e.receive(ctx, g, m, caller)
}

// answer is Reply that leaves it to the caller to unpark who waits for it.
func (e *Endpoint) answer(call CallID, m *Message) (*parker, error) {
	if err := e.admit(m); err != nil {
		return nil, err
	}
	at := int(call & (1<<placeBits - 1))
	if at >= len(e.callers.places) {
		return nil, ErrNoCall
	}
	p := &e.callers.places[at]
	w := uint64(call>>placeBits)<<stateBits | waiting
	if !p.word.CompareAndSwap(w, w-waiting+serving) {
		return nil, ErrNoCall
	}
	m.copyTo(&p.call.reply)
	err := e.table.pack(m, &p.call.reply, p.call.space)
	if err == nil {
		p.word.Store(w - waiting + granted)
		e.counts.replied.Add(1)
	} else {
		p.word.Store(w)
		if e.callers.closed.Load() { // pairs with the store in close, which passed by what was serving
			p.die()
		}
	}
	return &p.parker, err
}
