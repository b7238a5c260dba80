package gate

import (
	"errors"
	"testing"
)

// A server's turn answers one call and brings the next; what fails leaves the message alone.
func TestReplyRecv(t *testing.T) {
	b := openGate(t)
	e := must(EndpointCreate(b.root.Endpoints, EndpointOptions{}))
	client := must(CapDerive(e, 0, Write, Options{}))
	server := must(CapDerive(e, 0, Read, Options{}))
	served := make(chan error)
	go func() {
		var m Message
		err := EndpointRecv(server, nil, &m)
		for err == nil {
			m.Data[0]++
			err = EndpointReplyRecv(server, nil, m.Call, &m)
		}
		served <- err
	}()
	for i := range byte(100) {
		var m Message
		ok(t, m.Put([]byte{i}))
		ok(t, EndpointCall(client, nil, &m, &m))
		if m.Data[0] != i+1 {
			t.Fatalf("the reply to %d is %d", i, m.Data[0])
		}
	}
	var m Message
	want(t, EndpointReplyRecv(client, nil, 77, &m), ErrPermission)
	want(t, EndpointReplyRecv(server, nil, 77, &m), ErrNoCall)
	ok(t, CapRevoke(e, server))
	want(t, <-served, ErrRevoked) // while it waits for the next
	quiet(t)
}

// The caller's capability, or the server's, is revoked while messages and replies are handed over: each
// call ends, well or with that error, and none is left in a section.
func TestRevokedWhileHandedOver(t *testing.T) {
	b := openGate(t)
	e := must(EndpointCreate(b.root.Endpoints, EndpointOptions{}))
	lost := 0
	for round := range 300 {
		client := must(CapDerive(e, 0, Write, Options{}))
		server := must(CapDerive(e, 0, Read, Options{}))
		served, called := make(chan error), make(chan error)
		go func() {
			var m Message
			err := EndpointRecv(server, nil, &m)
			for err == nil || errors.Is(err, ErrNoCall) {
				if err != nil { // the caller was revoked
					err = EndpointRecv(server, nil, &m)
				} else {
					err = EndpointReplyRecv(server, nil, m.Call, &m)
				}
			}
			served <- err
		}()
		go func() {
			var m Message
			var err error
			for err == nil {
				err = EndpointCall(client, nil, &m, &m)
			}
			called <- err
		}()
		if round%2 == 0 {
			for range round {
				must(TimeNow(b.root.Clock))
			}
		}
		ok(t, CapRevoke(e, client))
		want(t, <-called, ErrRevoked)
		ok(t, CapRevoke(e, server))
		want(t, <-served, ErrRevoked)
		for EndpointTryRecv(e, new(Message)) == nil { // sent by who was revoked
			lost++
		}
	}
	quiet(t)
	t.Logf("%d messages were left", lost)
}
