package gate

import (
	"context"

	"pdac/kernel/ipc"
	"pdac/kernel/space"
)

// Endpoints: messages of up to 128 bytes, which carry capabilities and pages.

// What programs need of package ipc.
type (
	Message = ipc.Message
	Carried = ipc.Cap    // a capability in a message
	Range   = ipc.Range  // pages in a message
	CallID  = ipc.CallID // who waits for a reply
)

// How a capability travels in a message.
const (
	ByDerive   = ipc.Derive   // the receiver gets one derived from it
	ByTransfer = ipc.Transfer // the receiver gets it, the sender's identifier ends
)

const maxEndpoints = 1 << 16

// EndpointOptions say what an endpoint is to be like. 0 means the default.
type EndpointOptions struct {
	Capacity int // messages that wait to be received: 1 to 4096; 16
	Waiters  int // calls that can wait, for each of room, a message and a reply: to 16384; 64
}

// EndpointCreate makes an endpoint and returns a capability for it, which the caller's space holds:
// so are the capabilities that are sent to it. Write is for sending and calling, Read for receiving
// and replying, Delete for closing. id is one for Roots.Endpoints with Create.
//
// Errors: of id; *ArgumentError; ErrNoSpace; ErrFull.
func EndpointCreate(id ID, o EndpointOptions) (ID, error) {
	t, _, err := enter(endpointCreate, id)
	if err != nil {
		return 0, err
	}
	defer t.Release()
	e, err := core.endpoints.Create(ipc.Options{Capacity: o.Capacity, Waiters: o.Waiters, Owner: Space(space.Get())})
	if err == ipc.ErrFull {
		err = ErrFull
	}
	if err != nil {
		return 0, endpointCreate.failIPC(err)
	}
	made, err := newObject(typeEndpoint, e, func() { core.endpoints.Remove(e, nil) }, usual)
	return made, endpointCreate.fail(err)
}

// EndpointSend sends a copy of m, and waits for room, as long as ctx says (nil: for ever). id has
// Write. Of a capability that goes by transfer the old identifier is dead when it returns.
//
// Errors: of id; *ArgumentError; *ItemError; ErrDead, ErrCrowded; ctx's.
func EndpointSend(id ID, ctx context.Context, m *Message) error {
	return exchange(endpointSend, id, ctx, 0, m, nil)
}

// EndpointTrySend is EndpointSend that doesn't wait: ErrWouldBlock.
func EndpointTrySend(id ID, m *Message) error {
	return exchange(endpointTrySend, id, nil, 0, m, nil)
}

// EndpointCall sends a copy of m and waits for the reply, which it copies into reply; they may be
// the same. id has Write.
//
// Errors: as EndpointSend. While it waits for the reply, it isn't known whether anybody received m.
func EndpointCall(id ID, ctx context.Context, m, reply *Message) error {
	if ctx != nil || reply == nil || !plain(m) {
		return exchange(endpointCall, id, ctx, 0, m, reply)
	}
	s, o, err := admit(id, &callTable[endpointCall])
	if err != nil {
		return err
	}
	in := ipc.Admission{Guard: &waiting, ID: id, Need: callTable[endpointCall].Need, Held: s}
	err = value[*ipc.Endpoint](o).Call(nil, &in, Space(space.Get()), m, reply)
	in.Held.Release()
	if err != nil {
		return endpointCall.failIPC(err)
	}
	return nil
}

// EndpointReply answers a call that was received at the endpoint: m.Call of what EndpointRecv gave.
// It never waits. id has Read.
//
// Errors: of id; *ArgumentError; *ItemError; ErrNoCall; ErrDead.
func EndpointReply(id ID, to CallID, m *Message) error {
	return exchange(endpointReply, id, nil, to, m, nil)
}

// EndpointReplyRecv is EndpointReply with m and then EndpointRecv into m: a server's turn, and cheaper,
// since the processor goes to who is answered. id has Read.
//
// Errors: EndpointReply's, and then nothing has been received and m is as it was; EndpointRecv's,
// and then the call has been answered.
func EndpointReplyRecv(id ID, ctx context.Context, to CallID, m *Message) error {
	if ctx != nil || !plain(m) {
		return exchange(endpointReplyRecv, id, ctx, to, m, nil)
	}
	s, o, err := admit(id, &callTable[endpointReplyRecv])
	if err != nil {
		return err
	}
	in := ipc.Admission{Guard: &waiting, ID: id, Need: callTable[endpointReplyRecv].Need, Held: s}
	err = value[*ipc.Endpoint](o).ReplyRecv(nil, &in, to, m)
	in.Held.Release()
	if err != nil {
		return endpointReplyRecv.failIPC(err)
	}
	return nil
}

