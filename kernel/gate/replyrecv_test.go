package gate

import "testing"

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
