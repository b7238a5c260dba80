package gate

import (
	"testing"
	"time"

	"pdac/kernel/ipc"
	"pdac/kernel/space"
)

// Pages that come to a goroutine whose space has ended are given back: nobody would unmap them.
func TestPagesForTheDead(t *testing.T) {
	b := openGate(t)
	e := must(EndpointCreate(b.root.Endpoints, EndpointOptions{}))
	other := must(NewSpace(b.root.Spaces, Authority{}))
	m := Message{Ranges: 1, Range: [4]Range{RangeOf(must(MemoryMap(b.root.Memory, pageSize)))}}
	ok(t, EndpointSend(e, nil, &m))
	in(t, other, func() {
		dead := space.Get()
		ok(t, CapDelete(other))
		until(t, "the space's end", func() bool { return !alive(Space(dead)) })
		quiet(t)
		ok(t, EndpointRecv(e, nil, &m))
	})
	addresses.Lock()
	defer addresses.Unlock()
	if len(addresses.areas) != 0 {
		t.Errorf("mapped for ever: %+v", addresses.areas)
	}
}

// Pages whose old address has been used again don't go back there.
func TestRestoreToWhatIsTaken(t *testing.T) {
	b := openGate(t)
	sent := RangeOf(must(MemoryMap(b.root.Memory, pageSize)))
	memory(sent.At, sent.Len)[0] = 1
	to := must(addresses.Move(sent.At, sent.Len))
	addresses.regions[space.Root].next = sent.At // as after all others of the space
	other := must(MemoryMap(b.root.Memory, pageSize))
	if RangeOf(other) != sent {
		t.Fatal("the address was not given again")
	}
	other[0] = 2
	addresses.Restore(to, sent.Len, sent.At)
	if other[0] != 2 || len(addresses.areas) != 1 {
		t.Errorf("the other's memory has %d; areas %+v", other[0], addresses.areas)
	}
}

// A receiver whose capability expires while it waits is told when a message comes, which goes to the next.
func TestExpiresWhileReceiving(t *testing.T) {
	b := openGate(t)
	e := must(EndpointCreate(b.root.Endpoints, EndpointOptions{}))
	at := must(TimeNow(b.root.Clock)) + 50*time.Millisecond
	short := must(CapDerive(e, 0, Read, Options{Formula: &Formula{ExpiresAt: uint64(at), Uses: 1}}))
	receive := func(id ID, waiting int) chan error {
		done := make(chan error, 1)
		go func() { done <- EndpointRecv(id, nil, new(Message)) }()
		until(t, "the receiver to wait", func() bool { return receivers(b) == waiting || len(done) > 0 })
		return done
	}
	expired, next := receive(short, 1), receive(e, 2)
	until(t, "the expiry", func() bool { return must(TimeNow(b.root.Clock)) >= at })
	ok(t, EndpointTrySend(e, new(Message)))
	want(t, <-expired, ErrExpired)
	ok(t, <-next)
	quiet(t)
}

// receivers counts those that wait at the only endpoint.
func receivers(b *board) (n int) {
	b.op.Endpoints(func(i ipc.Info) bool { n = i.Receivers; return true })
	return n
}
