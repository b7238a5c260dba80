package gate

import "testing"

func BenchmarkTimeNow(b *testing.B) {
	board := openGate(b)
	for b.Loop() {
		TimeNow(board.root.Clock)
	}
}

func BenchmarkCallReply(b *testing.B) {
	board := openGate(b)
	e := must(EndpointCreate(board.root.Endpoints, EndpointOptions{}))
	done := make(chan bool)
	go func() {
		var m Message
		for err := EndpointRecv(e, nil, &m); err == nil; {
			err = EndpointReplyRecv(e, nil, m.Call, &m)
		}
		close(done)
	}()
	var m Message
	m.Put([]byte("a request of some length"))
	b.ReportAllocs()
	for b.Loop() {
		if err := EndpointCall(e, nil, &m, &m); err != nil {
			b.Fatal(err)
		}
	}
	EndpointClose(e)
	<-done
}
