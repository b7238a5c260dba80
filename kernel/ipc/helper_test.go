package ipc

import "testing"

// endpoint returns an endpoint of a table without capabilities and pages.
func endpoint(tb testing.TB, o Options) *Endpoint {
	tb.Helper()
	t, err := New(Config{})
	if err != nil {
		tb.Fatal(err)
	}
	e, err := t.Create(o)
	if err != nil {
		tb.Fatal(err)
	}
	return e
}

// serve replies to each call what it brought, until the endpoint dies.
func serve(e *Endpoint) error {
	var m Message
	for {
		if err := e.Recv(nil, nil, &m); err != nil {
			return err
		}
		if m.Call != 0 {
			e.Reply(m.Call, &m)
		}
	}
}
