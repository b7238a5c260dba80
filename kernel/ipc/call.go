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
func (e *Endpoint) Call(ctx context.Context, in *Admission, space cap.Space, m, reply *Message) error {
	plain := e.admits(m)
	if !plain {
		if err := e.admit(m); err != nil {
			return err
		}
	}
	p := e.callers.take()
	if p == nil {
		return ErrCrowded
	}
	if p.call == nil {
		p.open()
		p.call = new(caller)
	}
	p.call.space = space
	call := e.beginCall(p)
	if plain {
		if receiver := e.hand(m, call); receiver != nil {
			err := p.sleep(ctx, in, receiver)
			if err != nil || p.state() != again {
				return e.answered(p, reply, err)
			}
			call = e.beginCall(p)
		}
	}
	receiver, err := e.ask(ctx, in, m, call)
	if err == nil {
		err = p.sleep(ctx, in, receiver)
	}
	return e.answered(p, reply, err)
}

// beginCall begins to wait for a reply at p, and returns the call's name.
func (e *Endpoint) beginCall(p *place) CallID {
	return CallID(e.callers.begin(p)>>stateBits<<placeBits | p.at)
}

// answered ends the call that waited at p, with err or without.
func (e *Endpoint) answered(p *place, reply *Message, err error) error {
	switch {
	case err != nil:
		e.abandon(p)
		err = e.named(err)
	case p.state() == dead:
		err = e.Err()
	default:
		if r := &p.call.reply; r.Caps|r.Ranges == 0 {
			r.copyData(reply)
		} else {
			e.table.deliver(r, reply)
		}
		reply.Call = 0
	}
	p.end()
	return err
}

// ask sends m by the queue, and leaves it to the caller to unpark the receiver.
func (e *Endpoint) ask(ctx context.Context, in *Admission, m *Message, call CallID) (*parker, error) {
	if err := e.room.acquire(ctx, in); err != nil {
		return nil, err
	}
	return e.post(m, call)
}

// abandon ends the wait at p, and drops a reply that came too late.
func (e *Endpoint) abandon(p *place) {
	for !p.withdraw() {
		switch p.state() {
		case serving:
			p.settle() // until it is granted, or again waiting
		case granted:
			e.table.discard(&p.call.reply)
			return
		case dead, again:
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
func (e *Endpoint) ReplyRecv(ctx context.Context, in *Admission, call CallID, m *Message) error {
	caller, err := e.answer(call, m)
	if err != nil {
		caller.unpark()
		return err
	}
	return e.receive(ctx, in, m, caller)
}

// answer is Reply that leaves it to the caller to unpark who waits for it.
func (e *Endpoint) answer(call CallID, m *Message) (*parker, error) {
	plain := e.admits(m)
	if !plain {
		if err := e.admit(m); err != nil {
			return nil, err
		}
	}
	p, w := e.caller(call)
	if p == nil || !p.word.CompareAndSwap(w, w-waiting+serving) {
		return nil, ErrNoCall
	}
	if plain {
		m.copyData(&p.call.reply)
		p.word.Store(w - waiting + granted)
		e.counts.replied.Add(1)
		return &p.parker, nil
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

// caller returns the place where a call waits, and the word while it does. Nil: there never was one.
func (e *Endpoint) caller(call CallID) (*place, uint64) {
	return e.callers.place(uint64(call % (1 << placeBits))), uint64(call>>placeBits)<<stateBits | waiting
}