// EndpointRecv receives the oldest message into m, and waits for one, as long as ctx says (nil: for
// ever). If m.Call isn't 0 its sender waits for a reply. Pages that it brings belong to the caller's
// space: MemoryBytes. id has Read.
//
// Errors: of id; *ArgumentError; ErrDead, ErrCrowded; ctx's.
func EndpointRecv(id ID, ctx context.Context, m *Message) error {
	return exchange(endpointRecv, id, ctx, 0, m, nil)
}

// EndpointTryRecv is EndpointRecv that doesn't wait: ErrWouldBlock.
func EndpointTryRecv(id ID, m *Message) error {
	return exchange(endpointTryRecv, id, nil, 0, m, nil)
}

// EndpointClose ends an endpoint: calls that wait and all that come get ErrDead, and messages that
// nobody received are dropped. id has Delete.
func EndpointClose(id ID) error {
	t, o, err := enter(endpointClose, id)
	if err != nil {
		return err
	}
	defer t.Release()
	value[*ipc.Endpoint](o).Kill(nil)
	return nil
}

// plain says whether m is a payload alone.
func plain(m *Message) bool { return m != nil && m.Caps|m.Ranges == 0 }

// carries says whether the call sends more of m than a payload.
func (c call) carries(m *Message) bool {
	return m.Caps|m.Ranges != 0 && c != endpointRecv && c != endpointTryRecv
}

// exchange makes any of the calls that move messages. Where neither context nor items are asked, nobody
// who could panic runs in the section, and it needs no defer.
func exchange(c call, id ID, ctx context.Context, to CallID, m, reply *Message) error {
	switch {
	case m == nil:
		return c.bad("m", "a message")
	case reply == nil && c == endpointCall:
		return c.bad("reply", "a message")
	case ctx != nil || c.carries(m):
		return c.exchangeItems(id, ctx, to, m, reply)
	}
	g, err := enterBlocking(c, id)
	if err != nil {
		return err
	}
	err = c.at(&g, nil, to, m, reply)
	g.end()
	return c.failIPC(err)
}

func (c call) exchangeItems(id ID, ctx context.Context, to CallID, m, reply *Message) error {
	ctx, cancel := calm(ctx)
	defer cancel()
	if c.carries(m) {
		defer settle(transfers(m)) // after the section
		var carried consents
		defer carried.end()
		carried.message(m)
	}
	g, err := enterBlocking(c, id)
	if err != nil {
		return err
	}
	defer g.end()
	return c.failIPC(c.at(&g, ctx, to, m, reply))
}

// at makes the call at its endpoint.
func (c call) at(g *guard, ctx context.Context, to CallID, m, reply *Message) error {
	e := value[*ipc.Endpoint](g.object)
	switch c {
	case endpointSend:
		return e.Send(ctx, &g.Admission, m)
	case endpointTrySend:
		return e.TrySend(m)
	case endpointRecv:
		return e.Recv(ctx, &g.Admission, m)
	case endpointTryRecv:
		return e.TryRecv(m)
	case endpointCall:
		return e.Call(ctx, &g.Admission, Space(space.Get()), m, reply)
	case endpointReply:
		return e.Reply(to, m)
	default:
		return e.ReplyRecv(ctx, &g.Admission, to, m)
	}
}

// transfers says whether a message moves capabilities. It reads the caller's message, not the copy that is
// sent: who changes it meanwhile may not be waited for, and harms himself alone. That calls by the old
// identifier have ended is the sender's to know; the receiver has the new one before.
func transfers(m *Message) bool {
	for i := range min(max(m.Caps, 0), len(m.Cap)) {
		if m.Cap[i].Mode == ByTransfer {
			return true
		}
	}
	return false
}

// settle waits for the calls that moved capabilities have admitted.
func settle(moved bool) {
	if moved && !core.table.Inside() {
		core.rcu.Synchronize()
	}
}
