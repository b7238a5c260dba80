package gate

import (
	"bytes"
	"errors"
	"sync"
	"testing"
)

func TestMessages(t *testing.T) {
	b := openGate(t)
	e := must(EndpointCreate(b.root.Endpoints, EndpointOptions{}))
	client, server := derive(t, e, Write), derive(t, e, Read)
	var wg sync.WaitGroup
	wg.Go(func() {
		var m Message
		for EndpointRecv(server, nil, &m) == nil {
			m.Put(bytes.ToUpper(m.Payload()))
			EndpointReply(server, m.Call, &m)
		}
	})
	var m Message
	m.Put([]byte("hello"))
	ok(t, EndpointCall(client, nil, &m, &m))
	if string(m.Payload()) != "HELLO" {
		t.Errorf("%q", m.Payload())
	}
	want(t, EndpointReply(server, 77, &m), ErrNoCall)
	want(t, EndpointClose(server), ErrPermission)
	want(t, EndpointTryRecv(client, &m), ErrPermission)

	m = Message{Caps: 5}
	want(t, EndpointTrySend(client, &m), ErrTooManyCaps)
	bad := (*ArgumentError)(nil)
	if err := EndpointTrySend(client, &m); !errors.As(err, &bad) || bad.Argument != "message" {
		t.Errorf("%v names no argument", err)
	}
	m = Message{Caps: 1, Cap: [4]Carried{{ID: derive(t, b.root.Clock, Read), Mode: ByDerive, Keep: Read}}}
	item := (*ItemError)(nil)
	if err := EndpointTrySend(client, &m); !errors.As(err, &item) || !errors.Is(err, ErrPermission) {
		t.Errorf("deriving without delegate in a message: %v", err)
	}
	ok(t, EndpointClose(e))
	want(t, EndpointTrySend(client, &m), ErrDead)
	wg.Wait() // the server is on its way out
	quiet(t)
}

func TestMessagesCarryCapabilities(t *testing.T) {
	b := openGate(t)
	home := must(NewSpace(b.root.Spaces, Authority{}))
	var e ID
	in(t, home, func() { e = must(EndpointCreate(b.root.Endpoints, EndpointOptions{})) })
	clock, log := derive(t, b.root.Clock, Read|Delegate), derive(t, b.root.Log, Write|Transfer)
	m := Message{Caps: 2, Cap: [4]Carried{{ID: clock, Mode: ByDerive, Keep: Read}, {ID: log, Mode: ByTransfer}}}
	ok(t, EndpointSend(e, nil, &m))
	want(t, LogAppend(log, LevelInfo, "sent away"), ErrRevoked)
	must(TimeNow(clock))
	var got Message
	ok(t, EndpointRecv(e, nil, &got))
	for i, id := range []ID{got.Cap[0].ID, got.Cap[1].ID} {
		if info := must(CapInfo(id)); info.Space != must(SpaceNumber(home)) {
			t.Errorf("capability %d is in space %d", i, info.Space)
		}
	}
	must(TimeNow(got.Cap[0].ID))
	ok(t, LogAppend(got.Cap[1].ID, LevelDebug, "received"))
	ok(t, CapRevoke(b.root.Clock, clock))
	want(t, just(TimeNow(got.Cap[0].ID)), ErrRevoked)
	ok(t, CapDelete(home))
	want(t, LogAppend(got.Cap[1].ID, LevelDebug, "the space has ended"), ErrRevoked)
	want(t, EndpointTrySend(e, &m), ErrRevoked)
	quiet(t)
}
